"""A small server in the place of a forge: it notes what it is asked, and answers what a test wants."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """A request as it came: the path is as it was sent, percent-encoding and query included."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], Told | Awaitable[Told]]


@dataclass
class ForgeServer:
    """The server; `answers` may be changed while it runs."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: Answering = lambda _: Told()

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.raw_path, headers, await request.read())
        self.asked.append(asked)
        told = self.answers(asked)
        if isinstance(told, Awaitable):
            told = await told
        body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
        return web.Response(status=told.status, body=body, headers=told.headers)


@asynccontextmanager
async def forge_server() -> AsyncIterator[ForgeServer]:
    """Run one on a free port of this machine."""
    server = ForgeServer()
    application = web.Application(client_max_size=16 << 20)
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
