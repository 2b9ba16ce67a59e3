"""Statuses and notices on a server over HTTP: its loops send them, its routes show what came of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.forge_generic import GenericForge
from pawl.core.model.errors import Denied
from pawl.core.model.events import Event
from pawl.core.model.forge import Received
from pawl.engine.control import Trigger
from pawl.ports.outgoing import Answered
from pawl.testing.sealing import OpenSealing
from tests.integration.serving import Serving, serving, until
from tests.integration.world import API, SHA, TOKEN

NAME = "acme/site"
HOOK = {"kind": "webhook", "target": "https://hooks.example/x", "project": NAME}
ONE = "name: CI\non: push\njobs: {build: {runs-on: self-hosted, steps: [{run: make}]}}\n"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as made:
        waking, reporting = made.services.waking, made.services.reporting
        loops = [
            asyncio.create_task(reporting.send_statuses(waking)),
            asyncio.create_task(reporting.send_notices(waking)),
            asyncio.create_task(reporting.tidy()),
        ]
        wanted = {"forge": "gitea", "api_url": API, "clone_url": "https://git.example/acme/site.git"}
        body = {"name": NAME, **wanted, "secrets": {"token": TOKEN}}
        assert (await made.ask("POST", "/api/projects", json=body)).status == 201
        yield made
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop


async def run(server: Serving) -> int:
    """Have a run from the forge begin and end."""
    event = Event(name="push", provider="gitea", repository=NAME, sha=SHA)
    made = await server.services.control.runs.trigger(Trigger(path="ci.yml", text=ONE, event=event))
    await server.services.control.runs.cancel(made.id, by="ann")
    return made.id


async def test_a_status_is_sent_at_once_and_shown(server: Serving) -> None:
    number = await run(server)
    await until(lambda: server.world.statuses.get((SHA, "pawl/CI"), {}).get("state") == "error")
    assert server.world.statuses[SHA, "pawl/CI"]["target_url"] == f"https://ci.test/runs/{number}"

    async def shown() -> dict[str, Any]:
        answer = await server.ask("GET", f"/api/statuses?project={NAME}&sha={SHA}", by="read")
        (status,) = answer.json["statuses"]
        return dict(status)

    async with asyncio.timeout(60):
        while not (await shown())["sent"]:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
    told = await shown()
    assert (told["state"], told["run"], told["given_up"], told["reason"]) == ("cancelled", number, False, "")
    metrics = (await server.ask("GET", "/metrics", by="read")).body.decode()
    assert 'ci_status_posts_total{result="sent"}' in metrics


async def test_a_webhook_is_signed_sent_logged_and_sent_again(server: Serving) -> None:
    made = await server.ask("POST", "/api/destinations", json={**HOOK, "told": "always"})
    assert made.status == 201
    secret, number = made.json["secret"], made.json["id"]
    run_id = await run(server)
    await until(lambda: server.world.hooks)
    (sent,) = server.world.hooks
    received = Received(headers={name.lower(): value for name, value in sent.headers.items()}, body=sent.body)
    GenericForge().verify(received, secret, server.services.clock.now())
    with pytest.raises(Denied):
        GenericForge().verify(received, secret + "x", server.services.clock.now())
    body = json.loads(sent.body)
    assert (body["topic"], body["run"]["id"], body["run"]["conclusion"]) == (
        "run.completed",
        run_id,
        "cancelled",
    )
    assert sent.headers["X-CI-Delivery"] == body["id"] == f"run.completed.{run_id}.1.{number}"

    async def log() -> list[dict[str, Any]]:
        return list((await server.ask("GET", f"/api/notices?destination={number}")).json["notices"])

    async with asyncio.timeout(60):
        while (await log())[0]["state"] != "done":  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
    (first,) = await log()
    assert [reply["status"] for reply in first["replies"]] == [204]
    again = await server.ask("POST", f"/api/notices/{first['id']}/again")
    assert (again.status, again.json["again"]) == (201, first["id"])
    await until(lambda: len(server.world.hooks) == 2)
    assert server.world.hooks[1].headers["X-CI-Delivery"] == body["id"]
    one = await server.ask("GET", f"/api/notices/{first['id']}")
    assert one.json["body"].encode() == sent.body


async def test_a_destination_is_tried_and_shown_without_its_secret(server: Serving) -> None:
    made = await server.ask("POST", "/api/destinations", json={**HOOK, "secret": "sixteen or more of them"})
    number = made.json["id"]
    server.world.hook = lambda _: Answered(status=500, body=b"broken\n\x1b[31m" + b"x" * 2000)
    tried = await server.ask("POST", f"/api/destinations/{number}/test")
    assert tried.status == 201

    async def reply() -> list[dict[str, Any]]:
        return list((await server.ask("GET", f"/api/notices/{tried.json['id']}")).json["replies"])

    async with asyncio.timeout(60):
        while not await reply():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
    (told,) = await reply()
    assert told["status"] == 500
    assert told["text"].startswith("broken [31mx")
    assert len(told["text"]) <= 500
    listed = await server.ask("GET", f"/api/destinations?project={NAME}")
    assert "sixteen" not in listed.body.decode()
    assert OpenSealing().seal("x", "y")[:6] not in listed.body.decode()
    assert [each["id"] for each in listed.json["destinations"]] == [number]
    assert (await server.ask("POST", f"/api/destinations/{number}/enable")).json["active"] is True
    assert (await server.ask("DELETE", f"/api/destinations/{number}")).status == 200
    assert (await server.ask("DELETE", f"/api/destinations/{number}")).status == 404
    assert (await server.ask("GET", f"/api/notices/{tried.json['id']}")).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**HOOK, "kind": "pigeon"},
        {**HOOK, "topics": ["ping"]},
        {**HOOK, "topics": ["nothing"]},
        {**HOOK, "told": "never"},
        {**HOOK, "secret": "short"},
        {**HOOK, "target": "ftp://hooks.example"},
        {**HOOK, "target": "https://user:secret@hooks.example"},
        {**HOOK, "target": "https://hooks.example/ä"},
        {**HOOK, "target": "https://[::1"},
        {**HOOK, "more": 1},
        {"kind": "mail", "target": "nobody"},
        {"kind": "mail", "target": "a@b.example\r\nBcc: c@d.example"},
        {"kind": "mail", "target": "a@b.example", "topics": ["worker.lost"]},
        {"kind": "mail", "target": "a@b.example", "secret": "sixteen or more of them"},
        {"kind": "mail", "target": ",".join(f"a{n}@b.example" for n in range(21))},
    ],
)
async def test_what_cannot_be_told_is_refused(server: Serving, body: dict[str, Any]) -> None:
    answer = await server.ask("POST", "/api/destinations", json=body)
    assert (answer.status, bool(answer.json["detail"])) == (400, True)


async def test_only_administrators_say_where_notices_go(server: Serving) -> None:
    for method, path in (
        ("GET", "/api/destinations"),
        ("POST", "/api/destinations"),
        ("DELETE", "/api/destinations/1"),
        ("GET", "/api/notices"),
    ):
        assert (await server.ask(method, path, by="user")).status == 403
    unknown = {**HOOK, "project": "acme/none"}
    assert (await server.ask("POST", "/api/destinations", json=unknown)).status == 404
    assert (await server.ask("POST", "/api/destinations/9/test")).status == 404
    assert (await server.ask("POST", "/api/notices/9/again")).status == 404


async def test_a_project_that_is_removed_tells_nobody_when_it_comes_back(server: Serving) -> None:
    for body in (HOOK, {**HOOK, "project": ""}):
        assert (await server.ask("POST", "/api/destinations", json=body)).status == 201
    assert (await server.ask("DELETE", f"/api/projects/{NAME}")).status == 200
    left = (await server.ask("GET", "/api/destinations")).json["destinations"]
    assert [each["project"] for each in left] == [""]
