"""Where a job of a forge's run is told to have its files from, and what the server gives where it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.git.mirror import Access, GitMirrors
from pawl.adapters.git.pack import PackedSource
from pawl.core.model.clones import Clone
from pawl.core.model.errors import NotFound, StaleLease, Unavailable
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, ForgeToken
from pawl.core.model.work import Lease
from pawl.engine.control import Clones, JobTokens, Keeping, Origins
from pawl.engine.control.tripwire import ATTENTION
from pawl.ports.forge import Forge
from pawl.testing.sealing import OpenSealing
from tests.git_server import Mode, git_server
from tests.integration.controlling import Hand, Server, make_server
from tests.integration.test_control_secrets import OneForge, add_site, log_of, report, restart

URL = "https://git.example/acme/site.git"
SHA = "1" * 40
PUSH = Event(name="push", repository="acme/site", sha=SHA)
FORK = replace(PUSH, name="pull_request", action="opened", from_fork=True)
FILES = "on: [push, pull_request]\njobs: {a: {runs-on: linux, steps: [{uses: actions/checkout@v4}]}}\n"
NO_FILES = "on: push\njobs: {a: {runs-on: linux, steps: [{run: ls}]}}\n"
APPS = ForgeToken(user="x", secret="ghs_of_the_app")


async def server_with(
    tmp_path: Path, *names: str, forge: OneForge | None = None, clone_url: str = URL, **project: Any
) -> Server:
    """Return a server with a project that has the secrets named."""
    server, sealing = make_server(), OpenSealing()
    made: Any = {ForgeKind.GITHUB: forge or OneForge(None)}
    forges: Mapping[ForgeKind, Forge] = made
    tokens = JobTokens(forges, sealing, server.clock)
    mirrors = GitMirrors(tmp_path / "mirrors", access=Access(protocols=("http",)))
    clones = Clones(tokens, Origins(forges, sealing, server.clock), sealing, mirrors)
    restart(server, Keeping(sealing=sealing, job_tokens=tokens, clones=clones))
    secrets = {name: sealing.seal(f"the-{name}-of-acme", f"project:acme/site:{name}") for name in names}
    await add_site(server, secrets=secrets, clone_url=clone_url, user="bot", **project)
    return server


async def begun(server: Server, text: str = FILES, event: Event = PUSH) -> tuple[Hand, Lease, Clone | None]:
    await server.trigger(text, event=event)
    hand = await server.worker()
    lease = await hand.take_one()
    return hand, lease, (await hand.begin(lease)).clone


@pytest.mark.parametrize(
    ("secrets", "project", "event", "expected"),
    [
        ((), {}, PUSH, Clone(url=URL)),
        ((), {}, FORK, Clone(url=URL)),
        (("token",), {}, PUSH, Clone(url=URL, user="bot", secret="the-token-of-acme")),
        (("token",), {}, FORK, Clone()),
        (
            ("token",),
            {"share_token": True},
            PUSH,
            Clone(url=URL, user="bot", secret="the-token-of-acme", shared=True),
        ),
        (("token",), {"share_token": True}, FORK, Clone()),
        (
            ("token", "app_key"),
            {"app_id": "7"},
            FORK,
            Clone(url=URL, user="x-access-token", secret="ghs_of_the_app", shared=True),
        ),
        (("token",), {"clone_url": "ssh://git@git.example/acme/site.git"}, PUSH, Clone()),
    ],
)
async def test_who_is_told_what_to_fetch_with(
    tmp_path: Path, secrets: tuple[str, ...], project: dict[str, Any], event: Event, expected: Clone
) -> None:
    forge = OneForge(APPS)
    server = await server_with(tmp_path, *secrets, forge=forge, **project)
    assert (await begun(server, event=event))[2] == expected
    assert [permissions for _, permissions in forge.asked] == [{"contents": "read"}] * len(forge.asked)


async def test_a_job_that_wants_no_files_is_told_nothing_and_no_token_is_made(tmp_path: Path) -> None:
    forge = OneForge(APPS)
    server = await server_with(tmp_path, "app_key", forge=forge, app_id="7")
    assert (await begun(server, NO_FILES))[2] is None
    assert forge.asked == []


async def test_a_forge_that_makes_no_token_is_asked_again_and_then_the_server_has_the_files(
    tmp_path: Path,
) -> None:
    forge = OneForge(Unavailable("it is away", retry_after=1))
    server = await server_with(tmp_path, "app_key", forge=forge, app_id="7")
    await server.trigger(FILES, event=PUSH)
    hand = await server.worker()
    lease = await hand.take_one()
    with pytest.raises(Unavailable, match="it is away"):
        await hand.begin(lease)
    server.clock.advance(61)
    assert (await hand.begin(lease)).clone == Clone()


async def test_a_token_to_fetch_with_that_a_worker_sends_is_withheld(tmp_path: Path) -> None:
    server = await server_with(tmp_path, "token")
    hand, lease, _ = await begun(server)
    await server.control.workers.report(hand.id, lease, report(b"it is the-token-of-acme\n"))
    assert b"the-token-of-acme" not in await log_of(server, lease)
    run = await server.store.read(lambda tx: tx.runs.get(lease.ref.run))
    assert run is not None
    assert run.needs_attention == ATTENTION


async def test_a_run_with_files_of_its_own_has_them_only_where_a_job_wants_them(tmp_path: Path) -> None:
    server = await server_with(tmp_path)

    async def files() -> AsyncIterator[bytes]:
        yield b"packed"

    source = (await server.control.artifacts.put_source(files())).digest
    for text, expected in ((FILES, source), (NO_FILES, None)):
        await server.trigger(text, event=PUSH, source=source)
        hand = await server.worker()
        (work,) = await hand.take(1)
        assert work.source == expected
        assert (await hand.begin(work.lease)).clone is None


async def test_an_apps_server_fetches_with_the_apps_token_as_long_as_that_lasts(tmp_path: Path) -> None:
    with git_server(tmp_path / "host") as host:
        repository = host.repository("acme/site")
        sha = repository.commit({"README.md": "1"})
        host.user, host.secret = "x", APPS.secret
        forge = OneForge(None)
        server = await server_with(
            tmp_path, "token", "app_key", forge=forge, clone_url=repository.url, app_id="7"
        )
        forge.answer = replace(APPS, expires_at=server.clock.now() + 3600)
        hand, lease, _ = await begun(server, event=replace(PUSH, sha=sha))
        forge.asked.clear()
        for asked, later in ((1, 2000), (1, 1000), (2, 0)):
            assert [block async for block in await server.control.artifacts.source(hand.id, lease)] != []
            assert [permissions for _, permissions in forge.asked] == [{"contents": "read"}] * asked
            server.clock.advance(later)


async def test_the_server_gives_the_commit_from_its_mirror_or_says_why_not(tmp_path: Path) -> None:
    with git_server(tmp_path / "host") as host:
        repository = host.repository("acme/site")
        sha = repository.commit({"README.md": "1"})
        host.user, host.secret = "bot", "the-token-of-acme"
        server = await server_with(tmp_path, "token", clone_url=repository.url)
        hand, lease, _ = await begun(server, event=replace(PUSH, sha=sha))
        source = server.control.artifacts.source
        packed = b"".join([block async for block in await source(hand.id, lease)])
        (tmp_path / "packed").write_bytes(packed)
        (tmp_path / "work").mkdir()
        assert await PackedSource(tmp_path / "packed").copy_to(tmp_path / "work") == 1
        with pytest.raises(StaleLease):
            await source(hand.id, replace(lease, epoch=lease.epoch + 1))  # type: ignore[arg-type]  # another's
        hand, lease, _ = await begun(server, event=PUSH)
        with pytest.raises(NotFound, match=f"no commit {SHA}"):
            await source(hand.id, lease)
        host.mode = Mode.ERROR
        with pytest.raises(NotFound, match="cannot be fetched"):
            await source(hand.id, lease)
