"""The logs of a run: all of it as a stream that can be resumed exactly, or one step's bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import Response

from pawl.core.model.errors import NotFound
from pawl.core.model.ids import JobId
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogBytes, LogName
from pawl.server.answers import Span, bytes_answer, stream, unsatisfiable
from pawl.server.log_cursor import read_cursor
from pawl.server.log_stream import LogStream, Wanted
from pawl.server.requests import flag_in, number_in, number_of, run_of
from pawl.server.routes import Call, Caller, Route

_LINES = "application/x-ndjson; charset=utf-8"
_PIECE = 262_144


async def _logs(call: Call) -> Response:
    run = run_of(call.request)
    query = call.request.query_params
    attempt = number_in(query, "attempt", 0)
    wanted = Wanted(
        run=run,
        job=query.get("job") or None,
        attempt=attempt or None,
        step=query.get("step") or None,
        follow=flag_in(query, "follow", default=False),
    )
    cursor = read_cursor(query.get("after", "") or "0")
    await call.services.control.runs.get(run)
    if wanted.job is not None:
        await _check_job(call, wanted.job)
    return stream(LogStream(call.services, wanted, cursor).lines(), _LINES)


async def _check_job(call: Call, job: str) -> None:
    """Raise `NotFound` when the run has no such job: an empty stream would not say so."""
    state = await call.services.control.runs.state(run_of(call.request))
    keys = {str(key) for key in state.groups}
    if job.partition("#")[0] not in keys:
        raise NotFound(f"the run has no job `{job[:100]}`", hint=f"it has {', '.join(sorted(keys)[:20])}")


async def _raw(call: Call) -> Response:
    path = call.request.path_params
    ref = AttemptRef(
        run=run_of(call.request), job=JobId(path["job"]), attempt=number_of(path["attempt"], "attempt")
    )
    name = LogName(attempt=ref, index=number_of(path["index"], "step"))
    services = call.services
    await services.control.runs.get(ref.run)
    known = await services.store.read(lambda transaction: transaction.logs.of_attempt(ref))
    if not any(log.index == name.index for log in known):
        raise NotFound(f"there is no log of step {name.index} of {ref}")
    span = Span(call.request.headers.get("range"), await services.logs.size(name, "data"))
    if not span.fits:
        return unsatisfiable(span)
    return bytes_answer(_bytes(services.logs, name, span), span, "text/plain; charset=utf-8")


async def _bytes(logs: LogBytes, name: LogName, span: Span) -> AsyncIterator[bytes]:
    start = span.start
    while start < span.end:
        data = await logs.read(name, "data", start=start, size=min(_PIECE, span.end - start))
        if not data:
            return
        start += len(data)
        yield data


ROUTES = (
    Route(
        method="GET",
        path="/api/runs/{run}/logs",
        caller=Caller.READ,
        handler=_logs,
        summary="Streams a run's events and logs as JSON lines, each with a cursor to resume from.",
        query={
            "job": "Only this job: its key, or one combination (`test#2`).",
            "attempt": "Only attempts of this number.",
            "step": "Only this step: its index from 0, or its name.",
            "follow": "1 goes on until the run has ended.",
            "after": "The `cursor` of the last line that is known.",
        },
        answer="application/x-ndjson",
        streams=True,
    ),
    Route(
        method="GET",
        path="/api/runs/{run}/log/{job:path}/{attempt}/{index}",
        caller=Caller.READ,
        handler=_raw,
        summary="Gives the bytes of one step's log; takes one range.",
        answer="text/plain",
    ),
)
