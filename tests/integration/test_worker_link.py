"""The worker's link over real HTTP: every call arrives, and every answer comes back as the right error."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web

from pawl.adapters.server_http import HttpServerLink
from pawl.core.model.errors import (
    Denied,
    InfrastructureError,
    OffsetConflict,
    PawlError,
    StaleLease,
    Unavailable,
    UsageError,
)
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import Piece, Report, Reported, Taken
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Begun, Result, Work, WorkerHello
from pawl.ports.server_link import ServerLink
from pawl.wire import (
    PROTOCOL,
    ArtifactsAnswer,
    ArtifactsRequest,
    BeginRequest,
    BlobAnswer,
    BlobPlace,
    Done,
    FinishRequest,
    LeaseAnswer,
    LeaseRequest,
    RenewAnswer,
    RenewRequest,
    ReportAnswer,
    ReportRequest,
    SourceRequest,
    WireLimits,
    agree,
    problem_of,
    read_message,
    report_of,
    unframed,
    write_message,
)
from tests.integration.test_worker_jobs import workflow
from tests.integration.worker_server import FakeServer

TOKEN = "pawl_" + "0" * 64
M = TypeVar("M")
Handler = Callable[[web.Request], Awaitable[object]]


@dataclass
class Spoken:
    """The routes of workers over a fake server."""

    server: FakeServer

    async def hello(self, request: web.Request) -> object:
        message = read_message(WorkerHello, await request.read())
        agree(message.protocol)
        return await self.server.hello(message)

    async def lease(self, request: web.Request) -> object:
        asked = read_message(LeaseRequest, await request.read())
        return LeaseAnswer(work=await self.server.lease(asked.request, asked.slots, asked.wait))

    async def renew(self, request: web.Request) -> object:
        asked = read_message(RenewRequest, await request.read())
        renewals = await self.server.renew(asked.leases, health=asked.health, draining=asked.draining)
        return RenewAnswer(renewals=renewals)

    async def begin(self, request: web.Request) -> object:
        return await self.server.begin(read_message(BeginRequest, await request.read()).lease)

    async def report(self, request: web.Request) -> object:
        asked, data = await _read_reporting(ReportRequest, request)
        reported = await self.server.report(asked.lease, report_of(asked.report, data))
        return ReportAnswer(told=reported.told, pieces=reported.pieces)

    async def blob(self, request: web.Request) -> object:
        place = BlobPlace.parse(request.query)
        if place.ask:
            return BlobAnswer(stored=place.digest in self.server.blobs)
        chunks = request.content.iter_chunked(65_536)
        await self.server.put_blob(place.lease, chunks, digest=place.digest, size=place.size)
        return BlobAnswer(stored=True)

    async def artifacts(self, request: web.Request) -> object:
        asked = read_message(ArtifactsRequest, await request.read())
        made = await self.server.artifacts(asked.lease, asked.name, asked.files, replace=asked.replace)
        return ArtifactsAnswer(artifacts=list(made))

    async def finish(self, request: web.Request) -> object:
        asked, data = await _read_reporting(FinishRequest, request)
        await self.server.finish(asked.lease, asked.result, report_of(asked.report, data))
        return Done()

    async def source(self, request: web.Request) -> object:
        asked = read_message(SourceRequest, await request.read())
        return b"".join(
            [
                chunk
                async for chunk in self.server.source(
                    asked.lease, artifact=asked.artifact and (asked.artifact, asked.file)
                )
            ]
        )


async def _read_reporting(kind: type[M], request: web.Request) -> tuple[M, memoryview]:
    head, data = unframed(await request.read(), WireLimits().message)
    return read_message(kind, head), data


def application(server: FakeServer) -> web.Application:
    """Return a server that speaks `pawl.wire` over a fake one."""
    spoken = Spoken(server)
    made = web.Application(client_max_size=1 << 26)
    for name in ("hello", "lease", "renew", "begin", "report", "artifacts", "finish", "source"):
        made.router.add_post(f"/worker/v1/{name}", answering(getattr(spoken, name)))
    made.router.add_put("/worker/v1/blob", answering(spoken.blob))
    return made


def answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Denied("the token is not known")
            told = await handler(request)
        except PawlError as error:
            status, body = problem_of(error)
            return web.json_response(body, status=status, content_type="application/problem+json")
        return web.Response(body=told if isinstance(told, bytes) else write_message(told))

    return answer


@asynccontextmanager
async def served(made: web.Application, socket: Path) -> AsyncIterator[None]:
    runner = web.AppRunner(made)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def linked(server: FakeServer, tmp_path: Path, token: str = TOKEN) -> AsyncIterator[HttpServerLink]:
    socket = tmp_path / "s"
    link = HttpServerLink("http://localhost", token, unix_socket=socket, name="w")
    async with served(application(server), socket):
        try:
            yield link
        finally:
            await link.aclose()


def hello_of(protocol: int) -> WorkerHello:
    return WorkerHello(name="w", labels=("linux",), slots=1, protocol=protocol, version="1")


async def test_every_call_of_a_jobs_life_arrives(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo hello"), secrets={"A": "b"})
    async with linked(server, tmp_path) as link:
        port: ServerLink = link
        welcome = await port.hello(hello_of(PROTOCOL))
        assert welcome.renew_every == server.renew_every
        (work,) = await port.lease("r1", 1, 1.0)
        assert work == held.work
        assert await port.lease("r1", 1, 1.0) == (work,)
        assert await port.begin(work.lease) == Begun(secrets={"A": "b"})
        (renewal,) = await port.renew([work.lease], health="", draining=False)
        assert renewal.alive
        piece = Piece(index=0, name="Run a & b", part="data", offset=0, data=b"a & b\n")
        report = Report(events=({"type": "job_started"},), pieces=(piece,))
        assert await port.report(work.lease, report) == Reported(told=1, pieces=(Taken(size=6),))
        await port.put_blob(work.lease, _chunks(b"x" * 100_000), digest=_sha(b"x" * 100_000), size=100_000)
        entry = ArtifactEntry(name="x", size=100_000, sha256=_sha(b"x" * 100_000), content_type="text/plain")
        (told,) = await port.artifacts(work.lease, "site", [entry], replace=False)
        assert isinstance(told, dict)
        assert told["name"] == "site"
        got = [chunk async for chunk in port.source(work.lease, artifact=("site", "x"))]
        assert b"".join(got) == b"x" * 100_000
        last = Report(first=1, events=({"type": "é"},), pieces=(replace(piece, offset=6, data=b"\xff\0\n"),))
        await port.finish(work.lease, Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0), last)
    assert held.result is not None
    assert (held.logs[0, "data"], held.names) == (b"a & b\n\xff\0\n", {0: "Run a & b"})
    assert held.events == [{"type": "job_started"}, {"type": "é"}]
    assert list(held.artifacts) == ["site"]


async def test_what_a_server_refuses_comes_back_as_the_same_error(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo hello"))
    async with linked(server, tmp_path) as link:
        (work,) = await link.lease("r1", 1, 1.0)
        with pytest.raises(OffsetConflict) as conflict:
            await link.report(work.lease, Report(first=3, events=({"type": "job_progress"},)))
        assert conflict.value.size == 0
        held.stale = True
        with pytest.raises(StaleLease):
            await link.begin(work.lease)
        with pytest.raises(UsageError, match="speaks 99"):
            await link.hello(hello_of(99))
        server.down = True
        with pytest.raises(Unavailable):
            await link.renew([], health="", draining=False)


async def test_a_wrong_token_is_denied(tmp_path: Path) -> None:
    async with linked(FakeServer(), tmp_path, token="pawl_wrong") as link:
        with pytest.raises(Denied):
            await link.hello(hello_of(PROTOCOL))


async def test_the_files_of_a_run_come_as_a_stream(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo hello"))
    packed = bytes(range(256)) * 20_000
    held.work = _with_source(held.work, "d")
    server.sources["d"] = packed
    async with linked(server, tmp_path) as link:
        (work,) = await link.lease("r1", 1, 1.0)
        assert b"".join([chunk async for chunk in link.source(work.lease)]) == packed


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    link = HttpServerLink("http://localhost", TOKEN, unix_socket=tmp_path / "nothing")
    try:
        with pytest.raises(Unavailable, match=r"cannot reach .*: no such file or directory$"):
            await link.renew([], health="", draining=False)
    finally:
        await link.aclose()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (302, b"", UsageError),
        (200, b"<html>hello</html>", InfrastructureError),
        (502, b"<html>bad gateway</html>", Unavailable),
        (404, b"not found", UsageError),
        (401, b"<html>log in</html>", Unavailable),
        (403, b'{"type": "about:blank", "detail": "blocked"}', Unavailable),
        (403, b'{"type": "/problems/denied", "detail": "no"}', Denied),
    ],
)
async def test_somebody_else_at_the_address_is_noticed(
    tmp_path: Path, status: int, body: bytes, kind: type[PawlError]
) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    made = web.Application()
    made.router.add_route("*", "/{anything:.*}", answer)
    link = HttpServerLink("http://localhost", TOKEN, unix_socket=tmp_path / "s")
    async with served(made, tmp_path / "s"):
        try:
            with pytest.raises(kind):
                await link.renew([], health="", draining=False)
        finally:
            await link.aclose()
    assert seen == ["/worker/v1/renew"]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 30_000):
        yield data[start : start + 30_000]


def _with_source(work: Work, digest: str) -> Work:
    return replace(work, source=digest)
