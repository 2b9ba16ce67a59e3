"""A server in the test's own loop, on a real port, with a real SQLite file; and a worker driven by hand."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.git.mirror import Access, GitMirrors
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.server_http import HttpServerLink
from pawl.adapters.store_sql import open_store
from pawl.adapters.system import SteadyClock, SystemRandomness
from pawl.core.model.forge import ForgeKind
from pawl.core.model.line_index import line_records
from pawl.core.model.work import Lease, WorkerHello
from pawl.engine.control import Control, Rules
from pawl.engine.reporting import ReportingDesk, ReportingRules
from pawl.ports.store import Store
from pawl.server.application import make_application
from pawl.server.counting import Counting
from pawl.server.health import Readiness
from pawl.server.intake import Outside, make_intake
from pawl.server.listening import WebServer, address_of, listen, make_web_server
from pawl.server.measured_store import MeasuredStore
from pawl.server.metrics import Metrics
from pawl.server.reporting import make_reporter, make_reporting
from pawl.server.services import Services
from pawl.server.stopping import Stopping
from pawl.server.waking import Waking
from pawl.testing.sealing import OpenSealing
from pawl.wire import PROTOCOL
from tests.integration.intaking import signed_forges
from tests.integration.world import Postbox, World
from tests.reporting import append_log

PATIENCE = 60.0
LABEL = "self-hosted"
ONE_STEP = f"on: workflow_dispatch\njobs:\n  build:\n    runs-on: {LABEL}\n    steps:\n      - run: make\n"
SCOPES = ("read", "user", "admin", "worker")


@dataclass
class Answer:
    """What a server answered, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Serving:
    """A server that runs, and the means to talk to it."""

    url: str
    services: Services
    web: WebServer
    tokens: dict[str, str]
    session: aiohttp.ClientSession
    world: World
    links: list[HttpServerLink] = field(default_factory=list)

    async def ask(self, method: str, path: str, *, by: str | None = "admin", **more: Any) -> Answer:
        """Make a request with the token of a scope (None: without one) and return the whole answer."""
        headers = dict(more.pop("headers", {}))
        if by is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens[by]}")
        async with self.session.request(method, self.url + path, headers=headers, **more) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def trigger(self, workflow: str = ONE_STEP, **more: Any) -> int:
        """Start a run and return its id."""
        body = {"repository": "a/b", "path": ".github/workflows/x.yml", "workflow": workflow, **more}
        answer = await self.ask("POST", "/api/runs", json=body)
        assert answer.status == 201, answer.body
        return int(answer.json["id"])

    async def worker(self, name: str = "w1", *, token: str | None = None) -> HttpServerLink:
        """Return a worker's connection that has said hello."""
        link = HttpServerLink(self.url, token or self.tokens["worker"], name=name)
        self.links.append(link)
        await link.hello(WorkerHello(name=name, labels=(LABEL,), slots=4, protocol=PROTOCOL, version="0"))
        return link

    async def begun(self, name: str = "w1", workflow: str = ONE_STEP) -> tuple[HttpServerLink, Lease]:
        """Start a run, and have a worker begin its first job."""
        await self.trigger(workflow)
        link = await self.worker(name)
        (work,) = await link.lease("request-1", 1, 10)
        await link.begin(work.lease)
        return link, work.lease

    async def stop(self) -> None:
        """Have it end as a signal does."""
        self.services.stopping.begin()
        self.services.waking.tell_all()
        self.web.should_exit = True


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, for a minute at most."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


@functools.cache
def _empty_database() -> bytes:
    """Return a database with its schema: making that anew for each test takes longest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pawl.db"
        asyncio.run(open_store(f"sqlite:///{path}").aclose())
        return path.read_bytes()


def _store_in(path: Path) -> Store:
    if not path.exists():
        path.write_bytes(_empty_database())
    return open_store(f"sqlite:///{path}")


@asynccontextmanager
async def serving(folder: Path, *, rules: Rules | None = None) -> AsyncIterator[Serving]:
    """Yield a server with its data in a folder."""
    store: Store = await asyncio.to_thread(_store_in, folder / "pawl.db")
    logs, blobs = FolderLogBytes(folder / "logs"), FolderBlobs(folder / "blobs")
    clock, randomness, stopping = SteadyClock(), SystemRandomness(), Stopping()
    metrics = Metrics("0")
    store = MeasuredStore(store, metrics.db_seconds)
    world, told = World(), ReportingRules(url="https://ci.test")
    listening = dataclasses.replace(rules or Rules(), listeners=(make_reporter(told),))
    control = Control(store, logs, blobs, clock, randomness, listening)
    mirrors = GitMirrors(folder / "mirrors", access=Access(protocols=("http",)))
    outside = Outside(sealing=OpenSealing(), forges=signed_forges(), mirrors=mirrors)
    desk = ReportingDesk(
        store=store,
        clock=clock,
        randomness=randomness,
        sealing=OpenSealing(),
        forges={ForgeKind.GITEA: GiteaForge(world, clock)},
        sender=world,
        postman=Postbox(world),
        rules=told,
    )
    reporting = make_reporting(desk, metrics)
    intake = make_intake(
        control,
        outside,
        clock,
        randomness,
        store=store,
        offload=asyncio.to_thread,
        tell_refused=reporting.statuses.kept_out,
    )
    services = Services(
        control=control,
        intake=intake,
        reporting=reporting,
        store=store,
        logs=logs,
        blobs=blobs,
        clock=clock,
        randomness=randomness,
        waking=Waking(stopping),
        stopping=stopping,
        metrics=metrics,
        counting=Counting(control, metrics),
        readiness=Readiness({"store": store.check, "logs": logs.check, "blobs": blobs.check}, clock),
        poll_seconds=0.2,
        heartbeat_seconds=0.4,
    )
    store.subscribe(services.waking.tell)
    web = make_web_server(make_application(services, version="0", hosts=("ci.test",)), grace=5)
    listener: socket.socket = listen("127.0.0.1", 0)
    running = asyncio.create_task(web.serve(sockets=[listener]))
    tokens = {scope: await control.tokens.create(scope, scope, by=None) for scope in SCOPES}
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        made = Serving(address_of(listener), services, web, tokens, session, world)
        try:
            await until(lambda: web.started)
            yield made
        finally:
            for link in made.links:
                await link.aclose()
            await session.close()
            await made.stop()
            await running
            await mirrors.close()
            await services.counting.aclose()
            await store.aclose()


async def write_log(
    link: HttpServerLink, lease: Lease, index: int, lines: list[tuple[str, str]], *, offset: int = 0
) -> int:
    """Have a worker store lines (stream, text) of a step's log, bytes and index; return how many bytes."""
    data, records, count = b"", b"", 0
    start = offset
    for stream, text in lines:
        part = text.encode()
        records += line_records(
            part, offset=start, stream=stream, time=1_700_000_000 + count, continued=False
        )
        data, start, count = data + part, start + len(part), count + 1
    known = await append_log(link, lease, index, "data", offset, data, name="step")
    first = await _index_size(link, lease, index)
    await append_log(link, lease, index, "index", first, records, name="step")
    return known


async def _index_size(link: HttpServerLink, lease: Lease, index: int) -> int:
    return await append_log(link, lease, index, "index", 0, b"", name="step")


def moved(lease: Lease, **more: Any) -> Lease:
    """Return a lease that names something else."""
    reference = {name: more.pop(name) for name in ("run", "job", "attempt") if name in more}
    return dataclasses.replace(lease, ref=dataclasses.replace(lease.ref, **reference), **more)
