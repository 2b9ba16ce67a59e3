"""The routes of workers. Who asks is known by the token and the name alone, never by a message."""

from __future__ import annotations

from typing import TypeVar

from starlette.responses import Response

from pawl.core.model.errors import Denied, Unavailable, UsageError
from pawl.core.model.ids import WorkerId
from pawl.core.model.json_body import check_depth
from pawl.core.model.plain import to_plain
from pawl.core.model.reports import Report
from pawl.core.model.work import Lease, WorkerHello
from pawl.engine.control import worker_id
from pawl.server.answers import stream
from pawl.server.requests import read_body, read_chunks
from pawl.server.routes import Body, Call, Caller, Handler, Route
from pawl.wire import (
    WORKER_HEADER,
    WORKER_ROUTES,
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
    read_message,
    report_of,
    unframed,
    write_message,
)

M = TypeVar("M")
_LIMITS = WireLimits()
_BYTES = "application/octet-stream"


async def _read(call: Call, kind: type[M]) -> M:
    body = await read_body(call.request, _LIMITS.message)
    check_depth(body)
    return read_message(kind, body)


def _answer(message: object) -> Response:
    return Response(write_message(message), media_type="application/json")


def _digest(call: Call) -> str:
    if call.token is None:
        raise Denied("this needs a worker's token")
    return call.token.digest


def _worker(call: Call) -> WorkerId:
    """Return who asks: the token's digest and the name in the header together, so a name alone is nothing."""
    name = call.request.headers.get(WORKER_HEADER, "")
    if not name:
        raise UsageError(f"the request lacks the header {WORKER_HEADER}", hint="update the worker")
    return worker_id(_digest(call), name)


async def _hello(call: Call) -> Response:
    hello = await _read(call, WorkerHello)
    if worker_id(_digest(call), hello.name) != _worker(call):
        raise UsageError(f"the name in the message is not that of the header {WORKER_HEADER}")
    return _answer(await call.services.control.workers.hello(_digest(call), hello))


async def _lease(call: Call) -> Response:
    wanted = await _read(call, LeaseRequest)
    worker, services = _worker(call), call.services
    end = services.clock.monotonic() + min(max(wanted.wait, 0.0), services.control.rules.poll_seconds)
    ear = services.waking.listen("queue")
    try:
        while True:
            work = await services.control.workers.lease(worker, wanted.request, wanted.slots)
            left = end - services.clock.monotonic()
            if work or left <= 0:
                return _answer(LeaseAnswer(work=work))
            if services.stopping.begun:
                raise Unavailable("the server is being stopped", retry_after=2)
            await ear.wait(min(left, services.poll_seconds))
            if await call.request.is_disconnected():
                return _answer(LeaseAnswer(work=()))  # nobody would hear of a lease
    finally:
        services.waking.forget(ear)


async def _renew(call: Call) -> Response:
    wanted = await _read(call, RenewRequest)
    renewals = await call.services.control.workers.renew(
        _worker(call), wanted.leases, health=wanted.health, draining=wanted.draining
    )
    return _answer(RenewAnswer(renewals=renewals))


async def _begin(call: Call) -> Response:
    wanted = await _read(call, BeginRequest)
    begun = await call.services.control.workers.begin(_worker(call), wanted.lease)
    call.services.counting.begun(wanted.lease.ref)
    return _answer(begun)


async def _read_reporting(call: Call, kind: type[M]) -> tuple[M, memoryview]:
    """Return the head of a message that carries a report, and the bytes of the report's pieces."""
    head, data = unframed(await read_body(call.request, _LIMITS.report), _LIMITS.message)
    check_depth(head)
    return read_message(kind, head), data


async def _report(call: Call) -> Response:
    wanted, data = await _read_reporting(call, ReportRequest)
    report = report_of(wanted.report, data)
    reported = await call.services.control.workers.report(_worker(call), wanted.lease, report)
    _count(call, wanted.lease, report)
    return _answer(ReportAnswer(told=reported.told, pieces=reported.pieces))


async def _finish(call: Call) -> Response:
    wanted, data = await _read_reporting(call, FinishRequest)
    report = report_of(wanted.report, data)
    await call.services.control.workers.finish(_worker(call), wanted.lease, wanted.result, report)
    _count(call, wanted.lease, report)
    call.services.counting.finished(wanted.lease.ref)
    return _answer(Done())


def _count(call: Call, lease: Lease, report: Report) -> None:
    """Measure a report that was taken, and wake who reads the logs it is about."""
    metrics = call.services.metrics
    if report.events:
        metrics.steps_told(report.events)
    if report.pieces:
        metrics.log_bytes.inc(sum(len(piece.data) for piece in report.pieces if piece.part == "data"))
        call.services.waking.tell([f"log:{lease.ref.run}"])


async def _blob(call: Call) -> Response:
    place = BlobPlace.parse(call.request.query_params)
    worker, artifacts = _worker(call), call.services.control.artifacts
    if place.ask:
        stored_already = await artifacts.has_blob(worker, place.lease, place.digest, place.size)
        return _answer(BlobAnswer(stored=stored_already))
    chunks = read_chunks(call.request, place.size)
    stored = await artifacts.put_blob(worker, place.lease, chunks, digest=place.digest, size=place.size)
    call.services.metrics.artifact_bytes.inc(stored.size)
    return _answer(BlobAnswer(stored=True))


async def _artifacts(call: Call) -> Response:
    wanted = await _read(call, ArtifactsRequest)
    worker, artifacts = _worker(call), call.services.control.artifacts
    if wanted.name is not None:
        await artifacts.make(worker, wanted.lease, wanted.name, wanted.files, replace=wanted.replace)
    found = await artifacts.for_worker(worker, wanted.lease)
    return _answer(ArtifactsAnswer(artifacts=[to_plain(each) for each in found]))


async def _source(call: Call) -> Response:
    wanted = await _read(call, SourceRequest)
    if wanted.artifact is not None:
        artifacts = call.services.control.artifacts
        await artifacts.for_worker(_worker(call), wanted.lease)
        _, chunks = await artifacts.read(wanted.lease.ref.run, wanted.artifact, wanted.file)
        return stream(chunks, _BYTES)
    return stream(await call.services.control.artifacts.source(_worker(call), wanted.lease), _BYTES)


def _route(
    method: str, name: str, handler: Handler, summary: str, body: Body = Body.MESSAGE, answer: str = ""
) -> Route:
    return Route(
        method=method,
        path=f"{WORKER_ROUTES}/{name}",
        caller=Caller.WORKER,
        handler=handler,
        summary=summary,
        body=body,
        answer=answer or "application/json",
    )


ROUTES = (
    _route("POST", "hello", _hello, "Says who a worker is."),
    _route("POST", "lease", _lease, "Asks for work, and waits for it."),
    _route("POST", "renew", _renew, "Renews leases and hears about cancellations."),
    _route("POST", "begin", _begin, "Says that an attempt's first process is about to start."),
    _route("POST", "report", _report, "Stores events of an attempt and pieces of its logs.", Body.REPORT),
    _route("PUT", "blob", _blob, "Stores a file of an artifact, or asks whether it is there.", Body.STREAM),
    _route("POST", "artifacts", _artifacts, "Makes an artifact and lists the run's."),
    _route(
        "POST", "source", _source, "Gives the repository's files, or a file of an artifact.", answer=_BYTES
    ),
    _route("POST", "finish", _finish, "Ends an attempt, after a last report.", Body.REPORT),
)
