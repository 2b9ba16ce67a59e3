"""Destinations and what was told to them, and what stands at commits."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from starlette.responses import Response

from pawl.core.model.errors import UsageError
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Json
from pawl.core.model.reporting import (
    DestinationKind,
    DestinationRecord,
    NoticeRecord,
    StatusRecord,
    Told,
    Topic,
)
from pawl.engine.reporting import NewDestination
from pawl.server.answers import answer
from pawl.server.requests import Fields, number_in, number_of, read_json
from pawl.server.routes import Body, Call, Caller, Handler, Route

MAX_LISTED = 200
"""Notices, and statuses, in one answer."""
E = TypeVar("E", bound=StrEnum)


def _destination(record: DestinationRecord) -> dict[str, Json]:
    """Return what may be shown of a destination: never what it signs with."""
    return {
        "id": record.id,
        "project": record.project,
        "kind": record.kind.value,
        "target": record.target,
        "topics": [topic.value for topic in record.topics],
        "told": record.told.value,
        "created_at": record.created_at,
        "active": record.active,
        "reason": record.reason,
        "failing_since": record.failing_since,
    }


def _notice(record: NoticeRecord) -> dict[str, Json]:
    return {
        "id": record.id,
        "destination": record.destination,
        "topic": record.topic.value,
        "project": record.project,
        "run": record.run,
        "created_at": record.created_at,
        "state": record.state.value,
        "tries": record.tries,
        "next_at": record.next_at,
        "done_at": record.done_at,
        "reason": record.reason,
        "replies": to_plain(record.replies),
        "again": record.again,
    }


def _status(record: StatusRecord) -> dict[str, Json]:
    return {
        "project": record.project,
        "sha": record.sha,
        "context": record.context,
        "state": record.state.value,
        "description": record.description,
        "run": record.run,
        "changed_at": record.changed_at,
        "sent": record.sent == record.sequence,
        "given_up": not record.waiting and record.sent < record.sequence,
        "tries": record.tries,
        "next_at": record.next_at,
        "reason": record.reason,
    }


async def _list(call: Call) -> Response:
    found = await call.services.reporting.destinations.all(call.request.query_params.get("project") or None)
    return answer({"destinations": [_destination(each) for each in found]})


async def _create(call: Call) -> Response:
    fields = Fields(await read_json(call.request, Body.SMALL.value))
    wanted = NewDestination(
        project=fields.text("project", "", most=300),
        kind=_word(DestinationKind, fields.text("kind", most=40), "kind"),
        target=fields.text("target", most=4000),
        topics=tuple(_word(Topic, each, "topics") for each in fields.list_of_texts("topics") or ()),
        told=_word(Told, fields.text("told", Told.ALWAYS.value, most=40), "told"),
        secret=fields.text("secret", "", most=2000),
    )
    fields.done()
    made, secret = await call.services.reporting.destinations.create(wanted, by=call.by)
    headers = {"Location": f"/api/destinations/{made.id}"}
    return answer({**_destination(made), "secret": secret}, 201, headers)


async def _remove(call: Call) -> Response:
    await call.services.reporting.destinations.remove(_number(call, "destination"), by=call.by)
    return answer({})


async def _enable(call: Call) -> Response:
    number = _number(call, "destination")
    return answer(_destination(await call.services.reporting.destinations.enable(number, by=call.by)))


async def _test(call: Call) -> Response:
    number = _number(call, "destination")
    made = await call.services.reporting.destinations.ping(number, by=call.by)
    return answer(_notice(made), 201, {"Location": f"/api/notices/{made.id}"})


async def _notices(call: Call) -> Response:
    query = call.request.query_params
    limit = max(1, number_in(query, "limit", 50, most=MAX_LISTED))
    found = await call.services.reporting.notices.recent(
        number_in(query, "destination", 0) or None, before=number_in(query, "before", 0) or None, limit=limit
    )
    following = found[-1].id if len(found) == limit else None
    return answer({"notices": [_notice(each) for each in found], "next": following})


async def _one_notice(call: Call) -> Response:
    found = await call.services.reporting.notices.get(_number(call, "notice"))
    return answer({**_notice(found), "body": found.body})


async def _again(call: Call) -> Response:
    made = await call.services.reporting.notices.again(_number(call, "notice"), by=call.by)
    return answer(_notice(made), 201, {"Location": f"/api/notices/{made.id}"})


async def _statuses(call: Call) -> Response:
    query = call.request.query_params
    found = await call.services.reporting.statuses.recent(
        query.get("project") or None,
        query.get("sha") or None,
        max(1, number_in(query, "limit", 50, most=MAX_LISTED)),
    )
    return answer({"statuses": [_status(each) for each in found]})


def _number(call: Call, name: str) -> int:
    return number_of(call.request.path_params[name], name)


def _word(kind: type[E], text: str, name: str) -> E:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(f"`{each}`" for each in kind)
        raise UsageError(f"`{name}` of the body is `{text[:40]}`: expected one of {known}") from None


_EXAMPLE: Json = {
    "project": "acme/site",
    "kind": "webhook",
    "target": "https://hooks.example/pawl",
    "topics": ["run.completed"],
    "told": "changes",
}


def _route(method: str, path: str, handler: Handler, summary: str, **more: Any) -> Route:
    more.setdefault("caller", Caller.ADMIN)
    return Route(method=method, path=path, handler=handler, summary=summary, **more)


ROUTES = (
    _route(
        "GET",
        "/api/destinations",
        _list,
        "Lists where notices go, never what they are signed with.",
        query={"project": "Only those that hear of this project's runs."},
    ),
    _route(
        "POST",
        "/api/destinations",
        _create,
        "Adds a destination of notices; what its webhooks are signed with is shown this once.",
        body=Body.SMALL,
        example=_EXAMPLE,
        status=201,
    ),
    _route(
        "DELETE",
        "/api/destinations/{destination}",
        _remove,
        "Removes a destination, with the log of what it was told.",
    ),
    _route(
        "POST",
        "/api/destinations/{destination}/enable",
        _enable,
        "Switches a destination on again after everything failed for long.",
    ),
    _route(
        "POST",
        "/api/destinations/{destination}/test",
        _test,
        "Sends a notice that says that nothing happened.",
        status=201,
    ),
    _route(
        "GET",
        "/api/notices",
        _notices,
        "Lists notices, newest first, with what came of the last tries.",
        query={
            "destination": "Only those for this destination.",
            "before": "Only those with a smaller number: the next page.",
            "limit": "How many at most.",
        },
    ),
    _route("GET", "/api/notices/{notice}", _one_notice, "Gives a notice with its body."),
    _route(
        "POST",
        "/api/notices/{notice}/again",
        _again,
        "Sends a notice once more, under the same id for its receiver.",
        status=201,
    ),
    _route(
        "GET",
        "/api/statuses",
        _statuses,
        "Lists commit statuses, changed last first, and why one was not sent.",
        caller=Caller.READ,
        query={
            "project": "Only those of this project.",
            "sha": "Only those at this commit.",
            "limit": "How many at most.",
        },
    ),
)
