"""A control engine whose runs are told: to a forge's API in memory, through the forge's real adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.store_sql import open_store
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import Project
from pawl.core.model.records import RunRecord
from pawl.core.model.reporting import StatusRecord
from pawl.engine.control import Control, Rules, Trigger
from pawl.engine.reporting import Destinations, Notices, Reporter, ReportingDesk, ReportingRules, Statuses
from pawl.ports.store import Store
from pawl.testing.clock import FakeClock
from pawl.testing.sealing import OpenSealing
from pawl.testing.storage import CountedRandomness, MemoryBlobs, MemoryLogs
from tests.integration.controlling import ONE, PATH, Hand, Server
from tests.integration.world import API, SHA, TOKEN, Postbox, World

NAME = "acme/site"
URL = "https://ci.example"
PUSH = Event(name="push", provider="gitea", repository=NAME, sha=SHA)


@dataclass
class Telling:
    """One server."""

    control: Control
    store: Store
    clock: FakeClock
    outside: World
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
        hands = Server(control=self.control, store=None, clock=self.clock, requests=self.requests)  # type: ignore[arg-type]  # a hand asks the control engine only
        self.requests += 100  # no two hands make the same request
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


def make_telling(store: Store, rules: ReportingRules | None = None, outside: World | None = None) -> Telling:
    """Return a server on a store."""
    clock, randomness, world = FakeClock(), CountedRandomness(), outside or World()
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
        postman=Postbox(world),
        rules=wanted,
    )
    return Telling(control=control, store=store, clock=clock, outside=world, desk=desk)
