"""The store's contract: environments and approvals, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.core.model.approvals import WHOLE_RUN, Approval, ApprovalState, BranchRule, Environment
from pawl.core.model.ids import RunId
from pawl.ports.store import Store, Transaction
from tests.stores import KINDS, add_run, opened, url_of

LIVE = Environment(
    project="acme/site",
    name="Live ☃",
    created_at=10.5,
    reviewers=("ann", "b\u0142"),
    prevent_self_review=True,
    wait_minutes=2.5,
    rule=BranchRule.PATTERNS,
    branches=("main", "release/**"),
    tags=("v*",),
)
SHA = "a" * 40


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: str = request.param
    async with opened(url_of(kind, tmp_path, request), inline=kind == "inline") as made:
        yield made


async def approval(store: Store, environment: str = WHOLE_RUN) -> Approval:
    """Return one of a run that is stored."""
    return Approval(
        run=(await add_run(store)).id,
        attempt=1,
        environment=environment,
        repository="acme/site",
        state=ApprovalState.WAITING,
        rule="the project asks",
        asked_at=10.0,
        number=7,
        sha=SHA,
        author="stranger",
        review=False,
        ready_at=20.0,
        expires_at=30.0,
        look_at=30.0,
        decided_at=None,
        decided_by="",
        comment="",
    )


async def put(store: Store, *made: Approval) -> None:
    def work(tx: Transaction) -> None:
        for one in made:
            tx.approvals.put(one)

    await store.write(work)


async def test_an_environment_comes_back_as_it_was_whatever_the_case_of_its_name(store: Store) -> None:
    await store.write(lambda tx: tx.environments.put(LIVE))
    assert await store.read(lambda tx: tx.environments.get("acme/site", "LIVE ☃")) == LIVE
    assert await store.read(lambda tx: tx.environments.get("acme/other", LIVE.name)) is None
    bare = Environment(project="acme/site", name="live ☃", created_at=11.0)
    await store.write(lambda tx: tx.environments.put(bare))
    assert await store.read(lambda tx: tx.environments.of_project("acme/site")) == (bare,)


async def test_environments_are_listed_by_name_and_removed(store: Store) -> None:
    def work(tx: Transaction) -> None:
        for name in ("b", "A", "c"):
            tx.environments.put(replace(LIVE, name=name))
        tx.environments.put(replace(LIVE, project="acme/other"))
        tx.environments.remove("acme/site", "B")
        tx.environments.remove("acme/site", "none of them")

    await store.write(work)
    found = await store.read(lambda tx: tx.environments.of_project("acme/site"))
    assert [each.name for each in found] == ["A", "c"]
    await store.write(lambda tx: tx.environments.remove_project("acme/site"))
    assert await store.read(lambda tx: tx.environments.of_project("acme/site")) == ()
    assert len(await store.read(lambda tx: tx.environments.of_project("acme/other"))) == 1


async def test_an_approval_comes_back_as_it_was_and_is_replaced(store: Store) -> None:
    one = await approval(store)
    other = replace(one, environment="Live", number=None, sha="", author="", asked_at=11.0)
    await put(store, one, other)
    assert await store.read(lambda tx: tx.approvals.of_run(one.run)) == (one, other)
    decided = replace(
        other,
        state=ApprovalState.REJECTED,
        look_at=None,
        decided_at=12.5,
        decided_by="ann",
        comment="not\nnow ☃",
    )
    await put(store, replace(decided, environment="LIVE"), decided)
    assert await store.read(lambda tx: tx.approvals.of_run(one.run)) == (one, decided)
    assert await store.read(lambda tx: tx.approvals.of_run(RunId(999))) == ()


async def test_what_waits_and_what_is_due(store: Store) -> None:
    one = await approval(store)
    later = replace(await approval(store, "live"), look_at=20.0)
    done = replace(await approval(store), state=ApprovalState.APPROVED, look_at=None)
    await put(store, later, one, done)
    assert await store.read(lambda tx: tx.approvals.waiting(9)) == (one, later)
    assert await store.read(lambda tx: tx.approvals.waiting(1)) == (one,)
    assert await store.read(lambda tx: tx.approvals.due(19.9, 9)) == ()
    assert await store.read(lambda tx: tx.approvals.due(20.0, 9)) == (later,)
    assert await store.read(lambda tx: tx.approvals.due(99.0, 9)) == (later, one)
    assert await store.read(lambda tx: tx.approvals.due(99.0, 1)) == (later,)


async def test_a_commit_of_a_request_is_found_and_no_other(store: Store) -> None:
    one = await approval(store)
    same = replace(await approval(store), asked_at=11.0)
    deploys = await approval(store, "live")
    await put(store, one, same, deploys, replace(await approval(store), sha="b" * 40))
    await put(store, replace(await approval(store), number=8), replace(await approval(store), sha=""))
    assert await store.read(lambda tx: tx.approvals.waiting_for("acme/site", 7, SHA)) == (one, same)
    assert await store.read(lambda tx: tx.approvals.approved_for("acme/site", 7, SHA)) is None
    approved = replace(same, state=ApprovalState.APPROVED, decided_by="ann", look_at=None)
    await put(store, approved, replace(deploys, state=ApprovalState.APPROVED))
    assert await store.read(lambda tx: tx.approvals.waiting_for("acme/site", 7, SHA)) == (one,)
    assert await store.read(lambda tx: tx.approvals.approved_for("acme/site", 7, SHA)) == approved
    for wanted in (("acme/other", 7, SHA), ("acme/site", 8, SHA), ("acme/site", 7, "b" * 40)):
        assert await store.read(lambda tx, w=wanted: tx.approvals.approved_for(*w)) is None  # type: ignore[misc]  # a default binds the loop's value


async def test_an_author_who_was_approved_is_found(store: Store) -> None:
    one = await approval(store)
    await put(store, one, replace(await approval(store, "live"), state=ApprovalState.APPROVED))
    assert await store.read(lambda tx: tx.approvals.approved_author("acme/site", "stranger")) is None
    approved = replace(one, state=ApprovalState.APPROVED)
    await put(store, approved)
    assert await store.read(lambda tx: tx.approvals.approved_author("acme/site", "stranger")) == approved
    assert await store.read(lambda tx: tx.approvals.approved_author("acme/other", "stranger")) is None


async def test_approvals_go_with_their_run(store: Store) -> None:
    one = await approval(store)
    await put(store, one)
    await store.write(lambda tx: tx.runs.delete(one.run))
    assert await store.read(lambda tx: tx.approvals.of_run(one.run)) == ()
