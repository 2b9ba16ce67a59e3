"""A world in memory that a server tells things: a forge's API, webhooks, a mail server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from pawl.core.model.errors import TransientError, UsageError
from pawl.ports.mail import Mail
from pawl.ports.outgoing import Answered, Outgoing

API = "https://git.example/api/v1"
SHA = "a" * 40
TOKEN = "the token of the project"


@dataclass
class World:
    """`Sender` of a world in memory: Gitea's statuses, webhooks, a mail server.

    Attributes:
        before: is awaited before a request arrives: it may wait, or raise.
        after: the same, after it has arrived and before its answer.
        hook: answers webhooks.
        statuses: what stands at a commit under a name: what a forge shows.
    """

    statuses: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    posts: list[tuple[str, str]] = field(default_factory=list)
    hooks: list[Outgoing] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    before: Callable[[Outgoing], Awaitable[None]] | None = None
    after: Callable[[Outgoing], Awaitable[None]] | None = None
    hook: Callable[[Outgoing], Answered] = lambda _: Answered(status=204)
    mail_fault: Exception | None = None

    async def send(self, request: Outgoing) -> Answered:
        if self.before is not None:
            await self.before(request)
        answer = self._arrived(request)
        if self.after is not None:
            await self.after(request)
        return answer

    def _arrived(self, request: Outgoing) -> Answered:
        if not request.url.startswith(API):
            self.hooks.append(request)
            return self.hook(request)
        assert request.headers["Authorization"] == f"token {TOKEN}"
        sha = unquote(urlsplit(request.url).path.rpartition("/")[2])
        told = json.loads(request.body)
        self.statuses[sha, told["context"]] = told
        self.posts.append((told["context"], told["description"]))
        return Answered(status=201, body=b"{}")

    async def send_mail(self, mail: Mail) -> str:
        if self.mail_fault is not None:
            raise self.mail_fault
        self.mails.append(mail)
        return "taken"

    def shown(self, context: str = "pawl/CI", sha: str = SHA) -> str:
        """Return state and description under a name."""
        told = self.statuses[sha, context]
        return f"{told['state']}: {told['description']}"


@dataclass
class Postbox:
    """Its `Postman`."""

    world: World

    async def send(self, mail: Mail) -> str:
        return await self.world.send_mail(mail)


async def away(_: Outgoing) -> None:
    """Be a host that does not answer."""
    raise TransientError("git.example cannot be called: refused")


async def refused(_: Outgoing) -> None:
    """Be a URL that may not be called."""
    raise UsageError("git.example may not be called")


async def hangs(_: Outgoing) -> None:
    """Be a host that never answers."""
    await asyncio.Event().wait()
