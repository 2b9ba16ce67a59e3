"""Routes as values: each says who may call it and how large its body may be, or the server does not start.

The table is the only way into the server: `application.py` makes the router of it, `openapi.py` the
document, and the tests go through it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from pawl.core.model.errors import InternalError
from pawl.core.model.plan import Json
from pawl.core.model.records import TokenRecord
from pawl.server.services import Services
from pawl.wire import WireLimits


class Caller(StrEnum):
    """Who may call a route."""

    NONE = "none"
    """Anybody who reaches the port: nothing that changes anything or shows anybody's data."""
    READ = "read"
    USER = "user"
    ADMIN = "admin"
    WORKER = "worker"
    WEBHOOK = "webhook"
    """A forge: it has no token; the handler checks its signature before it does anything else."""


SCOPES: dict[Caller, frozenset[str]] = {
    Caller.READ: frozenset({"read", "user", "admin"}),
    Caller.USER: frozenset({"user", "admin"}),
    Caller.ADMIN: frozenset({"admin"}),
    # An administrator's token is no worker's: a worker is known by its own token.
    Caller.WORKER: frozenset({"worker"}),
}
"""The scopes of tokens that are good enough for a caller."""


class Body(Enum):
    """How large a request's body may be, in bytes."""

    NONE = 0
    SMALL = 65_536
    """A few words as JSON."""
    VALUE = 524_288
    """A secret or variable, escaped."""
    TRIGGER = 8_388_608
    """A workflow's text of at most a mebibyte, escaped, and its inputs."""
    MESSAGE = WireLimits().message
    REPORT = WireLimits().report
    """A message, and bytes of logs behind it."""
    WEBHOOK = 25 << 20
    """What GitHub sends at most."""
    STREAM = 1 << 50
    """Read piece by piece by a handler that counts against a quota of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that has been let in.

    Attributes:
        token: the caller's; None on routes for anybody.
    """

    request: Request
    services: Services
    token: TokenRecord | None

    @property
    def by(self) -> str:
        """Return the caller's name, for records."""
        return self.token.name if self.token else ""


Handler: TypeAlias = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Attributes:
        path: as Starlette writes it: `/api/runs/{run}`.
        caller: who may call it. There is no default on purpose.
        summary: one line for the reference and the OpenAPI document.
        query: names in the query and what they mean.
        example: of the body, where it is JSON.
        answer: the content type of what comes back.
        status: of the answer when all went well.
        streams: whether the answer may go on for ever.
    """

    method: str
    path: str
    caller: Caller
    handler: Handler
    summary: str
    body: Body = Body.NONE
    query: dict[str, str] = field(default_factory=dict)
    example: Json = None
    answer: str = "application/json"
    status: int = 200
    streams: bool = False

    @property
    def name(self) -> str:
        """Return how logs and metrics call it: `GET /api/runs/{run}`."""
        return _name(self.method, self.path)

    @property
    def shown_path(self) -> str:
        """Return the path without the types of its parts."""
        return _shown(self.path)


@functools.cache
def _name(method: str, path: str) -> str:
    return f"{method} {_shown(path)}"


def _shown(path: str) -> str:
    return re.sub(r"{(\w+):\w+}", r"{\1}", path)


def check_routes(routes: Sequence[Route]) -> None:
    """Return when every route of the table can be served safely.

    Raises:
        InternalError: one has no caller, is there twice, or a route for workers stands where people's are.
    """
    seen: set[tuple[str, str]] = set()
    for route in routes:
        if not isinstance(route.caller, Caller):
            raise InternalError(f"the route {route.name} does not say who may call it")
        if not isinstance(route.body, Body):
            raise InternalError(f"the route {route.name} does not say how large its body may be")
        if (route.method, route.path) in seen:
            raise InternalError(f"the route {route.name} is there twice")
        if route.path.startswith("/worker/") != (route.caller is Caller.WORKER):
            raise InternalError(f"the route {route.name} mixes the paths of workers and of people")
        if route.path.startswith("/webhooks/") != (route.caller is Caller.WEBHOOK):
            raise InternalError(f"the route {route.name} mixes the paths of webhooks and of people")
        if route.caller is Caller.NONE and route.method != "GET":
            raise InternalError(f"the route {route.name} would change something for anybody")
        seen.add((route.method, route.path))
