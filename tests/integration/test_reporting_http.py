"""Statuses and webhooks over HTTP, to hosts that are down, slow, at their limit, or talk nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.http_out import Allowed, HttpSender, SenderLimits
from pawl.core.model.forge import ForgeKind
from pawl.core.model.reporting import DestinationKind, NoticeState
from pawl.engine.reporting import NewDestination
from tests.forge_server import Asked, ForgeServer, Told, forge_server
from tests.integration.telling import NAME, Telling, telling

LIMITS = SenderLimits(total=0.5, connect=0.5, answer=4096)


@pytest.fixture
async def forge() -> AsyncIterator[ForgeServer]:
    async with forge_server() as made:
        yield made


@pytest.fixture
async def server(tmp_path: Path, forge: ForgeServer) -> AsyncIterator[Telling]:
    sender = HttpSender(Allowed.of(["127.0.0.1"]), limits=LIMITS)
    async with telling(f"sqlite:///{tmp_path}/pawl.db") as made:
        forges = {ForgeKind.GITEA: GiteaForge(sender, made.clock)}
        desk = replace(made.desk, sender=sender, forges=forges)
        reached = Telling(made.control, made.store, made.clock, made.outside, desk)
        await reached.project(api_url=f"{forge.url}/api/v1")
        try:
            yield reached
        finally:
            await sender.aclose()


async def _never(_: Asked) -> Told:
    await asyncio.sleep(3600)
    return Told()


FAULTS: list[tuple[Callable[[Asked], Told | Awaitable[Told]], str, float]] = [
    (_never, "did not answer in time", 5.0),
    (lambda _: Told(429, {"message": "slow down"}, {"Retry-After": "77"}), "429: slow down", 77.0),
    (lambda _: Told(502, b"<html>bad gateway"), "502", 5.0),
    (lambda _: Told(200, b"x" * 100_000), "more than 4096 bytes", 5.0),
]


@pytest.mark.parametrize(("answers", "said", "delay"), FAULTS)
async def test_a_forge_in_trouble_is_asked_again_and_ends_with_the_last_state(
    server: Telling,
    forge: ForgeServer,
    answers: Callable[[Asked], Told | Awaitable[Told]],
    said: str,
    delay: float,
) -> None:
    forge.answers = answers
    await server.trigger()
    await server.statuses.work()
    status = await server.status()
    assert said in status.reason
    assert status.next_at - server.clock.now() == pytest.approx(delay)
    hand = await server.worker()
    await hand.run_all()
    forge.answers = lambda _: Told(201)
    server.clock.advance(delay + 1)
    assert await server.statuses.work() == 1
    assert forge.last.json()["state"] == "success"


async def test_a_forge_that_is_down_holds_up_no_run(server: Telling) -> None:
    await server.project(api_url="http://127.0.0.1:9/api/v1")
    run = await server.trigger()
    await server.statuses.work()
    assert "cannot be called" in (await server.status()).reason
    hand = await server.worker()
    assert await hand.run_all() == ["build"]
    assert (await server.control.runs.get(run.id)).conclusion == "success"


@pytest.mark.parametrize(("status", "hint"), [(401, "token"), (403, "right"), (404, "name"), (302, "API")])
async def test_a_forge_that_refuses_is_not_asked_again_and_the_reason_says_what_to_mend(
    server: Telling, forge: ForgeServer, status: int, hint: str
) -> None:
    forge.answers = lambda _: Told(status, {"message": "no"})
    await server.trigger()
    await server.statuses.work()
    found = await server.status()
    assert (found.waiting, str(status) in found.reason, hint in found.reason) == (False, True, True)
    assert "the token of the project" not in found.reason


async def test_a_webhook_goes_where_it_may_and_follows_nobody(server: Telling, forge: ForgeServer) -> None:
    for target in (f"{forge.url}/hook", "http://10.1.2.3/hook", "https://169.254.169.254/latest"):
        await server.destinations.create(
            NewDestination(project=NAME, kind=DestinationKind.WEBHOOK, target=target), by="ann"
        )
    forge.answers = lambda asked: Told(302, b"", {"Location": "http://127.0.0.1:9/"})
    for number in (1, 2, 3):
        await server.destinations.ping(number, by="ann")
    await server.notices.work()
    third, second, first = await server.notices.recent()
    assert (first.state, first.reason) == (NoticeState.WAITING, "the answer was 302")
    for inside in (second, third):
        assert (inside.state, "may not be called" in inside.reason) == (NoticeState.FAILED, True)
    assert [asked.path for asked in forge.asked] == ["/hook"]
