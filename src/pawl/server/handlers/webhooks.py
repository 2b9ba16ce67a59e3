"""Webhooks of forges: verified, stored and acknowledged; what they start is worked out after that."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from starlette.requests import Request
from starlette.responses import Response

from pawl.core.model.errors import NotFound, TooLarge, Unavailable, UnsupportedBody, UsageError
from pawl.core.model.forge import ForgeKind, Received
from pawl.server.answers import answer
from pawl.server.intake import Intake
from pawl.server.log_lines import correlation, say
from pawl.server.requests import read_body
from pawl.server.routes import Body, Call, Caller, Route

MAX_HEADERS = 100
"""Headers of a webhook request."""
MAX_HEADER = 8 * 1024
"""Characters of one of its headers."""
_SMALL = 1024 * 1024
_PATIENCE = 30.0
_KINDS = frozenset({"application/json", "application/x-www-form-urlencoded"})
_MAY_COME_TWICE = ("x-forwarded-", "forwarded", "via", "accept", "cache-control", "cookie", "traceparent")


async def _receive(call: Call) -> Response:
    intake, request = call.services.intake, call.request
    kind = _kind(request.path_params["provider"])
    headers = _headers(request)
    received = Received(headers=headers, body=await _body(request, intake))
    project = request.path_params.get("project", "")
    counted = call.services.metrics.webhooks
    try:
        accepted = await intake.journal.accept(kind, received, project=project, correlation=correlation())
    except UsageError:
        counted.labels(kind.value, "refused").inc()
        raise
    result = "duplicate" if accepted.duplicate else "ignored" if accepted.ignored else "accepted"
    counted.labels(kind.value, result).inc()
    say(
        "webhook",
        logging.DEBUG,
        forge=kind.value,
        delivery=accepted.delivery,
        duplicate=accepted.duplicate,
        ignored=accepted.ignored,
    )
    told = {"delivery": accepted.delivery, "duplicate": accepted.duplicate, "ignored": accepted.ignored}
    return answer(told, 200 if accepted.duplicate or accepted.ignored else 202)


def _kind(provider: str) -> ForgeKind:
    try:
        return ForgeKind(provider)
    except ValueError:
        known = ", ".join(f"`{kind}`" for kind in ForgeKind)
        raise NotFound(f"there are no webhooks of `{provider[:40]}`", hint=f"there are {known}") from None


def _headers(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name.

    Raises:
        TooLarge: there are too many, or one is too long.
        UsageError: one that may decide is there twice: somebody on the way may have looked at the other.
        UnsupportedBody: the body is of a kind that no forge sends.
    """
    items = request.headers.items()
    if len(items) > MAX_HEADERS or any(len(value) > MAX_HEADER for _, value in items):
        raise TooLarge(f"more than {MAX_HEADERS} headers, or one of more than {MAX_HEADER} characters")
    headers: dict[str, str] = {}
    for name, value in items:
        if name in headers and not name.startswith(_MAY_COME_TWICE):
            raise UsageError(f"the header `{name[:40]}` is there more than once", hint="send it once")
        headers[name] = value
    content = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content not in _KINDS:
        raise UnsupportedBody(
            f"the body is `{content[:40] or 'of no kind that is told'}`",
            hint="have the webhook send application/json",
        )
    return headers


async def _body(request: Request, intake: Intake) -> bytes:
    """Return the body; a large one only when there are not many at that time.

    Raises:
        TooLarge: it is over the limit; no more than that was read.
        Unavailable: it comes too slowly, or others have taken the room.
    """
    announced = request.headers.get("content-length", "")
    is_small = announced.isdecimal() and int(announced) <= _SMALL
    if not is_small and intake.large.locked():
        raise Unavailable("too many large webhooks come at once", retry_after=5)
    try:
        async with contextlib.nullcontext() if is_small else intake.large, asyncio.timeout(_PATIENCE):
            return await read_body(request, Body.WEBHOOK.value)
    except TimeoutError:
        raise Unavailable(f"the body did not come within {_PATIENCE:.0f} seconds") from None


def _route(path: str, summary: str) -> Route:
    return Route(
        method="POST",
        path=path,
        caller=Caller.WEBHOOK,
        handler=_receive,
        summary=summary,
        body=Body.WEBHOOK,
        status=202,
    )


ROUTES = (
    _route("/webhooks/{provider}", "Takes a forge's webhook for the project that its body names."),
    _route("/webhooks/{provider}/{project:path}", "Takes a forge's webhook for a project."),
)
