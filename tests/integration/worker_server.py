"""A server for workers' tests, in memory: owns offsets, epochs and idempotence as the real one does."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.job_processes import JobProcesses
from pawl.adapters.system import SystemClock, SystemRandomness
from pawl.core.model.errors import Denied, OffsetConflict, StaleLease, Unavailable
from pawl.core.model.ids import Epoch, JobId, JobKey, RunId, WorkerId
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Combination, Json
from pawl.core.model.records import ArtifactEntry, ArtifactRecord, AttemptRef
from pawl.core.model.reports import NOTHING, Part, Piece, Report, Reported, Taken
from pawl.core.model.work import Begun, Lease, Payload, Renewal, Result, Welcome, Work, WorkerHello
from pawl.core.planning.storage import plan_to_json
from pawl.ports.executor import Executor
from pawl.testing.builders import make_plan
from pawl.worker.main import job_command
from pawl.worker.options import WorkerOptions
from pawl.worker.tools import Tools
from pawl.worker.worker import Worker

PATIENCE = 90.0
OF_THE_FORGE = "packed from the server's mirror"
_numbers = itertools.count(1)


@dataclass
class Held:
    """One attempt at the server."""

    work: Work
    given: Begun = field(default_factory=Begun)
    begun: bool = False
    result: Result | None = None
    events: list[Json] = field(default_factory=list)
    logs: dict[tuple[int, Part], bytearray] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    cancel: str | None = None
    at_once: bool = False
    stale: bool = False
    artifacts: dict[str, tuple[ArtifactEntry, ...]] = field(default_factory=dict)

    def log(self, index: int) -> str:
        return bytes(self.logs.get((index, "data"), b"")).decode("utf-8", "replace")

    def text(self) -> str:
        return "".join(self.log(index) for index in sorted(self.names))

    def told(self, kind: str) -> list[dict[str, Json]]:
        return [event for event in self.events if isinstance(event, dict) and event.get("type") == kind]


class FakeServer:
    """The port `ServerLink`, with levers for tests."""

    def __init__(self, *, lease_seconds: float = 30.0, renew_every: float = 0.2) -> None:
        self.lease_seconds = lease_seconds
        self.renew_every = renew_every
        self.queue: list[Held] = []
        self.held: dict[AttemptRef, Held] = {}
        self.hellos: list[WorkerHello] = []
        self.health = ""
        self.draining = False
        self.renewals = 0
        self.down = False
        self.denied = False
        self.reports: list[Report] = []
        self.refused: set[int] = set()
        self.calls: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.sources: dict[str, bytes] = {}
        self.before: Callable[[str], Awaitable[None]] | None = None
        self._changed = asyncio.Event()
        self._answers: dict[str, tuple[Work, ...]] = {}

    def add(self, workflow: str, *, key: str = "job", secrets: dict[str, str] | None = None) -> Held:
        """Queue one job of a workflow."""
        plan = make_plan(workflow)
        number = next(_numbers)
        ref = AttemptRef(run=RunId(number), job=JobId(key), attempt=1)
        work = Work(
            lease=Lease(ref=ref, epoch=Epoch(1), seconds=self.lease_seconds),
            number=number,
            run_attempt=1,
            correlation=f"c{number}",
            plan=plan_to_json(plan),
            payload=Payload(
                key=JobKey(key),
                combination=Combination(index=0, total=1, name=key, values={}),
                fail_fast=True,
                max_parallel=None,
                needs={},
            ),
            images={"ubuntu-latest": "pawl/busybox:test"},
        )
        held = Held(work, given=Begun(secrets=secrets or {}))
        self.queue.append(held)
        self._tell()
        return held

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something that a worker makes true."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while True:
            if condition():
                return
            assert asyncio.get_running_loop().time() < end, f"not in time: {what}"
            await asyncio.sleep(0.005)

    async def finished(self, held: Held) -> Result:
        await self.until(lambda: held.result is not None, "finished")
        assert held.result is not None
        return held.result

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _enter(self, call: str) -> None:
        self.calls.append(call)
        if self.before is not None:
            await self.before(call)
        if self.denied:
            raise Denied("the token was revoked")
        if self.down:
            raise Unavailable("the test took the server down")

    def _of(self, lease: Lease) -> Held:
        held = self.held.get(lease.ref)
        if held is None or held.stale or held.work.lease.epoch != lease.epoch:
            raise StaleLease(f"{lease.ref} is another's by now")
        return held

    async def hello(self, hello: WorkerHello) -> Welcome:
        await self._enter("hello")
        self.hellos.append(hello)
        stale = tuple(
            lease.ref for lease in hello.running if lease.ref not in self.held or self.held[lease.ref].stale
        )
        return Welcome(
            worker=WorkerId("w1"),
            protocol=1,
            version="test",
            renew_every=self.renew_every,
            lease_seconds=self.lease_seconds,
            poll_seconds=1.0,
            stale=stale,
        )

    async def lease(self, request: str, slots: int, wait: float) -> tuple[Work, ...]:
        await self._enter("lease")
        if request in self._answers:
            return self._answers[request]
        if not self.queue:
            changed = self._changed
            try:
                async with asyncio.timeout(wait):
                    await changed.wait()
            except TimeoutError:
                return ()
        taken, self.queue = self.queue[:slots], self.queue[slots:]
        self.held.update({held.work.lease.ref: held for held in taken})
        self._answers[request] = tuple(held.work for held in taken)
        return self._answers[request]

    async def renew(self, leases: Sequence[Lease], *, health: str, draining: bool) -> tuple[Renewal, ...]:
        await self._enter("renew")
        self.health, self.draining = health, draining
        self.renewals += 1
        return tuple(self._renewal(lease) for lease in leases)

    def _renewal(self, lease: Lease) -> Renewal:
        held = self.held.get(lease.ref)
        if held is None or held.stale:
            return Renewal(ref=lease.ref, alive=False)
        return Renewal(
            ref=lease.ref,
            alive=True,
            seconds=self.lease_seconds,
            cancel=held.cancel,
            at_once=held.at_once,
        )

    async def begin(self, lease: Lease) -> Begun:
        await self._enter("begin")
        held = self._of(lease)
        held.begun = True
        return held.given

    async def report(self, lease: Lease, report: Report) -> Reported:
        await self._enter("report")
        return self._keep(self._of(lease), report)

    def _keep(self, held: Held, report: Report) -> Reported:
        self.reports.append(report)
        pieces = tuple(
            Taken(size=0, refused="the test refuses it")
            if piece.index in self.refused
            else _append(held, piece)
            for piece in report.pieces
        )
        if report.first > len(held.events):
            raise OffsetConflict("events are missing", size=len(held.events))
        if not any(taken.conflict or taken.refused for taken in pieces):
            held.events[report.first :] = report.events
        return Reported(told=len(held.events), pieces=pieces)

    async def finish(self, lease: Lease, result: Result, report: Report = NOTHING) -> None:
        await self._enter("finish")
        held = self._of(lease)
        if not report.is_empty:
            reported = self._keep(held, report)
            for taken in reported.pieces:
                if taken.conflict:
                    raise OffsetConflict("a piece is not taken", size=taken.size)
        for end in result.logs:
            stored = bytes(held.logs.get((end.index, "data"), b""))
            if not end.note and len(stored) < end.size:
                raise OffsetConflict("the log is not whole", size=len(stored))
            if not end.note:
                assert hashlib.sha256(stored).hexdigest() == end.sha256
        held.result = result

    async def source(self, lease: Lease, *, artifact: tuple[str, str] | None = None) -> AsyncIterator[bytes]:
        await self._enter("source")
        if artifact is not None:
            entries = self._of(lease).artifacts[artifact[0]]
            yield next(self.blobs[entry.sha256] for entry in entries if entry.name == artifact[1])
            return
        yield self.sources[self._of(lease).work.source or OF_THE_FORGE]

    async def put_blob(self, lease: Lease, chunks: AsyncIterator[bytes], *, digest: str, size: int) -> None:
        await self._enter("put_blob")
        self._of(lease)
        content = b"".join([chunk async for chunk in chunks])
        assert len(content) == size
        assert hashlib.sha256(content).hexdigest() == digest
        self.blobs[digest] = content

    async def artifacts(
        self, lease: Lease, name: str | None, files: Sequence[ArtifactEntry], *, replace: bool
    ) -> tuple[Json, ...]:
        await self._enter("artifacts")
        held = self._of(lease)
        if name is not None:
            held.artifacts[name] = tuple(files)
        return tuple(
            to_plain(
                ArtifactRecord(
                    run=lease.ref.run,
                    name=each,
                    job=lease.ref.job,
                    attempt=1,
                    created_at=0.0,
                    size=0,
                    files=entries,
                )
            )
            for each, entries in held.artifacts.items()
        )


def _append(held: Held, piece: Piece) -> Taken:
    stored = held.logs.setdefault((piece.index, piece.part), bytearray())
    held.names[piece.index] = piece.name
    overlap = bytes(stored[piece.offset : piece.offset + len(piece.data)])
    if piece.offset > len(stored) or overlap != piece.data[: len(overlap)]:
        return Taken(size=len(stored), conflict=True)
    stored += piece.data[len(overlap) :]
    return Taken(size=len(stored))


@dataclass
class Running:
    """A worker that runs in this process."""

    worker: Worker
    task: asyncio.Task[None]
    notices: list[str]
    data: Path

    @property
    def spools(self) -> list[str]:
        folder = self.data / "jobs"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    async def drained(self) -> None:
        """Drain it and wait for its end."""
        self.worker.interrupt()
        async with asyncio.timeout(PATIENCE):
            await self.task


def options_for(data: Path, **changes: object) -> WorkerOptions:
    values: dict[str, object] = {"url": "http://test", "token": "t", "name": "w", "slots": 2, "disk_floor": 0}
    return WorkerOptions(data=data, **{**values, **changes})  # type: ignore[arg-type]  # - test data


def identity_of(data: Path) -> str:
    """Return an identity that no other test's worker has: workers sweep the whole machine for their own."""
    return f"pawlw1/{data.parent.name}-{os.getpid()}"


@asynccontextmanager
async def running_worker(
    server: FakeServer, data: Path, *, on: Executor | None = None, **changes: object
) -> AsyncIterator[Running]:
    """Run a worker, on the host executor by default, until the block ends; what still runs is ended then."""
    executor = on or HostExecutor()
    options = options_for(data, **changes)
    await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
    notices: list[str] = []
    host = JobProcesses(job_command(executor.kind), ready=True)
    tools = Tools(
        link=server,
        host=host,
        executor=executor,
        clock=SystemClock(),
        randomness=SystemRandomness(),
        notice=lambda text, about=None, /: notices.append(f"{about.lease.ref}: {text}" if about else text),
    )
    worker = Worker(options, tools, spools=data / "jobs", identity=identity_of(data))
    task = asyncio.create_task(worker.run())
    running = Running(worker, task, notices, data)
    try:
        yield running
    except BaseException:
        sys.stderr.write("\n".join(notices) + "\n")
        raise
    finally:
        if not task.done():
            worker.interrupt()
            worker.interrupt()
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(task, return_exceptions=True)
        await host.aclose()
