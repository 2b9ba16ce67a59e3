"""A control engine whose runs are told: to a forge's API in memory, through the forge's real adapter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.store_sql import open_store
from pawl.core.model.errors import TransientError, UsageError
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import Project
from pawl.core.model.records import RunRecord
from pawl.core.model.reporting import StatusRecord
from pawl.engine.control import Control, Rules, Trigger
from pawl.engine.reporting import Destinations, Notices, Reporter, ReportingDesk, ReportingRules, Statuses
from pawl.ports.mail import Mail
from pawl.ports.outgoing import Answered, Outgoing
from pawl.ports.store import Store
from pawl.testing.clock import FakeClock
from pawl.testing.sealing import OpenSealing
from pawl.testing.storage import CountedRandomness, MemoryBlobs, MemoryLogs
from tests.integration.controlling import ONE, PATH, Hand, Server

NAME = "acme/site"
SHA = "a" * 40
TOKEN = "the token of the project"
API = "https://git.example/api/v1"
URL = "https://ci.example"
PUSH = Event(name="push", provider="gitea", repository=NAME, sha=SHA)


@dataclass
class Outside:
    """`Sender` and `Postman` of a world in memory: Gitea's statuses, webhooks, a mail server.

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
class _Postman:
    outside: Outside

    async def send(self, mail: Mail) -> str:
        return await self.outside.send_mail(mail)


@dataclass
class Telling:
    """One server."""

    control: Control
    store: Store
    clock: FakeClock
    outside: Outside
    desk: ReportingDesk
    statuses: Statuses = field(init=False)
    notices: Notices = field(init=False)
    destinations: Destinations = field(init=False)
    topics: list[str] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        self.statuses = Statuses(self.desk)
        self.notices = Notices(self.desk)
        self.destinations = Destinations(self.desk)

    def another(self) -> Telling:
        """Return another server on the same store."""
        return Telling(self.control, self.store, self.clock, self.outside, self.desk)

    async def project(self, **changes: Any) -> None:
        scope = f"project:{NAME}:token"
        wanted: dict[str, Any] = {
            "name": NAME,
            "forge": ForgeKind.GITEA,
            "clone_url": "https://git.example/acme/site.git",
            "created_at": 1.0,
            "api_url": API,
            "secrets": {"token": OpenSealing().seal(TOKEN, scope)},
            **changes,
        }
        await self.store.write(lambda tx: tx.projects.put(Project(**wanted)))

    async def trigger(
        self, text: str = ONE, *, path: str = PATH, event: Event = PUSH, **more: Any
    ) -> RunRecord:
        named = f"name: CI\n{text}"
        return await self.control.runs.trigger(Trigger(path=path, text=named, event=event, **more))

    async def worker(self) -> Hand:
        hands = Server(control=self.control, store=None, clock=self.clock)  # type: ignore[arg-type]  # a hand asks the control engine only
        return await hands.worker()

    async def status(self, context: str = "pawl/CI") -> StatusRecord:
        found = await self.store.read(lambda tx: tx.statuses.get(NAME, SHA, context))
        assert found is not None
        return found


@asynccontextmanager
async def telling(url: str, rules: ReportingRules | None = None) -> AsyncIterator[Telling]:
    """Open a store and run a server on it."""
    store = open_store(url)
    try:
        yield make_telling(store, rules)
    finally:
        await store.aclose()


def make_telling(
    store: Store, rules: ReportingRules | None = None, outside: Outside | None = None
) -> Telling:
    """Return a server on a store."""
    clock, randomness, world = FakeClock(), CountedRandomness(), outside or Outside()
    wanted = rules or ReportingRules(url=URL)
    told = Rules(listeners=(Reporter(wanted),))
    control = Control(store, MemoryLogs(), MemoryBlobs(clock), clock, randomness, told)
    desk = ReportingDesk(
        store=store,
        clock=clock,
        randomness=randomness,
        sealing=OpenSealing(),
        forges={ForgeKind.GITEA: GiteaForge(world, clock)},
        sender=world,
        postman=_Postman(world),
        rules=wanted,
    )
    return Telling(control=control, store=store, clock=clock, outside=world, desk=desk)


async def away(_: Outgoing) -> None:
    """Be a host that does not answer."""
    raise TransientError("git.example cannot be called: refused")


async def refused(_: Outgoing) -> None:
    """Be a URL that may not be called."""
    raise UsageError("git.example may not be called")


async def hangs(_: Outgoing) -> None:
    """Be a host that never answers."""
    await asyncio.Event().wait()
