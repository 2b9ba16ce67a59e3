"""A new key for all secrets, ended anywhere and done again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.adapters.sealing import FileSealing
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import Project
from pawl.core.model.reporting import DestinationKind, DestinationRecord
from pawl.core.model.secrets import ValueScope
from pawl.engine.control import Control, Keeping, Rules
from pawl.engine.reporting.desk import destination_scope
from pawl.engine.reporting.resealing import reseal_destinations
from pawl.testing.storage import CountedRandomness
from tests.integration.controlling import Server, make_server

SITE = ValueScope(project="acme/site")
COUNT = 230


class Killed(Exception):  # noqa: N818 - it reads as what happened
    """The server was killed here."""


class DyingSealing(FileSealing):
    """Dies when it seals anew for the n-th time."""

    def __init__(self, path: Path, lives: int) -> None:
        super().__init__(path)
        self.lives = lives

    def rotate(self, sealed: str, scope: str) -> str:
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        return super().rotate(sealed, scope)


def restart(server: Server, sealing: FileSealing) -> None:
    before = server.control
    keeping = Keeping(sealing=sealing)
    server.control = Control(
        server.store, before.logs, before.blobs, server.clock, CountedRandomness(), Rules(), keeping=keeping
    )


async def filled(path: Path) -> Server:
    server = make_server()
    sealing = FileSealing(path)
    restart(server, sealing)
    for number in range(COUNT):
        await server.control.secrets.set(SITE, f"KEY_{number:03}", f"value {number}", by="me")
    site = Project(name="acme/site", forge=ForgeKind.GITHUB, clone_url="https://h/s", created_at=1.0)
    sealed = {name: sealing.seal(f"the {name}", f"project:acme/site:{name}") for name in ("hook", "token")}
    await server.store.write(lambda tx: tx.projects.put(replace(site, secrets=sealed)))
    return server


async def opened(server: Server, sealing: FileSealing) -> set[str]:
    """Return the names of the keys that values are under; all of these can be opened."""
    secrets = await server.store.read(lambda tx: tx.secrets.of("acme/site"))
    assert len(secrets) == COUNT
    for number, secret in enumerate(secrets):
        assert sealing.open(secret.sealed, secret.sealed_as) == f"value {number}"
    project = await server.store.read(lambda tx: tx.projects.get("acme/site"))
    assert project is not None
    for name, sealed in project.secrets.items():
        assert sealing.open(sealed, f"project:acme/site:{name}") == f"the {name}"
    return {sealed.split(":")[1] for sealed in (*project.secrets.values(), *(s.sealed for s in secrets))}


async def test_all_is_under_the_new_key_and_the_old_one_opens_nothing_any_more(tmp_path: Path) -> None:
    path = tmp_path / "key"
    server = await filled(path)
    (old,) = path.read_bytes().splitlines(keepends=True)
    assert await server.control.resealing.renew(by="me") == COUNT + 2
    assert len(await opened(server, FileSealing(path))) == 1
    before = tmp_path / "old"
    before.touch(0o600)
    before.write_bytes(old)
    with pytest.raises(InfrastructureError, match="another key"):
        await opened(server, FileSealing(before))
    assert await server.control.resealing.closed() == 0
    restart(server, FileSealing(before))
    assert await server.control.resealing.closed() == COUNT + 2
    actions = [entry.action for entry in await server.control.audit()]
    assert actions[-1] == "secret.rotate_key"


@pytest.mark.parametrize("lives", [0, 1, 99, 100, 150, COUNT - 1, COUNT, COUNT + 1])
async def test_killed_in_the_middle_everything_opens_and_doing_it_again_ends_it(
    tmp_path: Path, lives: int
) -> None:
    path = tmp_path / "key"
    server = await filled(path)
    restart(server, DyingSealing(path, lives))
    with pytest.raises(Killed):
        await server.control.resealing.renew(by="me")
    sealing = FileSealing(path)
    assert await opened(server, sealing)
    restart(server, sealing)
    await server.control.resealing.renew(by="me")
    assert len(await opened(server, FileSealing(path))) == 1


async def test_what_destinations_are_signed_with_goes_along(tmp_path: Path) -> None:
    sealing = FileSealing(tmp_path / "key")
    server = make_server()
    restart(server, sealing)
    server.control.resealing.others.append(reseal_destinations)
    new = DestinationRecord(project="acme/site", kind=DestinationKind.WEBHOOK, target="https://hook.example")
    scope = destination_scope(new.project, new.target)
    sealed = sealing.seal("what it is signed with", scope)
    stored = await server.store.write(lambda tx: tx.destinations.add(replace(new, secret=sealed)))
    await server.store.write(lambda tx: tx.destinations.add(replace(new, target="https://other.example")))
    assert await server.control.resealing.renew(by="me") == 1
    found = await server.store.read(lambda tx: tx.destinations.get(stored.id))
    assert found is not None
    assert found.secret.split(":")[1] != sealed.split(":")[1]
    assert sealing.open(found.secret, scope) == "what it is signed with"


async def test_a_value_that_cannot_be_opened_stops_it_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "key"
    server = await filled(path)
    (secret, *_) = await server.store.read(lambda tx: tx.secrets.of("acme/site"))
    broken = re.sub(r"^v1:\w+", "v1:0123456789abcdef", secret.sealed)
    await server.store.write(lambda tx: tx.secrets.put(replace(secret, sealed=broken)))
    with pytest.raises(InfrastructureError, match="another key"):
        await server.control.resealing.renew(by="me")
    await server.store.write(lambda tx: tx.secrets.put(secret))
    assert await opened(server, FileSealing(path))
