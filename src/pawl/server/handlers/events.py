"""A run's events as server-sent events: the id is the sequence, so that resuming is exact."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.responses import Response

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import RunId
from pawl.core.model.records import StoredEvent
from pawl.core.model.status import Status
from pawl.server.answers import stream
from pawl.server.requests import flag_in, number_in, run_of
from pawl.server.routes import Call, Caller, Route
from pawl.server.services import Services

_CONTENT_TYPE = "text/event-stream; charset=utf-8"
_PAGE = 200


async def _events(call: Call) -> Response:
    run = run_of(call.request)
    query = call.request.query_params
    last = call.request.headers.get("last-event-id", "")
    if last and not (last.isascii() and last.isdecimal() and len(last) <= 15):
        raise UsageError("`Last-Event-ID` is no sequence number")
    after = int(last) if last else number_in(query, "after", 0)
    follow = flag_in(query, "follow", default=True)
    record = await call.services.control.runs.get(run)
    if last and record.status is Status.COMPLETED:
        first = await call.services.control.runs.events(run, after, 1)
        if not first:
            # What tells a browser not to come back again.
            return Response(status_code=204)
    return stream(_told(call.services, run, after, follow=follow), _CONTENT_TYPE)


async def _told(services: Services, run: RunId, after: int, *, follow: bool) -> AsyncIterator[bytes]:
    """Yield events from the store, a page at a time; nothing is held for a reader that does not read."""
    ear = services.waking.listen(f"run:{run}")
    quiet = 0.0
    try:
        yield b"retry: 2000\n\n"
        while True:
            # Before the events: a run that has ended then tells nothing that is not among them.
            ended = (await services.control.runs.get(run)).status is Status.COMPLETED
            page = await services.control.runs.events(run, after, _PAGE)
            if page:
                after, quiet = page[-1].sequence, 0.0
                yield b"".join(_framed(event) for event in page)
            elif ended or not follow or services.stopping.begun:
                return
            elif not await ear.wait(services.poll_seconds):
                quiet += services.poll_seconds
                if quiet >= services.heartbeat_seconds:
                    quiet = 0.0
                    yield b": still here\n\n"
    finally:
        services.waking.forget(ear)


def _framed(event: StoredEvent) -> bytes:
    kind = event.event.get("type", "message") if isinstance(event.event, dict) else "message"
    data = json.dumps(event.event, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.sequence}\nevent: {kind}\ndata: {data}\n\n".encode("utf-8", "replace")


ROUTES = (
    Route(
        method="GET",
        path="/api/runs/{run}/events",
        caller=Caller.READ,
        handler=_events,
        summary="Streams what a run tells, as server-sent events.",
        query={
            "follow": "0 ends at the present end; else the stream ends with the run.",
            "after": "The last sequence number that is known; `Last-Event-ID` goes before it.",
        },
        answer="text/event-stream",
        streams=True,
    ),
)
