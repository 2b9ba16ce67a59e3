"""Callers that hold a connection and say nothing, or a byte now and then: they are let go, others served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pawl.server import listening
from tests.integration.serving import PATIENCE, Serving, serving


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serving]:
    monkeypatch.setattr(listening, "HEAD_PATIENCE", 0.5)
    monkeypatch.setattr(listening, "BODY_PATIENCE", 0.5)
    monkeypatch.setattr(listening, "LEAST_BODY", 100)
    async with serving(tmp_path) as made:
        yield made


async def _connect(server: Serving) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _is_let_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dribble: bytes) -> None:
    """Send `dribble` again and again until the server has ended the connection."""
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(dribble)
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    assert await asyncio.wait_for(reader.read(1), 0.02) == b""
    writer.close()


async def test_a_head_that_comes_byte_by_byte_is_not_waited_for_for_ever(server: Serving) -> None:
    reader, writer = await _connect(server)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    await _is_let_go(reader, writer, b"a")
    assert (await server.ask("GET", "/health")).status == 200


async def test_a_second_head_that_comes_byte_by_byte_is_not_either(server: Serving) -> None:
    reader, writer = await _connect(server)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(size.partition(b":")[2]))
    writer.write(b"GET /health HTTP/1.1\r\nX-Slow: ")
    await _is_let_go(reader, writer, b"a")


async def test_a_connection_that_says_nothing_is_let_go(server: Serving) -> None:
    reader, writer = await _connect(server)
    await _is_let_go(reader, writer, b"")


async def test_an_answer_may_take_longer_than_a_head(server: Serving) -> None:
    worker = await server.worker()
    assert await worker.lease("request-1", 1, 1.0) == ()
    await server.trigger()
    assert len(await worker.lease("request-2", 1, 1.0)) == 1


def _head(server: Serving, size: int) -> bytes:
    lines = (
        "POST /api/sources HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {server.tokens['user']}",
    )
    return "\r\n".join((*lines, f"Content-Length: {size}", "", "")).encode()


async def test_a_body_that_comes_byte_by_byte_is_not_waited_for_for_ever(server: Serving) -> None:
    reader, writer = await _connect(server)
    writer.write(_head(server, 1_000_000))
    await _is_let_go(reader, writer, b"a")
    assert (await server.ask("GET", "/health")).status == 200


async def test_a_body_that_stops_in_its_middle_is_not_either(server: Serving) -> None:
    reader, writer = await _connect(server)
    writer.write(_head(server, 1_000_000) + b"a" * 500_000)
    await _is_let_go(reader, writer, b"")


async def test_a_long_body_may_be_slow_as_long_as_it_keeps_coming(server: Serving) -> None:
    reader, writer = await _connect(server)
    writer.write(_head(server, 100 * 51))
    for _ in range(50):  # all of them take longer than one may be late
        writer.write(b"a" * 100)
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            assert await asyncio.wait_for(reader.read(1), 0.02) != b"", "it was let go"
    writer.write(b"a" * 100)
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
    writer.close()


async def test_a_server_that_takes_long_over_a_body_blames_nobody(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, put = asyncio.Event(), server.services.blobs.put

    async def held_up(*arguments: Any, **more: Any) -> Any:
        await going_on.wait()
        return await put(*arguments, **more)

    monkeypatch.setattr(server.services.blobs, "put", held_up)
    reader, writer = await _connect(server)
    writer.write(_head(server, 10_000_000) + b"a" * 9_000_000)
    for _ in range(3):  # meanwhile others are let go, one after the other
        await _is_let_go(*await _connect(server), b"")
    monkeypatch.setattr(server.services.blobs, "put", put)
    going_on.set()
    writer.write(b"a" * 1_000_000)
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
    writer.close()
