"""The server's application: the table of routes behind one gate that every request goes through."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from starlette.responses import Response
from starlette.routing import Route as Matched
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pawl.core.model.errors import NotFound, UsageError
from pawl.server.answers import answer, problem
from pawl.server.authentication import Tokens
from pawl.server.endpoint import Endpoint
from pawl.server.handlers import (
    approvals,
    artifacts,
    deliveries,
    events,
    logs,
    notifications,
    projects,
    runs,
    secrets,
    server,
    webhooks,
    workers_own,
)
from pawl.server.log_lines import correlated, say
from pawl.server.openapi import document
from pawl.server.routes import Call, Caller, Route, check_routes
from pawl.server.services import Services
from pawl.wire import CORRELATION_HEADER

_CORRELATION = re.compile(r"[\w.-]{1,64}", re.ASCII)
_CORRELATION_NAME = CORRELATION_HEADER.lower().encode()
_HOSTS_KNOWN = 256
_LONGEST_HOST = 300
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?")


def all_routes(version: str) -> tuple[Route, ...]:
    """Return the table of routes."""
    # Webhooks come in storms, and a path with a parameter is looked for in this order.
    people = (server, runs, approvals, events, logs, artifacts, projects, secrets, deliveries, notifications)
    tables = (webhooks, *people, workers_own)
    routes = tuple(route for table in tables for route in table.ROUTES)

    async def openapi(_: Call) -> Response:
        return answer(document((*routes, own), version))

    own = Route(
        method="GET",
        path="/api/openapi.json",
        caller=Caller.NONE,
        handler=openapi,
        summary="Describes this API.",
    )
    return (*routes, own)


def make_application(
    services: Services, *, version: str, hosts: Iterable[str] = (), routes: Sequence[Route] | None = None
) -> ASGIApp:
    """Return the ASGI application.

    Args:
        services: what its routes work with.
        version: of this server.
        hosts: names under which it may be reached, besides `localhost` and addresses.
        routes: the table; the server's own when left out.

    Raises:
        InternalError: a route does not say who may call it.
    """
    routes = all_routes(version) if routes is None else routes
    check_routes(routes)
    tokens = Tokens(services.control.tokens.check, services.clock)
    paths: dict[str, list[Route]] = {}
    for route in routes:
        paths.setdefault(route.path, []).append(route)
    endpoints = [Matched(path, Endpoint(table, services, tokens)) for path, table in paths.items()]
    router = Router(endpoints, redirect_slashes=False, default=_nothing_there)
    return _Gate(_Paths({each.path: each.endpoint for each in endpoints}, router), services, hosts)


async def _nothing_there(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        shown = scope["path"][:200]
        await problem(NotFound(f"there is nothing at `{shown}`"))(scope, receive, send)


class _Paths:
    """Finds what answers at a path: those without parameters by name, the others by the router's patterns."""

    def __init__(self, endpoints: Mapping[str, ASGIApp], router: Router) -> None:
        self._plain = {path: endpoint for path, endpoint in endpoints.items() if "{" not in path}
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._plain.get(scope["path"], self._router)(scope, receive, send)


class _Gate:
    """Checks the host, gives each request its correlation id, and measures it."""

    def __init__(self, inner: ASGIApp, services: Services, hosts: Iterable[str]) -> None:
        self._inner = inner
        self._services = services
        self._hosts = {"localhost", *(host.lower() for host in hosts)}
        # Callers say few names over and over; what they make up cannot fill the memory.
        self._may_be_called = lru_cache(_HOSTS_KNOWN)(self._is_named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _answer_others(scope, send)
            return
        with correlated(self._correlation(scope)) as identity:
            begun, status = self._services.clock.monotonic(), 0

            async def send_and_note(message: Message) -> None:
                nonlocal status
                if not status and message["type"] == "http.response.start":
                    status = int(message["status"])
                    message.setdefault("headers", []).append((_CORRELATION_NAME, identity.encode()))
                    self._measure(scope, status, self._services.clock.monotonic() - begun)
                await send(message)

            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or len(hosts[0]) > _LONGEST_HOST or not self._may_be_called(hosts[0]):
                refused = UsageError(
                    "this server is not known by that name", hint="add it to `server.hosts` in pawl.toml"
                )
                await problem(refused)(scope, receive, send_and_note)
                return
            try:
                await self._inner(scope, receive, send_and_note)
            except asyncio.CancelledError:
                # An answer that nobody takes any more is no fault worth a traceback while the server ends.
                if not self._services.stopping.begun:
                    raise

    def _correlation(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == _CORRELATION_NAME:
                given: str = value.decode("latin-1")
                if _CORRELATION.fullmatch(given):
                    return given
                break
        return self._services.randomness.token(8)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        route: Route | None = scope.get("pawl.route")
        name = route.name if route is not None else "none"
        self._services.metrics.http_seconds.labels(name, str(status)).observe(seconds)
        level = logging.DEBUG if status < 500 else logging.INFO
        say("request", level, route=name, status=status, milliseconds=round(seconds * 1000, 1))

    def _is_named(self, host: bytes) -> bool:
        """Return whether a Host header names this server: a name that anybody may point here does not."""
        given = host.decode("latin-1")
        found = _HOST.fullmatch(given)
        if found is None:
            return False
        name = found[1].strip("[]").lower()
        return name in self._hosts or _is_address(name)


async def _answer_others(scope: Scope, send: Send) -> None:
    """Answer what is no request: there are no WebSockets here."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
