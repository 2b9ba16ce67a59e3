"""The store's contract: commit statuses, destinations, notices and streaks, on every database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.errors import InternalError
from pawl.core.model.forge import CommitState
from pawl.core.model.ids import RunId
from pawl.core.model.reporting import (
    DestinationKind,
    DestinationRecord,
    NoticeRecord,
    NoticeState,
    Reply,
    StatusRecord,
    Streak,
    Told,
    Topic,
)
from pawl.ports.store import Store
from tests.stores import KINDS, opened, url_of

SHA = "a" * 40


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: str = request.param
    async with opened(url_of(kind, tmp_path, request), inline=kind == "inline") as made:
        yield made


def status(context: str = "pawl/CI", **changes: Any) -> StatusRecord:
    made = StatusRecord(
        project="acme/site",
        sha=SHA,
        context=context,
        state=CommitState.RUNNING,
        description="Running «ä»",
        ref="main",
        run=RunId(7),
        started_at=1.5,
        changed_at=100.0,
        sequence=3,
        sent=2,
        reason="away",
    )
    return dataclasses.replace(made, **changes)


async def put(store: Store, *made: StatusRecord) -> None:
    def work(tx: Any) -> None:
        for one in made:
            tx.statuses.put(one)

    await store.write(work)


async def claim(store: Store, now: float = 1000.0, limit: int = 10, busy: tuple[str, ...] = ()) -> list[str]:
    found = await store.write(lambda tx: tx.statuses.claim(now, now + 40.0, limit, busy))
    return [one.context for one in found]


async def test_a_status_comes_back_as_it_was_put(store: Store) -> None:
    bare = status("pawl/Other", run=None, completed_at=2.5, waiting=False, claims=4, tries=1, next_at=9.5)
    await put(store, status(), bare)
    await put(store, status(state=CommitState.SUCCESS))
    found = await store.read(lambda tx: tx.statuses.get("acme/site", SHA, "pawl/Other"))
    assert found == bare
    locked = await store.write(lambda tx: tx.statuses.get("acme/site", SHA, "pawl/CI", lock=True))
    assert locked == status(state=CommitState.SUCCESS)
    assert await store.read(lambda tx: tx.statuses.get("acme/site", "b" * 40, "pawl/CI")) is None


async def test_what_is_due_is_claimed_once_one_of_each_project(store: Store) -> None:
    await put(
        store,
        status("later", next_at=20.0),
        status("first", next_at=10.0),
        status("sent", waiting=False),
        status("not yet", next_at=2000.0),
        status("other", project="acme/app", next_at=15.0),
    )
    assert await claim(store, busy=("acme/app",)) == ["first"]
    assert await claim(store, limit=1) == ["other"]
    assert await claim(store) == ["later"]
    assert await claim(store) == []
    assert await claim(store, now=1041.0) == ["other", "first"]
    held = await store.read(lambda tx: tx.statuses.get("acme/site", SHA, "first"))
    assert held is not None
    assert (held.claims, held.next_at) == (2, 1081.0)


async def test_no_two_callers_claim_the_same(store: Store) -> None:
    await put(store, *(status(f"c{n}", project=f"acme/p{n}") for n in range(8)))
    found = await asyncio.gather(*(claim(store, limit=3) for _ in range(4)))
    contexts = [context for each in found for context in each]
    assert len(contexts) == len(set(contexts))
    contexts += await claim(store)
    assert sorted(contexts) == [f"c{n}" for n in range(8)]


async def test_two_that_add_the_same_status_see_each_other(store: Store) -> None:
    def work(tx: Any) -> None:
        before = tx.statuses.get("acme/site", SHA, "new", lock=True)
        tx.statuses.put(status("new", sequence=1 if before is None else before.sequence + 1))

    await asyncio.gather(*(store.write(work) for _ in range(5)))
    found = await store.read(lambda tx: tx.statuses.get("acme/site", SHA, "new"))
    assert found is not None
    assert found.sequence == 5


async def test_statuses_are_listed_newest_first_and_old_ones_go(store: Store) -> None:
    await put(
        store,
        status("old", changed_at=1.0, waiting=False),
        status("waits", changed_at=2.0),
        status("new", changed_at=50.0, waiting=False),
        status("app", project="acme/app", sha="b" * 40, changed_at=40.0, waiting=False),
    )

    async def listed(project: str | None = None, sha: str | None = None, limit: int = 9) -> list[str]:
        found = await store.read(lambda tx: tx.statuses.recent(project, sha, limit))
        return [one.context for one in found]

    assert await listed() == ["new", "app", "waits", "old"]
    assert await listed("acme/site", limit=2) == ["new", "waits"]
    assert await listed(sha="b" * 40) == ["app"]
    assert await listed("acme/app", SHA) == []
    assert await store.write(lambda tx: tx.statuses.purge(45.0, 1)) == 1
    assert await store.write(lambda tx: tx.statuses.purge(45.0, 9)) == 1
    assert await listed() == ["new", "waits"]


def destination(**changes: Any) -> DestinationRecord:
    made = DestinationRecord(
        project="acme/site",
        kind=DestinationKind.WEBHOOK,
        target="https://hooks.example/x",
        topics=(Topic.RUN_CREATED, Topic.WORKER_LOST),
        told=Told.CHANGES,
        secret="sealed",
        created_at=5.5,
    )
    return dataclasses.replace(made, **changes)


async def add_destination(store: Store, **changes: Any) -> DestinationRecord:
    return await store.write(lambda tx: tx.destinations.add(destination(**changes)))


async def test_destinations_are_kept_and_found_by_project(store: Store) -> None:
    first = await add_destination(store)
    everyones = await add_destination(store, project="", kind=DestinationKind.MAIL, target="a@b.example")
    other = await add_destination(store, project="acme/app")
    assert (first.id, everyones.id, other.id) == (1, 2, 3)
    assert await store.read(lambda tx: tx.destinations.of_project("acme/site")) == (first, everyones)
    changed = dataclasses.replace(first, active=False, reason="gone", failing_since=3.5)
    await store.write(lambda tx: tx.destinations.save(changed))
    assert await store.write(lambda tx: tx.destinations.get(1, lock=True)) == changed
    await add_notice(store, destination=1)
    await store.write(lambda tx: tx.destinations.remove(1))
    assert await store.read(lambda tx: tx.destinations.all()) == (everyones, other)
    assert await store.read(lambda tx: tx.notices.recent(None)) == ()
    with pytest.raises(InternalError):
        await store.write(lambda tx: tx.destinations.save(changed))


async def add_notice(store: Store, **changes: Any) -> NoticeRecord:
    made = NoticeRecord(
        destination=1,
        topic=Topic.RUN_COMPLETED,
        body='{"run":7}',
        project="acme/site",
        run=RunId(7),
        created_at=10.5,
        replies=(Reply(time=1.5, status=503, text="away"),),
    )
    return await store.write(lambda tx: tx.notices.add(dataclasses.replace(made, **changes)))


async def claim_notices(store: Store, now: float = 1000.0, busy: tuple[int, ...] = ()) -> list[int]:
    found = await store.write(lambda tx: tx.notices.claim(now, now + 40.0, 9, busy))
    return [one.id for one in found]


async def test_notices_are_kept_and_claimed_one_of_each_destination(store: Store) -> None:
    for _ in range(2):
        await add_destination(store)
    first = await add_notice(store)
    second = await add_notice(store, again=1, run=None)
    other = await add_notice(store, destination=2)
    assert await store.read(lambda tx: tx.notices.get(1)) == first
    assert await claim_notices(store, busy=(2,)) == [1]
    assert await claim_notices(store) == [2, 3]
    assert await claim_notices(store) == []
    held = await store.write(lambda tx: tx.notices.get(2, lock=True))
    assert held == dataclasses.replace(second, claims=1, next_at=1040.0)
    done = dataclasses.replace(first, state=NoticeState.DONE, done_at=20.5, replies=())
    await store.write(lambda tx: tx.notices.save(done))
    assert await store.read(lambda tx: tx.notices.get(1)) == done
    listed = await store.read(lambda tx: tx.notices.recent(1, before=2))
    assert [one.id for one in listed] == [1]
    assert [one.id for one in await store.read(lambda tx: tx.notices.recent(None, limit=2))] == [3, 2]
    assert await store.write(lambda tx: tx.notices.give_up(1, 30.5, "disabled")) == 1
    given_up = await store.read(lambda tx: tx.notices.get(2))
    assert given_up is not None
    assert (given_up.state, given_up.done_at, given_up.reason) == (NoticeState.FAILED, 30.5, "disabled")
    assert await store.write(lambda tx: tx.notices.purge(25.0, 9)) == 1
    assert await store.read(lambda tx: tx.notices.get(1)) is None
    assert await claim_notices(store, now=3000.0) == [other.id]
    with pytest.raises(InternalError):
        await store.write(lambda tx: tx.notices.save(done))


async def test_streaks_are_kept_by_workflow_and_ref(store: Store) -> None:
    streak = Streak(
        project="acme/site",
        path="ci.yml",
        ref="refs/heads/main",
        run=RunId(7),
        number=3,
        failing_since=2,
        ended_at=5.5,
    )
    assert await store.write(lambda tx: tx.streaks.get("acme/site", "ci.yml", "refs/heads/main")) is None
    for each in (streak, dataclasses.replace(streak, failing_since=None, number=4)):
        await store.write(lambda tx, each=each: tx.streaks.put(each))  # type: ignore[misc]  # a default binds the loop's value
        found = await store.write(lambda tx: tx.streaks.get("acme/site", "ci.yml", "refs/heads/main"))
        assert found == each
    assert await store.write(lambda tx: tx.streaks.get("acme/site", "ci.yml", "refs/heads/dev")) is None
    assert await store.write(lambda tx: tx.streaks.purge(5.0, 9)) == 0
    assert await store.write(lambda tx: tx.streaks.purge(6.0, 9)) == 1
