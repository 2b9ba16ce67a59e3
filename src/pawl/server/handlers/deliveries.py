"""The journal of deliveries: what came, what became of it, and the same again."""

from __future__ import annotations

from starlette.responses import Response

from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Json
from pawl.core.model.projects import DeliveryRecord
from pawl.server.answers import answer
from pawl.server.requests import number_in, number_of
from pawl.server.routes import Call, Caller, Route

MAX_DELIVERIES = 200
"""Deliveries in one answer."""


def _delivery(record: DeliveryRecord) -> dict[str, Json]:
    return {
        "id": record.id,
        "project": record.project,
        "key": record.key,
        "source": record.source.value,
        "name": record.name,
        "received_at": record.received_at,
        "done_at": record.done_at,
        "state": record.state.value,
        "tries": record.tries,
        "next_at": record.next_at,
        "reason": record.reason,
        "replay_of": record.replay_of,
        "body_kept": record.body_kept,
        "correlation": record.correlation,
        "verdicts": to_plain(record.verdicts),
    }


async def _list(call: Call) -> Response:
    query = call.request.query_params
    limit = max(1, number_in(query, "limit", 50, most=MAX_DELIVERIES))
    before = number_in(query, "before", 0) or None
    found = await call.services.intake.journal.recent(
        query.get("project") or None, before=before, limit=limit
    )
    following = found[-1].id if len(found) == limit else None
    return answer({"deliveries": [_delivery(each) for each in found], "next": following})


async def _get(call: Call) -> Response:
    record = await call.services.intake.journal.get(_number(call))
    body = record.body.decode("utf-8", "replace") if record.body_kept else None
    return answer({**_delivery(record), "headers": dict(record.headers), "body": body})


async def _replay(call: Call) -> Response:
    record = await call.services.intake.journal.replay(_number(call), by=call.by)
    return answer(_delivery(record), 201, {"Location": f"/api/deliveries/{record.id}"})


def _number(call: Call) -> int:
    return number_of(call.request.path_params["delivery"], "delivery")


ROUTES = (
    Route(
        method="GET",
        path="/api/deliveries",
        caller=Caller.READ,
        handler=_list,
        summary="Lists deliveries, newest first, with what each workflow said to them.",
        query={
            "project": "Only those of this project.",
            "before": "Only those with a smaller number: the next page.",
            "limit": "How many at most.",
        },
    ),
    Route(
        method="GET",
        path="/api/deliveries/{delivery}",
        caller=Caller.USER,
        handler=_get,
        summary="Gives a delivery with its headers and its body, while that is kept.",
    ),
    Route(
        method="POST",
        path="/api/deliveries/{delivery}/replay",
        caller=Caller.USER,
        handler=_replay,
        summary="Makes a new delivery of an old one's body, as if it had come again.",
        status=201,
    ),
)
