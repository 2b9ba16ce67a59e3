"""Webhooks, projects and deliveries over HTTP: what is answered to whom, and what is kept."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.forge import Received
from pawl.server.handlers.webhooks import MAX_HEADER, MAX_HEADERS
from pawl.server.routes import Body
from tests.git_server import GitServer, Mode, Repository
from tests.integration.intaking import NAME, ON_PUSH, SECRET, ZEROS, github, hosted
from tests.integration.serving import Answer, Serving, serving

HOOK = f"/webhooks/github/{NAME}"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, Repository]]:
    with hosted(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture
async def server(tmp_path: Path, host: tuple[GitServer, Repository]) -> AsyncIterator[Serving]:
    host[0].mode = Mode.WELL
    async with serving(tmp_path) as made:
        yield made


def pushed(sha: str, key: str = "d-1", secret: str = SECRET, name: str = NAME) -> Received:
    body: dict[str, Any] = {
        "ref": "refs/heads/main",
        "before": ZEROS,
        "after": sha,
        "repository": {"full_name": name, "default_branch": "main"},
        "sender": {"login": "ann"},
    }
    return github("push", body, key, secret)


async def send(
    server: Serving, received: Received, path: str = HOOK, headers: Mapping[str, str] | None = None
) -> Answer:
    merged = {**received.headers, **(headers or {})}
    return await server.ask("POST", path, by=None, data=received.body, headers=merged)


async def add_project(server: Serving, repository: Repository, **more: Any) -> Answer:
    body = {"name": NAME, "forge": "github", "clone_url": repository.url, "secrets": {"hook": SECRET}, **more}
    return await server.ask("POST", "/api/projects", json=body)


def head(repository: Repository) -> str:
    return repository.git("rev-parse", "HEAD")


async def test_a_webhook_is_accepted_once_and_told_again_after(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    first = await send(server, pushed(head(host[1])))
    assert (first.status, first.json) == (202, {"delivery": 1, "duplicate": False, "ignored": ""})
    again = await send(server, pushed(head(host[1])), "/webhooks/github")
    assert (again.status, again.json) == (200, {"delivery": 1, "duplicate": True, "ignored": ""})
    ping = github("ping", {"zen": "x", "repository": {"full_name": NAME}}, "d-2")
    told = await send(server, ping)
    assert (told.status, told.json["ignored"]) == (200, "ping")
    assert (await send(server, pushed("a" * 40, secret="another secret of sixteen"))).status == 401
    metrics = (await server.ask("GET", "/metrics")).body.decode()
    for result in ("accepted", "duplicate", "ignored", "refused"):
        assert f'ci_webhooks_total{{forge="github",result="{result}"}} 1.0' in metrics
    assert 'ci_deliveries{state="stored"} 1.0' in metrics


async def test_the_answer_does_not_wait_for_git_and_the_run_comes_when_git_answers(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    working = asyncio.create_task(server.services.intake.work(server.services.waking))
    host[0].release.clear()
    host[0].mode = Mode.SILENT
    assert (await send(server, pushed(head(host[1])))).status == 202
    assert await asyncio.to_thread(host[0].held.acquire, timeout=30), "git was not asked"
    delivery = (await server.ask("GET", "/api/deliveries/1", by="user")).json
    assert (delivery["state"], json.loads(delivery["body"])["ref"]) == ("stored", "refs/heads/main")
    host[0].mode = Mode.WELL
    host[0].release.set()
    async with asyncio.timeout(60):
        while (delivery := (await server.ask("GET", "/api/deliveries/1")).json)["state"] == "stored":  # noqa: ASYNC110 - nobody tells a client
            await asyncio.sleep(0.02)
    working.cancel()
    (verdict,) = delivery["verdicts"]
    run = (await server.ask("GET", f"/api/runs/{verdict['run']}")).json
    assert (run["event"], run["sha"], run["actor"]) == ("push", head(host[1]), "ann")
    assert delivery["correlation"] == run["correlation"]


async def test_a_project_whose_host_is_silent_delays_no_other(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    other = host[0].repository("octo/other")
    sha = other.commit({".github/workflows/ci.yml": ON_PUSH})
    await add_project(server, host[1])
    await add_project(server, other, name="octo/other")
    working = asyncio.create_task(server.services.intake.work(server.services.waking))
    host[0].release.clear()
    host[0].mode = Mode.SILENT
    assert (await send(server, pushed(head(host[1])))).status == 202
    assert await asyncio.to_thread(host[0].held.acquire, timeout=30), "git was not asked"
    host[0].mode = Mode.WELL  # for those who come now; the one that is held stays so
    received = pushed(sha, "d-2", name="octo/other")
    assert (await send(server, received, "/webhooks/github/octo/other")).status == 202
    await until_run(server, "octo/other")
    assert (await server.ask("GET", "/api/deliveries/1")).json["state"] == "stored"
    host[0].release.set()
    await until_run(server, NAME)
    working.cancel()


async def until_run(server: Serving, repository: str) -> None:
    """Wait until a repository has a run."""
    async with asyncio.timeout(60):
        while not (await server.ask("GET", f"/api/runs?repository={repository}")).json["runs"]:  # noqa: ASYNC110 - nobody tells a client
            await asyncio.sleep(0.02)


async def test_whoever_cannot_sign_learns_nothing_and_changes_nothing(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    good = pushed("a" * 40)
    answers = [
        await send(server, pushed("a" * 40, secret="another secret of sixteen")),
        await send(server, good, headers={"x-hub-signature-256": "sha256=" + "0" * 64}),
        await send(server, good, headers={"x-hub-signature-256": "sha1=00"}),
        await send(server, good, "/webhooks/github/octo/none"),
        await send(server, pushed("a" * 40, name="octo/none"), "/webhooks/github"),
        await send(server, Received(headers=good.headers, body=good.body[:-9]), HOOK),
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    token = await server.ask(
        "POST", HOOK, by="admin", data=good.body, headers={"content-type": "application/json"}
    )
    assert token.status == 401, "a token is no signature"
    assert (await server.ask("GET", "/api/deliveries")).json["deliveries"] == []


async def test_what_cannot_be_read_is_refused_with_its_reason(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    good = pushed("a" * 40)

    async def status(received: Received = good, path: str = HOOK, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await send(server, received, path, named)).status

    assert await status(path="/webhooks/sourceforge") == 404
    assert (await server.ask("GET", HOOK, by=None)).status == 405
    assert await status(content_type="text/xml") == 415
    assert await status(content_encoding="gzip") == 415
    assert await status(Received(headers=good.headers, body=b"{"), "/webhooks/github") == 400
    assert await status(Received(headers=good.headers, body=b"[" * 5000), "/webhooks/github") == 400
    assert await status(x_long="x" * (MAX_HEADER + 1)) in {400, 413, 431}
    assert await status(**{f"x_{number}": "1" for number in range(MAX_HEADERS)}) in {400, 413, 431}
    wrong_event = github(
        "push", {"ref": "../up", "after": "--upload-pack", "repository": {"full_name": NAME}}
    )
    assert await status(wrong_event) == 400
    other = github("push", {"repository": {"full_name": "octo/other"}}, "d-9")
    assert await status(other) == 400
    assert (await server.ask("GET", "/api/deliveries")).json["deliveries"] == []


async def test_a_header_that_decides_may_not_come_twice(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    good = pushed("a" * 40)
    twice = [*good.headers.items(), ("x-hub-signature-256", "sha256=" + "0" * 64)]
    async with server.session.post(server.url + HOOK, data=good.body, headers=twice) as answer:
        assert answer.status == 400


async def test_too_large_a_body_is_refused_before_it_is_read(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    headers = pushed("a" * 40).headers
    large = io.BytesIO(b"x" * (Body.WEBHOOK.value + 1))
    announced = await server.ask("POST", HOOK, by=None, data=large, headers=headers)
    assert announced.status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * (1 << 20)

    streamed = await server.ask("POST", HOOK, by=None, data=endless(), headers=headers)
    assert streamed.status == 413


async def test_projects_are_kept_and_their_secrets_never_shown(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    made = await add_project(server, host[1], secrets={"token": "glpat-0123456789abcdef"}, poll_seconds=60)
    assert made.status == 201
    hook = made.json["hook_secret"]
    assert len(hook) == 64
    assert (await add_project(server, host[1])).status == 409
    listed = await server.ask("GET", "/api/projects")
    (project,) = listed.json["projects"]
    assert (project["secrets"], project["webhook"]) == (["hook", "token"], HOOK)
    changed = await server.ask(
        "PATCH",
        f"/api/projects/{NAME}",
        json={"active": False, "secrets": {"token": ""}, "default_branch": "trunk"},
    )
    assert (changed.json["active"], changed.json["secrets"], changed.json["default_branch"]) == (
        False,
        ["hook"],
        "trunk",
    )
    assert (changed.json["poll_seconds"], changed.json["clone_url"]) == (60.0, host[1].url)
    shown = await server.ask("GET", f"/api/projects/{NAME}")
    audit = await server.ask("GET", "/api/audit")
    for answer in (listed, changed, shown, audit):
        assert hook.encode() not in answer.body
        assert b"glpat" not in answer.body
    assert [entry["action"] for entry in audit.json["audit"]][-2:] == ["project.create", "project.change"]
    assert (await server.ask("DELETE", f"/api/projects/{NAME}")).status == 200
    assert (await server.ask("GET", f"/api/projects/{NAME}")).status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "site"},
        {"name": "../../etc"},
        {"forge": "svn"},
        {"clone_url": "https://user:password@git.example/a.git"},
        {"clone_url": "--upload-pack=id"},
        {"clone_url": "ext::sh -c id"},
        {"default_branch": "-x"},
        {"secrets": {"hook": "short"}},
        {"secrets": {"other": "0123456789abcdef"}},
        {"poll_seconds": 1},
        {"forks": "sometimes"},
        {"active": "yes"},
        {"colour": "red"},
    ],
    ids=str,
)
async def test_a_project_that_cannot_be_is_refused(
    server: Serving, host: tuple[GitServer, Repository], wrong: dict[str, Any]
) -> None:
    answer = await add_project(server, host[1], **wrong)
    assert (answer.status, answer.json["type"]) == (400, "/problems/usage")
    assert (await server.ask("GET", "/api/projects")).json["projects"] == []


async def test_deliveries_are_listed_in_pages_and_replayed(
    server: Serving, host: tuple[GitServer, Repository]
) -> None:
    await add_project(server, host[1])
    for number in range(3):
        await send(server, pushed(head(host[1]), f"d-{number}"))
    page = (await server.ask("GET", "/api/deliveries?limit=2", by="read")).json
    assert ([each["id"] for each in page["deliveries"]], page["next"]) == ([3, 2], 2)
    rest = (await server.ask("GET", f"/api/deliveries?before={page['next']}&project={NAME}", by="read")).json
    assert ([each["id"] for each in rest["deliveries"]], rest["next"]) == ([1], None)
    replayed = await server.ask("POST", "/api/deliveries/1/replay", by="user")
    assert (replayed.status, replayed.json["replay_of"], replayed.json["id"]) == (201, 1, 4)
    assert (await server.ask("POST", "/api/deliveries/99/replay", by="user")).status == 404
    shown = (await server.ask("GET", "/api/deliveries/4", by="user")).json
    assert set(shown["headers"]) == {"content-type", "x-github-event", "x-github-delivery"}
