"""One seed: a server, its workers and its users, their faults, and whether all of it held."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pawl.adapters.store_sql import open_store
from pawl.core.model.ids import RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptState
from pawl.core.model.status import Status
from pawl.core.queue import groups
from pawl.engine.control import marks
from pawl.engine.control.rules import Quotas, Retention, Rules
from pawl.ports.log_bytes import LogName
from pawl.ports.store import Store
from tests.simulation import audit
from tests.simulation.draws import Faults, draw_faults, stream
from tests.simulation.gates import Reviewers, draw_gates, is_gated, maybe_from_fork, with_environments
from tests.simulation.history import History
from tests.simulation.host import Host, is_forged
from tests.simulation.loop import NothingToDo, SimulationLoop
from tests.simulation.network import Network
from tests.simulation.oracle import Oracle
from tests.simulation.server import Server
from tests.simulation.storage import Disk
from tests.simulation.views import RunView, read_view
from tests.simulation.worker import LOG_QUOTA, Worker
from tests.simulation.workload import Users, draw_workflow

STORM = 100.0
"""Virtual seconds in which things go wrong."""

NEVER_HIT = {
    "group.healed": "groups are handed on in the transaction that frees them; the sweep is for later defects",
}
"""Marks that no seed can hit, and why."""

_WORKERS = frozenset({"job_started", "step_started", "step_finished"})

PATIENCE = 12_000.0
"""Virtual seconds in which everything must end once nothing goes wrong any more."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a seed."""

    seed: int
    violations: tuple[str, ...]
    trace_hash: str
    faults: str
    marks: Counter[str]
    seconds: float
    commits: int
    points: int


@dataclass(kw_only=True)
class Options:
    """How a seed is run: all of it changes what happens, so all of it is needed to see it again.

    Attributes:
        crash_at: the server is killed at its n-th await or commit, and no faults are drawn.
        quiet: no faults are drawn.
        first_only: the first violation ends it.
        trace: called with each line of what happens.
    """

    crash_at: int | None = None
    quiet: bool = False
    first_only: bool = False
    trace: Callable[[str], None] | None = None


@lru_cache(maxsize=1024)
def _workflow(number: int) -> str:
    return draw_workflow(stream(number, "workflow"))


@lru_cache(maxsize=1024)
def _deploying_workflow(number: int) -> str:
    return with_environments(_workflow(number), stream(number, "environments"))


@dataclass(kw_only=True)
class _Trace:
    loop: SimulationLoop
    show: Callable[[str], None] | None
    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)  # noqa: UP037 - the name is a stub's only

    def __call__(self, line: str) -> None:
        text = f"{self.loop.time():10.3f} {line}"
        self.hash.update(text.encode())
        if self.show is not None:
            self.show(text)


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, options: Options, loop: SimulationLoop, store: Store) -> None:
        self.seed = seed
        self.loop = loop
        self.store = store
        self.faults = Faults() if options.quiet or options.crash_at else draw_faults(self._draw("faults"))
        self.drawn = str(self.faults)
        self.trace = _Trace(loop=loop, show=options.trace)
        self.history = History(trace=self.trace, found=loop.stop if options.first_only else lambda: None)
        self.disk = Disk()
        self.rules = Rules(
            queue_timeout=200.0,
            begin_limit=60.0,
            poll_seconds=20.0,
            retention=Retention(every=1e9),
            quotas=Quotas(outputs=400, log=LOG_QUOTA),
            approval_timeout=120.0,
        )
        self.oracle = Oracle(self.history, self.rules)
        gates_draw = self._draw("gated")
        self.gates = draw_gates(gates_draw) if is_gated(gates_draw) else None
        self.oracle.gates = self.gates
        self.server = Server(
            store=store,
            disk=self.disk,
            rules=self.rules,
            faults=self.faults,
            history=self.history,
            oracle=self.oracle,
            draw=self._draw,
            trace=self.trace,
            sweep_every=7.0,
        )
        self.server.crash_at = options.crash_at
        self.network = Network(self.server, self.faults, self._draw("network"), self.trace)
        draw = self._draw("world")
        self.hosts = [self._host(number, draw) for number in range(draw.choice((1, 2, 2, 3)))]
        self.workers: list[Worker | None] = [None for _ in self.hosts]
        self.users = Users(
            network=self.network,
            history=self.history,
            draw=self._draw("users"),
            workflow=_workflow if self.gates is None else _deploying_workflow,
            trace=self.trace,
            runs=draw.choice((1, 1, 2, 2, 3, 4)),
            until=STORM * 0.6,
        )
        if self.gates is not None:
            self.users.event = lambda event: maybe_from_fork(event, gates_draw)

    def _draw(self, name: str) -> random.Random:
        return stream(self.seed, name)

    def _host(self, number: int, draw: random.Random) -> Host:
        labels = ("ubuntu-latest", "special") if number == 0 or draw.random() < 0.3 else ("ubuntu-latest",)
        return Host(f"h{number}", self.seed, self.history, labels=labels, slots=draw.choice((1, 2, 2, 4)))

    # The storm, then the calm.

    async def live(self) -> None:
        """Let all of it happen."""
        if self.gates is not None:
            await self.store.write(self.gates.prepare)
        self.server.start()
        for number in range(len(self.hosts)):
            self._start_worker(number)
        for worker in self.workers:
            assert worker is not None
            worker.rivals = tuple(other.id for other in self.workers if other and other.id != worker.id)
            self.oracle.slots[worker.id] = worker.host.slots
            self.oracle.labels[worker.id] = frozenset(worker.host.labels)
        users = asyncio.ensure_future(self.users.live())
        reviewers = asyncio.ensure_future(self._review())
        trouble = [asyncio.ensure_future(self._trouble(number)) for number in range(len(self.hosts))]
        quiet = str(self.faults) == "none" and self.server.crash_at is None
        await asyncio.sleep(0.0 if quiet else STORM)
        for task in trouble:
            task.cancel()
        self._heal()
        await self._calm(users)
        reviewers.cancel()
        await self._end()

    async def _review(self) -> None:
        if self.gates is not None:
            draw = self._draw("reviewers")
            await Reviewers(network=self.network, gates=self.gates, draw=draw, trace=self.trace).live()

    def _start_worker(self, number: int) -> None:
        incarnation = f"worker{number}@{self.loop.time():.3f}"
        worker = Worker(self.hosts[number], self.network, self.faults, self._draw(incarnation), self.trace)
        others = [other.id for other in self.workers if other and other.id != worker.id]
        worker.rivals = tuple(others)
        self.workers[number] = worker
        self.trace(f"worker {self.hosts[number].name} starts")
        worker.start()

    async def _trouble(self, number: int) -> None:
        draw = self._draw(f"trouble{number}")
        host = self.hosts[number]
        while True:
            await asyncio.sleep(draw.uniform(2, 18))
            worker = self.workers[number]
            assert worker is not None
            span = draw.choice((1.0, 10.0, 50.0, 80.0)) * draw.uniform(0.3, 1.0)
            if draw.random() < self.faults.pause:
                self.trace(f"{host.name} stands still for {span:.1f} s")
                worker.pause()
                await asyncio.sleep(span)
                worker.resume()
            elif draw.random() < self.faults.kill or draw.random() < self.faults.reboot:
                reboot = draw.random() < self.faults.reboot / (self.faults.kill + self.faults.reboot)
                self.trace(f"{host.name} {'reboots' if reboot else 'loses its worker'} for {span:.1f} s")
                worker.kill()
                if reboot:
                    host.reboot()
                await asyncio.sleep(span)
                self._start_worker(number)
            elif draw.random() < self.faults.partition:
                ways = draw.choice(((True, True), (True, False), (False, True)))
                self.trace(f"{host.name} is cut off for {span:.1f} s")
                self._cut(host.name, *ways)
                await asyncio.sleep(span)
                self._mend(host.name)

    def _cut(self, name: str, there: bool, back: bool) -> None:
        if there:
            self.network.cut.add(name)
        if back:
            self.network.cut_back.add(name)

    def _mend(self, name: str) -> None:
        self.network.cut.discard(name)
        self.network.cut_back.discard(name)

    def _heal(self) -> None:
        self.trace("all is well from now on")
        self.faults.heal()
        self.network.cut.clear()
        self.network.cut_back.clear()
        for number, worker in enumerate(self.workers):
            assert worker is not None
            worker.resume()
            if not worker.is_alive:
                self._start_worker(number)

    async def _calm(self, users: "asyncio.Future[None]") -> None:  # noqa: UP037 - not at run time
        """Wait until everything has ended (I13-I15)."""
        end = self.loop.time() + PATIENCE
        while self.loop.time() < end:
            views = self.oracle.views.values()
            if users.done() and all(view.record.status is Status.COMPLETED for view in views):
                break
            await asyncio.sleep(5.0)
        if not users.done():
            self.history.violated("I13", "users wait for ever")
            users.cancel()
        for view in self.oracle.views.values():
            if view.record.status is not Status.COMPLETED:
                states = {str(ref.job): row.state.value for ref, row in view.attempts.items()}
                self.history.violated("I13", f"run {view.id} does not end: {states}")
        # What workers still hold they hand in or drop.
        for _ in range(18):
            if any(host.spools for host in self.hosts):
                await asyncio.sleep(5.0)
        for host in self.hosts:
            for spool in host.spools.values():
                self.history.violated("I16", f"{host.name} still has {spool.lease.ref}")

    # The end.

    async def _end(self) -> None:
        self.server.stop()
        for worker in self.workers:
            assert worker is not None
            worker.kill()
        for host in self.hosts:
            host.reboot()
        await self.network.aclose()
        await self._audit()

    async def _audit(self) -> None:
        """Hold the database against what was acknowledged."""
        history = self.history
        for request, run in history.accepted.items():
            if run not in self.oracle.views:
                history.violated("I22", f"{request} was accepted as run {run}, which does not exist")
        if len(self.oracle.views) > self.users.runs:
            history.violated("I21", f"{len(self.oracle.views)} runs, {self.users.runs} were asked for")
        for (name, part), stored in self.disk.logs.items():
            history.check_log(name, part, bytes(stored))
        for (name, part), size in history.acknowledged.items():
            if size > len(self.disk.logs.get((name, part), b"")):
                history.violated("I17", f"{name} {part}: {size} bytes were acknowledged and are gone")
        for view in self.oracle.views.values():
            again = await self.store.read(lambda transaction, run=view.id: read_view(transaction, run))  # type: ignore[misc] - bound here
            assert again is not None
            for message in audit.audit_events(again, again.events):
                history.note(message)
            if again.record != view.record or again.attempts != view.attempts:
                history.violated("I4", f"run {view.id} changed outside a commit")
            self._audit_results(again)
            self._audit_told(view.id)

    def _audit_told(self, run: RunId) -> None:
        """Check that what workers told is stored, each once and in order (I20)."""
        stored: dict[str, list[Json]] = {}
        for each in self.oracle.events[run]:
            event = each.event
            if is_forged(event):
                self.history.violated("I2", f"run {run} keeps a forged event")
            if isinstance(event, dict) and str(event["type"]) in _WORKERS:
                stored.setdefault(str(event["job"]), []).append(event)
        for ref, told in self.history.told.items():
            if ref.run != run:
                continue
            known = stored.get(str(ref.job), [])
            first = known.index(told[0]) if told and told[0] in known else 0
            if known[first : first + len(told)] != told or sum(each == told[0] for each in known) > 1:
                self.history.violated(
                    "I20", f"{ref}: its {len(told)} events are not stored as they were told"
                )

    def _audit_results(self, view: RunView) -> None:
        for ref, row in view.attempts.items():
            key = self.history.finished.get(ref)
            if key is not None and row.result_key != key:
                self.history.violated("I3", f"{ref} has the result {row.result_key}, acknowledged was {key}")
            if row.state is not AttemptState.FINISHED or row.result_key is None:
                continue
            told = self.history.results.get(row.result_key)
            if told is None or told[0] != (ref, row.epoch):
                self.history.violated("I3", f"{ref} epoch {row.epoch} has the result of {told and told[0]}")
                continue
            logs = {log.index: log for log in view.logs if log.attempt == ref}
            for end in told[1].logs:
                stored = self.disk.logs.get((LogName(attempt=ref, index=end.index), "data"), b"")
                good = len(stored) == end.size and hashlib.sha256(stored).hexdigest() == end.sha256
                good = good or bool(end.note)
                log = logs.get(end.index)
                if not good or log is None or not log.finished or log.sha256 != end.sha256:
                    self.history.violated(
                        "I19", f"{ref} step {end.index}: {len(stored)} of {end.size} bytes, {log}"
                    )


def run_seed(seed: int, options: Options | None = None) -> Outcome:
    """Run one seed and return what became of it."""
    options = options or Options()
    counted: Counter[str] = Counter()
    loop = SimulationLoop(stream(seed, "loop"))
    store = open_store("sqlite:///:memory:", inline=True)
    world = World(seed, options, loop, store)
    marks.listen(lambda name: counted.update([name]))
    most, groups.MOST_WAITING = groups.MOST_WAITING, 1
    try:
        loop.run_until_complete(world.live())
    except NothingToDo:
        world.history.violated("I13", "everybody waits for somebody")
    except RuntimeError:
        # The loop was stopped at the first violation.
        if not (options.first_only and world.history.violations):
            raise
    finally:
        marks.listen(None)
        groups.MOST_WAITING = most
        trace_hash = world.trace.hash.hexdigest()
        violations = tuple(world.history.violations)
        world.history.found = lambda: None
        _tidy(loop, store)
    return Outcome(
        seed=seed,
        violations=violations,
        trace_hash=trace_hash,
        faults=world.drawn,
        marks=counted,
        seconds=loop.time(),
        commits=world.oracle.commits,
        points=world.server.points,
    )


def _tidy(loop: SimulationLoop, store: Store) -> None:
    """End what is left, so that nothing is complained about."""
    left = list(asyncio.all_tasks(loop))
    for task in left:
        task.cancel()
    if left:
        _finish(loop, asyncio.wait(left))
    _finish(loop, loop.shutdown_asyncgens())
    _finish(loop, store.aclose())
    loop.close()


def _finish(loop: SimulationLoop, work: Coroutine[Any, Any, object]) -> None:
    task = loop.create_task(work)
    while not task.done():
        # A stop that was asked for before, at the first violation, may come only now.
        with contextlib.suppress(RuntimeError):
            loop.run_until_complete(task)
