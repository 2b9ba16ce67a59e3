"""The store's contract: secrets, variables and uses, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.core.model.forge import ForgeKind
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.projects import Project
from pawl.core.model.records import AttemptRef
from pawl.core.model.secrets import SecretRecord, SecretUse, ValueScope, VariableRecord
from pawl.ports.store import Store, Transaction
from tests.stores import KINDS, opened, url_of

EVERYBODYS, OWN = ValueScope(), ValueScope(project="acme/site")
LIVE = ValueScope(project="acme/site", environment="live")
OTHER = ValueScope(project="acme/other", environment="live")
SECRET = SecretRecord(
    scope=OWN, name="KEY", sealed="v1:x:y", version=3, updated_at=12.5, updated_by="somebody"
)
VARIABLE = VariableRecord(scope=OWN, name="REGION", value="eu\n☃", updated_at=2.0, updated_by="me")


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: str = request.param
    async with opened(url_of(kind, tmp_path, request), inline=kind == "inline") as made:
        yield made


async def test_a_secret_comes_back_as_it_was_and_is_replaced(store: Store) -> None:
    await store.write(lambda tx: tx.secrets.put(SECRET))
    assert await store.read(lambda tx: tx.secrets.get(OWN, "KEY")) == SECRET
    newer = replace(SECRET, sealed="v1:x:z", version=4, updated_by="else")
    await store.write(lambda tx: tx.secrets.put(newer))
    assert await store.read(lambda tx: tx.secrets.of("acme/site")) == (newer,)
    assert await store.read(lambda tx: tx.secrets.get(LIVE, "KEY")) is None


async def test_a_job_has_what_is_everybodys_its_projects_and_its_environments(store: Store) -> None:
    def put(tx: Transaction) -> None:
        for scope in (LIVE, OTHER, OWN, EVERYBODYS):
            tx.secrets.put(replace(SECRET, scope=scope))
            tx.variables.put(replace(VARIABLE, scope=scope))

    await store.write(put)

    def scopes(tx: Transaction, project: str, environment: str) -> list[ValueScope]:
        found = [secret.scope for secret in tx.secrets.of(project, environment)]
        assert found == [variable.scope for variable in tx.variables.of(project, environment)]
        return found

    assert await store.read(lambda tx: scopes(tx, "acme/site", "live")) == [EVERYBODYS, OWN, LIVE]
    assert await store.read(lambda tx: scopes(tx, "acme/site", "")) == [EVERYBODYS, OWN]
    assert await store.read(lambda tx: scopes(tx, "acme/site", "test")) == [EVERYBODYS, OWN]
    assert await store.read(lambda tx: scopes(tx, "acme/other", "live")) == [EVERYBODYS, OTHER]
    assert await store.read(lambda tx: scopes(tx, "", "live")) == [EVERYBODYS]


async def test_all_secrets_are_read_in_pieces(store: Store) -> None:
    wanted = [(scope, name) for scope in (EVERYBODYS, OTHER, OWN, LIVE) for name in ("A", "B")]

    def put(tx: Transaction) -> None:
        for scope, name in reversed(wanted):
            tx.secrets.put(replace(SECRET, scope=scope, name=name))

    await store.write(put)
    found: list[tuple[ValueScope, str]] = []
    last = (EVERYBODYS, "")
    while True:
        piece = await store.read(lambda tx, last=last: tx.secrets.after(*last, 3))  # type: ignore[misc]  # mypy cannot infer it
        if not piece:
            break
        found += [(secret.scope, secret.name) for secret in piece]
        last = found[-1]
    assert found == wanted


async def test_what_is_removed_is_gone_and_nothing_else(store: Store) -> None:
    def put(tx: Transaction) -> None:
        for scope in (EVERYBODYS, OWN, LIVE, OTHER):
            tx.secrets.put(replace(SECRET, scope=scope))
            tx.variables.put(replace(VARIABLE, scope=scope))

    await store.write(put)
    assert await store.write(lambda tx: tx.secrets.remove(LIVE, "KEY"))
    assert not await store.write(lambda tx: tx.secrets.remove(LIVE, "KEY"))
    assert await store.write(lambda tx: tx.variables.remove(LIVE, "REGION"))
    assert not await store.write(lambda tx: tx.variables.remove(LIVE, "REGION"))
    assert [each.scope for each in await store.read(lambda tx: tx.variables.all())] == [
        EVERYBODYS,
        OTHER,
        OWN,
    ]

    def remove(tx: Transaction) -> None:
        tx.secrets.remove_project("acme/site")
        tx.variables.remove_project("acme/site")

    await store.write(remove)
    left = await store.read(lambda tx: tx.secrets.after(EVERYBODYS, "", 10))
    assert [each.scope for each in left] == [EVERYBODYS, OTHER]
    assert [each.scope for each in await store.read(lambda tx: tx.variables.all())] == [EVERYBODYS, OTHER]


async def test_a_variable_comes_back_as_it_was(store: Store) -> None:
    await store.write(lambda tx: tx.variables.put(VARIABLE))
    assert await store.read(lambda tx: tx.variables.of("acme/site")) == (VARIABLE,)


def _use(run: int, name: str = "KEY", at: float = 1.0, version: int = 1) -> SecretUse:
    return SecretUse(
        attempt=AttemptRef(run=RunId(run), job=JobId("test#1"), attempt=2),
        name=name,
        scope=LIVE,
        version=version,
        used_at=at,
    )


async def test_uses_are_told_by_name_and_by_run_and_each_once(store: Store) -> None:
    uses = [_use(1, at=1.0), _use(2, at=2.0), _use(2, "OTHER", 2.0)]
    await store.write(lambda tx: tx.secret_uses.add(uses))
    await store.write(lambda tx: tx.secret_uses.add([replace(uses[0], used_at=9.0)]))
    assert await store.read(lambda tx: tx.secret_uses.of_name("KEY", 10)) == (uses[1], uses[0])
    assert await store.read(lambda tx: tx.secret_uses.of_name("KEY", 1)) == (uses[1],)
    assert await store.read(lambda tx: tx.secret_uses.of_run(RunId(2))) == (uses[1], uses[2])
    assert await store.read(lambda tx: tx.secret_uses.last()) == {(LIVE, "KEY"): 2.0, (LIVE, "OTHER"): 2.0}
    assert await store.write(lambda tx: tx.secret_uses.purge(2.0)) == 1
    assert await store.read(lambda tx: tx.secret_uses.of_name("KEY", 10)) == (uses[1],)


async def test_whether_a_project_shares_its_token_is_kept(store: Store) -> None:
    site = Project(name="acme/site", forge=ForgeKind.GITLAB, clone_url="https://g/a.git", created_at=1.0)
    await store.write(lambda tx: tx.projects.put(replace(site, share_token=True)))
    found = await store.read(lambda tx: tx.projects.get("acme/site"))
    assert found is not None
    assert found.share_token
