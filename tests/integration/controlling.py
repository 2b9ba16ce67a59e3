"""A control engine on a real SQLite database, with a worker that tests drive by hand."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pawl.adapters.store_sql.inline_store import InlineStore
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, RunId, WorkerId
from pawl.core.model.records import AttemptState, RunRecord
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Begun, Lease, LogEnd, Result, Work, WorkerHello
from pawl.engine.control import Control, Keeping, Rules, Trigger
from pawl.testing.clock import FakeClock
from pawl.testing.sealing import OpenSealing
from pawl.testing.storage import CountedRandomness, MemoryBlobs, MemoryLogs

TOKEN = "a" * 64
PATH = ".github/workflows/ci.yml"

ONE = """
on: push
jobs:
  build:
    runs-on: linux
    steps: [{run: make}]
"""

CHAIN = """
on: push
jobs:
  build:
    runs-on: linux
    outputs: {word: "${{ steps.a.outputs.word }}"}
    steps: [{id: a, run: make}]
  test:
    needs: build
    runs-on: linux
    steps: [{run: "echo ${{ needs.build.outputs.word }}"}]
  sum:
    needs: test
    if: always()
    runs-on: linux
    steps: [{run: make}]
"""


@dataclass
class Server:
    """A control engine with its parts."""

    control: Control
    store: InlineStore
    clock: FakeClock
    topics: list[str] = field(default_factory=list)
    requests: int = 0

    async def trigger(
        self, text: str = ONE, *, path: str = PATH, event: Event | None = None, **more: Any
    ) -> RunRecord:
        wanted = Trigger(path=path, text=text, event=event or Event(name="push"), **more)
        return await self.control.runs.trigger(wanted)

    async def worker(self, name: str = "w", labels: Sequence[str] = ("linux",), slots: int = 9) -> Hand:
        hello = WorkerHello(name=name, labels=tuple(labels), slots=slots, protocol=1, version="1")
        welcome = await self.control.workers.hello(TOKEN, hello)
        return Hand(self, welcome.worker)

    async def kinds(self, run: RunId) -> list[str]:
        """Return which events the run has, in order, with the job's id where they have one."""
        told = [each.event for each in await self.control.runs.events(run)]
        return [
            " ".join(filter(None, (str(e["type"]), str(e.get("job") or ""))))
            for e in told
            if isinstance(e, dict)
        ]

    async def states(self, run: RunId) -> dict[str, AttemptState]:
        rows = await self.control.runs.attempts(run)
        return {f"{row.ref.job}/{row.ref.attempt}": row.state for row in rows}


@dataclass
class Hand:
    """A worker."""

    server: Server
    id: WorkerId

    async def take(self, slots: int = 9) -> tuple[Work, ...]:
        self.server.requests += 1
        return await self.server.control.workers.lease(self.id, f"r{self.server.requests}", slots)

    async def take_one(self) -> Lease:
        (work,) = await self.take(1)
        return work.lease

    async def begin(self, lease: Lease) -> Begun:
        return await self.server.control.workers.begin(self.id, lease)

    async def finish(
        self,
        lease: Lease,
        conclusion: Conclusion = Conclusion.SUCCESS,
        *,
        outputs: Mapping[str, str] | None = None,
        failure_class: FailureClass | None = None,
        logs: tuple[LogEnd, ...] = (),
        key: str = "",
    ) -> None:
        result = Result(
            key=key or f"key of {lease.ref} {lease.epoch}",
            conclusion=conclusion,
            duration=1.0,
            outputs=outputs or {},
            failure_class=failure_class,
            logs=logs,
        )
        await self.server.control.workers.finish(self.id, lease, result)

    async def run_all(self, conclusion: Conclusion = Conclusion.SUCCESS) -> list[JobId]:
        """Take, begin and finish until nothing is left; return the jobs in the order they came."""
        done = []
        while taken := await self.take():
            for work in taken:
                await self.begin(work.lease)
                await self.finish(work.lease, conclusion)
                done.append(work.lease.ref.job)
        return done


def make_server(path: str = ":memory:", rules: Rules | None = None, clock: FakeClock | None = None) -> Server:
    """Return a control engine on a database in that file."""
    clock = clock or FakeClock()
    store = InlineStore(path)
    keeping = Keeping(sealing=OpenSealing())
    logs, blobs = MemoryLogs(), MemoryBlobs(clock)
    control = Control(store, logs, blobs, clock, CountedRandomness(), rules or Rules(), keeping=keeping)
    server = Server(control=control, store=store, clock=clock)
    store.subscribe(lambda topics: server.topics.extend(sorted(topics)))
    return server


def log_end(index: int, data: bytes, note: str = "") -> LogEnd:
    """Return how a log with these bytes ends."""
    return LogEnd(
        index=index,
        name=f"step {index}",
        size=len(data),
        lines=data.count(b"\n"),
        sha256=hashlib.sha256(data).hexdigest(),
        note=note,
    )


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """Yield these parts."""
    for part in parts:
        yield part
