"""Events and logs as streams: they resume exactly, show what comes at once, and end with the server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.server_http import HttpServerLink
from pawl.core.model.errors import Unavailable
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Lease, LogEnd, Result
from tests.integration.serving import PATIENCE, Serving, serving, until, write_log
from tests.reporting import append_log, tell

LINES = [
    ("out", "one\n"),
    ("err", "oops\n"),
    ("out", "cut"),
    ("err", "in\n"),
    ("out", "two € \n"),
    ("out", "end"),
]
TEXT = "".join(text for _, text in LINES)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as made:
        yield made


def _step(kind: str, index: int, **more: Any) -> dict[str, Any]:
    told = {
        "type": kind,
        "time": 1.0,
        "job": "build",
        "index": index,
        "step": f"s{index}",
        "name": f"Step {index}",
    }
    return {**told, **more}


def _ended(index: int) -> dict[str, Any]:
    return _step("step_finished", index, outcome="success", conclusion="success", duration=0.1)


async def _finish(link: HttpServerLink, lease: Lease, texts: dict[int, str]) -> None:
    logs = tuple(
        LogEnd(
            index=index,
            name=f"Step {index}",
            size=len(text.encode()),
            lines=text.count("\n"),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
        for index, text in texts.items()
    )
    await link.finish(lease, Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0, logs=logs))


async def _whole_run(server: Serving) -> tuple[int, dict[int, str]]:
    """Have a run with two steps and their logs, told and finished."""
    link, lease = await server.begun()
    await tell(link, lease, 0, [_step("step_started", 0)])
    await write_log(link, lease, 0, LINES)
    await tell(link, lease, 1, [_ended(0), _step("step_started", 1)])
    more = [("out", f"line {number}\n") for number in range(40)]
    await write_log(link, lease, 1, more)
    await tell(link, lease, 3, [_ended(1)])
    texts = {0: TEXT, 1: "".join(text for _, text in more)}
    await _finish(link, lease, texts)
    return lease.ref.run, texts


async def _lines(server: Serving, run: int, query: str = "") -> list[dict[str, Any]]:
    answer = await server.ask("GET", f"/api/runs/{run}/logs?{query}", by="read")
    assert answer.status == 200
    return [json.loads(line) for line in answer.body.splitlines() if line]


def _text(lines: list[dict[str, Any]], index: int) -> str:
    return "".join(
        line["data"] for line in lines if line["type"] == "log_appended" and line["index"] == index
    )


async def test_events_resume_after_each_of_them(server: Serving) -> None:
    run, _ = await _whole_run(server)
    answer = await server.ask("GET", f"/api/runs/{run}/events", by="read")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = answer.body.decode().split("\n\n")[1:-1]
    ids = [int(event.split("\n")[0].removeprefix("id: ")) for event in events]
    assert ids == list(range(1, len(ids) + 1))
    for after in (0, 1, len(ids) // 2, len(ids) - 1):
        headers = {"Last-Event-ID": str(after)}
        rest = await server.ask("GET", f"/api/runs/{run}/events", by="read", headers=headers)
        assert rest.body.decode().split("\n\n")[1:-1] == events[after:]
    over = await server.ask(
        "GET", f"/api/runs/{run}/events", by="read", headers={"Last-Event-ID": str(len(ids))}
    )
    assert over.status == 204
    wrong = await server.ask("GET", f"/api/runs/{run}/events", by="read", headers={"Last-Event-ID": "x"})
    assert wrong.status == 400


async def test_a_log_is_told_whole_with_its_streams_between_the_events(server: Serving) -> None:
    run, texts = await _whole_run(server)
    lines = await _lines(server, run, "follow=1")
    assert {index: _text(lines, index) for index in texts} == texts
    first = [
        (line["stream"], line["data"], line["first_line"])
        for line in lines
        if line.get("index") == 0 and "data" in line
    ]
    assert first == [
        ("out", "one\n", 1),
        ("err", "oops\n", 2),
        ("out", "cut", 3),
        ("err", "in\n", 4),
        ("out", "two € \n", 5),
        ("out", "end", 6),
    ]
    kinds = [(line["type"], line.get("index")) for line in lines]
    assert (
        kinds.index(("step_started", 0))
        < kinds.index(("log_appended", 0))
        < kinds.index(("step_finished", 0))
    )
    assert kinds[-1] == ("run_finished", None)
    # The numbers of lines go on from event to event.
    count = 0
    for line in (each for each in lines if each["type"] == "log_appended" and each["index"] == 1):
        assert line["first_line"] == count + 1
        count += line["data"].count("\n")
    assert count == 40


async def test_a_log_resumes_exactly_behind_every_line(server: Serving) -> None:
    run, _ = await _whole_run(server)
    lines = await _lines(server, run)
    told = [{name: value for name, value in line.items() if name != "cursor"} for line in lines]
    for number, line in enumerate(lines):
        rest = await _lines(server, run, f"after={line['cursor']}")
        assert [{k: v for k, v in each.items() if k != "cursor"} for each in rest] == told[number + 1 :]


@pytest.mark.parametrize("cursor", ["x", "WzFd", "%00", "W10", "999999999999999999", "WzEsWzFdXQ"])
async def test_a_cursor_that_is_none_is_told(server: Serving, cursor: str) -> None:
    run = await server.trigger()
    answer = await server.ask("GET", f"/api/runs/{run}/logs?after={cursor}")
    assert answer.status == 400


async def test_filters_leave_out_what_is_not_asked_for(server: Serving) -> None:
    run, texts = await _whole_run(server)
    by_index, by_name = (
        await _lines(server, run, "step=1"),
        await _lines(server, run, "step=Step%201&job=build"),
    )
    assert _text(by_index, 1) == _text(by_name, 1) == texts[1]
    assert _text(by_index, 0) == _text(by_name, 0) == ""
    assert _text(await _lines(server, run, "attempt=2"), 0) == ""
    assert (await server.ask("GET", f"/api/runs/{run}/logs?job=nothing")).status == 404


async def test_what_a_running_job_prints_is_shown_at_once_and_in_whole_lines(server: Serving) -> None:
    link, lease = await server.begun()
    run = lease.ref.run
    url = f"{server.url}/api/runs/{run}/logs?follow=1"
    headers = {"Authorization": f"Bearer {server.tokens['read']}"}
    seen: list[dict[str, Any]] = []

    async def read() -> None:
        async with server.session.get(url, headers=headers) as answer:
            async for line in answer.content:
                seen.extend(json.loads(each) for each in [line] if line.strip())

    reader = asyncio.create_task(read())
    await tell(link, lease, 0, [_step("step_started", 0)])
    size = await write_log(link, lease, 0, [("out", "first\n")])
    await until(lambda: _text(seen, 0) == "first\n")
    # The bytes of the next lines come before their places in the index: whose they are is not known yet.
    await append_log(link, lease, 0, "data", size, b"second\nthird\n", name="step")
    size = await write_log(link, lease, 0, [("err", "second\n"), ("out", "third\n")], offset=size)
    await until(lambda: _text(seen, 0) == "first\nsecond\nthird\n")
    assert [line["stream"] for line in seen if "data" in line] == ["out", "err", "out"]
    await tell(link, lease, 1, [_ended(0)])
    await _finish(link, lease, {0: "first\nsecond\nthird\n"})
    await asyncio.wait_for(reader, PATIENCE)
    assert seen[-1]["type"] == "run_finished"


async def test_a_very_long_line_is_told_in_parts_without_cutting_characters(server: Serving) -> None:
    link, lease = await server.begun()
    text = "x" + "€" * 200_000 + "\nend\n"
    await tell(link, lease, 0, [_step("step_started", 0)])
    await write_log(link, lease, 0, [("out", text[:-4]), ("out", "end\n")])
    await tell(link, lease, 1, [_ended(0)])
    lines = [line for line in await _lines(server, lease.ref.run) if line["type"] == "log_appended"]
    assert "".join(line["data"] for line in lines) == text
    assert len(lines) > 3
    assert {line["first_line"] for line in lines} == {1, 2}
    for line in lines:
        rest = await _lines(server, lease.ref.run, f"after={line['cursor']}")
        assert _text(rest, 0) == "".join(each["data"] for each in lines[lines.index(line) + 1 :])


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        (None, 200, 0, None),
        ("bytes=0-2", 206, 0, 3),
        ("bytes=3-", 206, 3, None),
        ("bytes=-4", 206, -4, None),
        ("bytes=2-99999", 206, 2, None),
        ("bytes=-99999", 206, 0, None),
        ("bytes=99999-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=5-2", 416, 0, 0),
        ("bytes=0-1,3-4", 400, 0, 0),
        ("lines=0-1", 200, 0, None),
        ("bytes=x", 200, 0, None),
    ],
)
async def test_the_bytes_of_a_log_come_in_one_range(
    server: Serving, header: str | None, status: int, start: int, end: int | None
) -> None:
    link, lease = await server.begun()
    await write_log(link, lease, 0, LINES)
    headers = {"Range": header} if header else {}
    answer = await server.ask("GET", f"/api/runs/{lease.ref.run}/log/build/1/0", headers=headers)
    assert answer.status == status
    if status < 300:
        assert answer.body == TEXT.encode()[start:end]
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(TEXT.encode())}"


async def test_open_streams_and_waiting_workers_end_with_the_server(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("pawl", "uvicorn", "uvicorn.error"):
        logging.getLogger(name).propagate = True
    link, lease = await server.begun()
    run, headers = lease.ref.run, {"Authorization": f"Bearer {server.tokens['read']}"}
    streams = [
        await server.session.get(f"{server.url}/api/runs/{run}/{what}?follow=1", headers=headers)
        for what in ("events", "logs") * 10
    ]
    waiting = asyncio.create_task(link.lease("request-2", 1, 30))
    await until(lambda: server.services.waking.listening["run"] == len(streams))
    await until(lambda: server.services.waking.listening["queue"] == 1)
    await server.stop()
    for stream in streams:
        await asyncio.wait_for(stream.read(), PATIENCE)
        stream.close()
    with pytest.raises(Exception, match=r"being stopped|cannot reach"):
        await waiting
    assert server.services.waking.listening.total() == 0
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_an_upload_that_does_not_end_is_broken_off_when_the_grace_is_over(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("pawl", "uvicorn", "uvicorn.error"):
        logging.getLogger(name).propagate = True
    server.web.config.timeout_graceful_shutdown = 1
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            begun.set()
            await asyncio.sleep(0.05)

    upload = asyncio.create_task(server.ask("POST", "/api/sources", data=endless()))
    await asyncio.wait_for(begun.wait(), PATIENCE)
    await server.stop()
    assert (await asyncio.wait_for(upload, PATIENCE)).status == 503
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_a_reader_that_leaves_is_forgotten(server: Serving) -> None:
    run = await server.trigger()
    headers = {"Authorization": f"Bearer {server.tokens['read']}"}
    stream = await server.session.get(f"{server.url}/api/runs/{run}/events", headers=headers)
    await stream.content.readline()
    await until(lambda: server.services.waking.listening["run"] == 1)
    stream.close()
    await until(lambda: server.services.waking.listening.total() == 0)


async def test_a_worker_that_waits_for_work_when_the_server_ends_is_nothing_to_warn_of(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await server.worker()
    waiting = asyncio.ensure_future(worker.lease("request-1", 1, PATIENCE))
    await until(lambda: server.services.waking.listening["queue"])
    await server.stop()
    with pytest.raises(Unavailable):
        await waiting
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
