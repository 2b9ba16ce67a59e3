"""Many at once, on every database: threads, locks and transactions that are run again change nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pawl.adapters.store_sql import open_store
from pawl.core.model.errors import StaleLease
from pawl.core.model.events import Event
from pawl.core.model.ids import RunId, WorkerId
from pawl.core.model.records import AttemptRef, RunRecord
from pawl.core.model.status import Conclusion, Status
from pawl.core.model.work import Result, Work, WorkerHello
from pawl.engine.control import Control, Rules, Trigger
from pawl.ports.store import Store
from pawl.testing.clock import FakeClock
from pawl.testing.storage import CountedRandomness, MemoryBlobs, MemoryLogs
from tests.integration.controlling import CHAIN, PATH, TOKEN
from tests.postgres import PostgresServer, serving

GROUPED = "concurrency: {group: deploy, cancel-in-progress: true}\n" + CHAIN
RUNS = 12


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/pawl.db"
    else:
        url = request.getfixturevalue("postgres").database()
    opened = await asyncio.to_thread(open_store, url)
    yield opened
    await opened.aclose()


class Everybody:
    """Several workers of one server, each doing one thing after the other."""

    def __init__(self, store: Store) -> None:
        clock = FakeClock()
        self.control = Control(store, MemoryLogs(), MemoryBlobs(clock), clock, CountedRandomness(), Rules())
        self.taken: list[AttemptRef] = []

    async def trigger(self, number: int, text: str) -> RunRecord:
        wanted = Trigger(path=PATH, text=text, event=Event(name="push"), request_id=f"r{number}")
        return await self.control.runs.trigger(wanted)

    async def work(self, name: str) -> None:
        hello = WorkerHello(name=name, labels=("linux",), slots=3, protocol=1, version="1")
        worker = (await self.control.workers.hello(TOKEN, hello)).worker
        number = 0
        while await self._is_going_on():
            number += 1
            for work in await self.control.workers.lease(worker, f"{name}-{number}", 2):
                self.taken.append(work.lease.ref)
                await self._do(worker, work)

    async def _do(self, worker: WorkerId, work: Work) -> None:
        workers, lease = self.control.workers, work.lease
        done = Result(key=f"{lease.ref}/{lease.epoch}", conclusion=Conclusion.SUCCESS, duration=1.0)
        # A newer run of its group may take the job back before it has begun.
        with contextlib.suppress(StaleLease):
            await workers.begin(worker, lease)
            (renewal,) = await workers.renew(worker, [lease])
            if renewal.cancel is not None:
                done = Result(key=done.key, conclusion=Conclusion.CANCELLED, duration=1.0)
            await asyncio.gather(*(workers.finish(worker, lease, done) for _ in range(2)))

    async def look_after(self) -> None:
        """Sweep, and look at everything, as long as anything goes on."""
        while await self._is_going_on():
            assert not (await self.control.sweep()).broken
            await self.control.queue.entries()

    async def _is_going_on(self) -> bool:
        return bool(await self.control.store.read(lambda tx: tx.runs.unfinished()))


@pytest.mark.parametrize("text", [CHAIN, GROUPED], ids=["chain", "grouped"])
async def test_every_run_ends_and_nothing_is_done_twice(store: Store, text: str) -> None:
    everybody = Everybody(store)
    first = await everybody.trigger(0, text)
    made = asyncio.gather(*(everybody.trigger(number, text) for number in range(RUNS) for _ in range(2)))
    async with asyncio.timeout(300):
        await made
        workers = [everybody.work(f"w{number}") for number in range(4)]
        await asyncio.gather(everybody.look_after(), *workers)
    runs = [
        await everybody.control.runs.get(RunId(number)) for number in sorted({r.id for r in made.result()})
    ]
    assert first.id in {run.id for run in runs}
    assert len(runs) == RUNS
    assert {run.status for run in runs} == {Status.COMPLETED}
    assert len(everybody.taken) == len(set(everybody.taken))
    if text == CHAIN:
        assert len(everybody.taken) == 3 * RUNS
    for run in runs:
        rows = await everybody.control.runs.attempts(run.id)
        assert all(row.conclusion is not None for row in rows)
        sequences = [each.sequence for each in await everybody.control.runs.events(run.id)]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_a_token_that_is_used_while_it_is_revoked_stays_revoked(store: Store) -> None:
    tokens = Everybody(store).control.tokens
    for number in range(40):
        secret = await tokens.create(f"t{number}", "user", by=None)
        uses = [tokens.check(secret) for _ in range(3)]
        await asyncio.gather(*uses, tokens.revoke(f"t{number}", by=None), return_exceptions=True)
    assert [record.name for record in await tokens.all() if not record.revoked] == []
