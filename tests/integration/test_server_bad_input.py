"""What callers get wrong is told clearly, changes nothing, and is no traceback in the log."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pawl.core.model.errors import OffsetConflict
from pawl.core.model.json_body import MAX_DEPTH
from pawl.server.routes import Body
from pawl.wire import WORKER_HEADER, WireLimits
from tests.integration.serving import PATIENCE, Serving, serving
from tests.reporting import append_log

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    async with serving(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_traceback(caplog: pytest.LogCaptureFixture) -> Any:
    """A refusal that is expected has no traceback."""
    logging.getLogger("pawl").propagate = True
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.exc_info] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"path": NaN}',
        b'{"path": 1}',
        b'{"path": "x"}',
        b'{"path": "x", "workflow": "on: push", "nonsense": 1}',
        b'{"path": "x", "workflow": "on: push", "sha": "main"}',
        b'{"path": "x", "workflow": "on: push", "inputs": []}',
        b'{"path": "x", "workflow": "on: push", "priority": 1e9}',
        b'{"path": "x.yml", "workflow": "jobs: ["}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"payload": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b"1" * 10_000,
    ],
)
async def test_a_body_that_is_wrong_is_a_problem(server: Serving, body: bytes) -> None:
    before = (await server.ask("GET", "/api/runs")).json["runs"]
    answer = await server.ask("POST", "/api/runs", data=body)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= set(answer.json)
    assert (await server.ask("GET", "/api/runs")).json["runs"] == before


async def test_nobody_takes_the_request_id_of_a_run_that_a_delivery_is_to_have(server: Serving) -> None:
    taken = "delivery:a/b:schedule:0:abc:0:schedule:x.yml"
    workflow = "on: workflow_dispatch\njobs: {a: {runs-on: linux, steps: [{run: make}]}}\n"
    body = {"path": "x.yml", "workflow": workflow, "request_id": taken}
    answer = await server.ask("POST", "/api/runs", by="user", json=body)
    assert (answer.status, "`delivery:`" in answer.json["detail"]) == (400, True)
    mine = {**body, "request_id": "mine"}
    assert (await server.ask("POST", "/api/runs", by="user", json=mine)).status == 201


async def test_brackets_inside_texts_do_not_count_as_depth(server: Serving) -> None:
    body = json.dumps({"path": "x.yml", "workflow": '[{"' * 500})
    answer = await server.ask("POST", "/api/runs", data=body)
    assert "inside each other" not in answer.json["detail"]


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Serving) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(Body.SMALL.value // 4096 + 16):
            yield b" " * 4096

    announced = await server.ask("POST", "/api/tokens", data=b" " * (Body.SMALL.value + 1))
    assert announced.status == 413
    chunked = await server.ask("POST", "/api/tokens", data=endless())
    assert chunked.status == 413
    assert (await server.ask("GET", "/api/runs", data=b"x")).status == 413


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_parameter_that_is_there_twice_is_refused(server: Serving, method: str) -> None:
    answer = await server.ask(method, "/api/runs?limit=1&ref=a&limit=1")
    assert answer.status == 400
    assert method == "HEAD" or "`limit`" in answer.json["detail"]


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("identity, br", 415), ("identity", 400)])
async def test_a_body_that_is_encoded_is_refused(server: Serving, encoding: str, status: int) -> None:
    answer = await server.ask("POST", "/api/runs", data=b"{}", headers={"Content-Encoding": encoding})
    assert answer.status == status


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/999",
        "/api/runs/0",
        "/api/runs/x",
        "/api/runs/-1",
        "/api/runs/" + "9" * 400,
        "/api/runs/999/events",
        "/api/runs/999/logs",
        "/api/runs/999/attempts",
        "/api/runs/999/artifacts",
        "/api/runs/999/artifacts/a/b",
        "/api/runs/999/artifacts/a/%2e%2e%2fx",
        "/api/runs/999/log/build/1/0",
        "/api/runs/999/log/..%2f..%2fetc/1/0",
        "/api/runs/",
        "/nothing",
        "/",
    ],
)
async def test_what_is_not_there_is_not_found(server: Serving, path: str) -> None:
    answer = await server.ask("GET", path)
    assert (answer.status, answer.json["type"]) == (404, "/problems/not-found")


async def test_a_method_that_is_none_of_a_path_names_those_that_are(server: Serving) -> None:
    answer = await server.ask("DELETE", "/api/runs")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:1", 200),
        ("CI.test:443", 200),
        ("evil.test", 400),
        ("", 400),
    ],
)
async def test_a_name_that_is_not_the_servers_is_refused(server: Serving, host: str, status: int) -> None:
    answer = await server.ask("GET", "/health", by=None, headers={"Host": host})
    assert answer.status == status


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=99999", "before=-1", "status=broken", "conclusion=nothing"],
)
async def test_a_query_that_is_wrong_is_told(server: Serving, query: str) -> None:
    answer = await server.ask("GET", f"/api/runs?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["detail"]


async def test_a_gap_in_a_log_is_a_conflict_that_tells_the_size(server: Serving) -> None:
    link, lease = await server.begun()
    assert await append_log(link, lease, 0, "data", 0, b"one\n") == 4
    assert await append_log(link, lease, 0, "data", 0, b"one\n") == 4
    with pytest.raises(OffsetConflict) as gap:
        await append_log(link, lease, 0, "data", 9, b"two\n")
    assert gap.value.size == 4
    with pytest.raises(OffsetConflict) as differs:
        await append_log(link, lease, 0, "data", 0, b"two\n")
    assert differs.value.size == 4
    run = lease.ref.run
    more = await server.ask(
        "POST",
        "/worker/v1/report",
        by="worker",
        data=io.BytesIO(b"x" * (WireLimits().report + 1)),
        headers={WORKER_HEADER: "w1"},
    )
    assert more.status == 413
    assert (await server.ask("GET", f"/api/runs/{run}/log/build/1/0")).body == b"one\n"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"request": 1}', b'{"lease": {"ref": 1}}', b"{" * 5000])
@pytest.mark.parametrize(
    "route", ["hello", "lease", "renew", "begin", "report", "finish", "artifacts", "source"]
)
async def test_a_message_of_a_worker_that_is_wrong_is_a_problem(
    server: Serving, route: str, body: bytes
) -> None:
    headers = {WORKER_HEADER: "w1"}
    answer = await server.ask("POST", f"/worker/v1/{route}", by="worker", data=body, headers=headers)
    assert (answer.status, answer.json["type"]) == (400, "/problems/usage")


async def test_unavailable_is_no_traceback_and_says_when_to_ask_again(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        from pawl.core.model.errors import Unavailable  # noqa: PLC0415 - only here

        raise Unavailable("the disk is full", retry_after=7, full=True)

    monkeypatch.setattr(server.services.control.runs, "list", away)
    answer = await server.ask("GET", "/api/runs")
    assert (answer.status, answer.headers["Retry-After"], answer.json["retry_after"]) == (507, "7", 7)


async def test_a_caller_that_leaves_in_the_middle_harms_nobody(server: Serving) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    for sent in (
        b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nAuthorization: Bearer "
        + server.tokens["user"].encode()
        + b"\r\n\r\n{",
        b"GET / HTTP/1.1\r\n",
        b"nonsense\r\n\r\n",
    ):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        await writer.drain()
        writer.close()
    async with asyncio.timeout(PATIENCE):
        assert (await server.ask("GET", "/health", by=None)).status == 200


async def test_a_head_that_does_not_end_is_refused(server: Serving) -> None:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            writer.write(b"X-More: " + b"a" * 10_000 + b"\r\n")
            await asyncio.wait_for(writer.drain(), PATIENCE)
    with contextlib.suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(65_536), PATIENCE):
            pass
    writer.close()
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(writer.wait_closed(), PATIENCE)
    assert (await server.ask("GET", "/health")).status == 200
