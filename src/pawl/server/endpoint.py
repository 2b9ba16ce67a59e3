"""One path of the server: lets callers in or not, and turns whatever goes wrong into an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pawl.core.model.errors import (
    InternalError,
    NotFound,
    PawlError,
    TransientError,
    Unavailable,
    UsageError,
)
from pawl.server.answers import problem
from pawl.server.authentication import Tokens
from pawl.server.log_lines import say
from pawl.server.requests import check_announced, check_plain
from pawl.server.routes import Call, Caller, Route
from pawl.server.services import Services

MAX_READERS = 2000
"""Streams and waiting workers at once."""


class Endpoint:
    """The routes of one path, by method."""

    def __init__(self, routes: Sequence[Route], services: Services, tokens: Tokens) -> None:
        self._routes = {route.method: route for route in routes}
        self._services = services
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        method = scope["method"]
        route = self._routes.get("GET" if method == "HEAD" else method)
        if route is None or (method == "HEAD" and route.streams):
            response = Response(status_code=405, headers={"Allow": ", ".join(sorted(self._routes))})
            await response(scope, receive, send)
            return
        scope["pawl.route"] = route
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        request = Request(scope, receive)
        try:
            response = await self._answer(route, request)
            await response(scope, receive, send_and_note)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not self._services.stopping.begun:
                raise
            # The server's grace is over; what has begun breaks off with the connection.
            if not started:
                stopped = Unavailable("the server is being stopped", retry_after=2)
                await problem(stopped)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets an answer and no traceback
            _log(route, error, is_ending=self._services.stopping.begun)
            if started:
                # The head is out: the web server breaks the connection, so that nobody takes it for whole.
                return
            await problem(error)(scope, receive, send)

    async def _answer(self, route: Route, request: Request) -> Response:
        token = await self._tokens.admit(route.caller, _one_header(request, "authorization"))
        check_announced(request, route.body.value)
        check_plain(request)
        if route.streams and self._services.waking.listening.total() >= MAX_READERS:
            raise Unavailable("too many readers follow logs and events", retry_after=10)
        response = await route.handler(Call(request=request, services=self._services, token=token))
        if route.caller is Caller.ADMIN and route.method != "GET":
            self._tokens.forget()
        return response


def _one_header(request: Request, name: str) -> str | None:
    found = request.headers.getlist(name)
    return found[0] if len(found) == 1 else None


def _log(route: Route, error: Exception, *, is_ending: bool) -> None:
    """Log an error: a refusal that is expected with one line, a fault of ours with its traceback."""
    detail = error.message if isinstance(error, PawlError) else f"{type(error).__name__}: {error}"
    match error:
        case NotFound() | UsageError():
            say("refused", logging.DEBUG, route=route.name, detail=detail)
        case TransientError():
            # A server that is stopped has nobody wait: each time the same, and nothing to look into.
            level = logging.DEBUG if is_ending else logging.WARNING
            say("not available", level, route=route.name, detail=detail)
        case PawlError() if not isinstance(error, InternalError):
            say("failed", logging.ERROR, route=route.name, detail=detail)
        case _:
            say("a fault of the server's own", logging.ERROR, error=error, route=route.name, detail=detail)
