"""The server: the real control engine on a real database, that can be killed at every await."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable
from typing import TypeVar

from pawl.core.model.errors import InternalError, PawlError, Unavailable
from pawl.core.model.ids import WorkerId
from pawl.core.model.work import Work
from pawl.engine.control import Control
from pawl.engine.control.rules import Rules
from pawl.ports.store import Store
from tests.simulation.draws import Faults
from tests.simulation.history import History
from tests.simulation.network import Handler
from tests.simulation.oracle import Oracle
from tests.simulation.storage import Disk, SimulatedBlobs, SimulatedLogs
from tests.simulation.watched_store import WatchedStore

T = TypeVar("T")
EPOCH = 1_700_000_000.0


class Crashed(Exception):  # noqa: N818 - it says what happened
    """The server went away in the middle of something."""


class ServerClock:
    """Wall time when the server started, and monotonic time since."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wall: float) -> None:
        self._loop = loop
        self._wall = wall
        self._started = loop.time()

    def now(self) -> float:
        """Return seconds since 1970, as far as this server knows."""
        return self._wall + self._loop.time() - self._started

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class DrawnRandomness:
    """Ids from the seed."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def token(self, size: int = 16) -> str:
        """Return `size` bytes in hex."""
        return f"{self._draw.getrandbits(8 * size):0{2 * size}x}"

    def fraction(self) -> float:
        """Return a number from 0 up to 1."""
        return self._draw.random()


class Front:
    """What a message may ask of one incarnation; `lease` waits as the server's route does."""

    def __init__(self, control: Control, history: History) -> None:
        self.control = control
        self._history = history
        self.runs = control.runs
        self.workers = control.workers
        self.artifacts = control.artifacts
        self.queue = control.queue

    async def lease(self, worker: WorkerId, request: str, slots: int, wait: float) -> tuple[Work, ...]:
        """Lease, waiting up to `wait` seconds for something that fits."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        news = asyncio.Event()
        unsubscribe = self.control.store.subscribe(lambda topics: news.set() if "queue" in topics else None)
        try:
            while True:
                news.clear()
                found = await self.control.workers.lease(worker, request, slots)
                if found:
                    self._history.lease(request, [(work.lease.ref, work.lease.epoch) for work in found])
                if found or loop.time() >= end:
                    return found
                timer = loop.call_later(end - loop.time(), news.set)
                await news.wait()
                timer.cancel()
        finally:
            unsubscribe()


class Server:
    """One server process after the other, on the same database and disk."""

    def __init__(
        self,
        *,
        store: Store,
        disk: Disk,
        rules: Rules,
        faults: Faults,
        history: History,
        oracle: Oracle,
        draw: Callable[[str], random.Random],
        trace: Callable[[str], None],
        sweep_every: float,
    ) -> None:
        self._store = store
        self._disk = disk
        self._rules = rules
        self._faults = faults
        self._history = history
        self._oracle = oracle
        self._draw = draw("server")
        self._crashes = draw("crashes")
        self._randomness = DrawnRandomness(draw("ids"))
        self._stream = draw
        self._trace = trace
        self._sweep_every = sweep_every
        # Not sets: these are gone through in the order they were made, the same each time.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._pending: dict[asyncio.Future[object], None] = {}
        self._offset = 0.0
        self._front: Front | None = None
        self.incarnation = 0
        self.points = 0
        self.crash_at: int | None = None
        self.stopped = False

    @property
    def front(self) -> Front | None:
        """Return what is there of it; None while it is down."""
        return self._front

    # Its life.

    def start(self) -> None:
        """Start it; it recovers before it listens."""
        if self.stopped:
            return
        self.incarnation += 1
        if self._draw.random() < self._faults.jump:
            self._offset = self._draw.choice((-3600.0, -45.0, 45.0, 3600.0))
        clock = ServerClock(
            asyncio.get_running_loop(), EPOCH + self._offset + asyncio.get_running_loop().time()
        )
        number = self.incarnation
        store = WatchedStore(
            self._store,
            self._pause_of(number),
            self._faults,
            self._stream(f"store{number}"),
            self._oracle,
            clock,
        )
        logs = SimulatedLogs(self._disk, self._pause_of(number), self._stream(f"logs{number}"), self._faults)
        blobs = SimulatedBlobs(self._disk, self._pause_of(number), clock.now)
        control = Control(store, logs, blobs, clock, self._randomness, self._rules)
        self._trace(f"server {number} starts")
        self._spawn(self._live(control))

    def crash(self) -> None:
        """Kill it: whatever it was doing ends where it is."""
        self._trace(f"server {self.incarnation} is killed")
        self._oracle.server_died(asyncio.get_running_loop().time())
        self._front = None
        self.incarnation += 1
        for task in list(self._tasks):
            task.cancel()
        for future in list(self._pending):
            if not future.done():
                future.set_exception(Crashed())
        self._pending.clear()
        down = self._draw.choice((0.1, 2.0, 10.0, 50.0)) * self._draw.random()
        asyncio.get_running_loop().call_later(down, self.start)

    def stop(self) -> None:
        """Stop it for good."""
        self.stopped = True
        self._front = None
        self.incarnation += 1
        for task in list(self._tasks):
            task.cancel()

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[arg-type] - any coroutine
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    async def _live(self, control: Control) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await control.recover()
            except PawlError as error:
                self._unexpected("recover", error)
                await asyncio.sleep(0.5)
            else:
                break
        self._oracle.server_lives(began)
        self._front = Front(control, self._history)
        while True:
            await asyncio.sleep(self._sweep_every)
            try:
                report = await control.sweep()
                for fault in report.broken.values():
                    self._unexpected("sweep", fault)
            except PawlError as error:
                self._unexpected("sweep", error)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                self._unexpected("sweep", error)

    # Messages.

    async def handle(self, what: str, handler: Handler[T]) -> T:
        """Do what a message asks.

        Raises:
            Unavailable: it is down, or goes down meanwhile.
            PawlError: as the engine says.
        """
        front = self._front
        if front is None:
            raise Unavailable("nobody listens")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        pending: asyncio.Future[object] = answer  # type: ignore[assignment] - only ever failed
        self._pending[pending] = None
        self._spawn(self._work(what, front, handler, answer))
        try:
            return await answer
        except Crashed:
            raise Unavailable("the connection was reset") from None
        finally:
            self._pending.pop(pending, None)

    async def _work(self, what: str, front: Front, handler: Handler[T], answer: asyncio.Future[T]) -> None:
        result, failure = None, None
        try:
            result = await handler(front)
        except Exception as error:  # noqa: BLE001 - the caller gets it
            self._trace(f"{what}: {type(error).__name__}: {error}")
            failure = error
            self._unexpected(what, error)
            if not isinstance(error, PawlError):
                failure = Unavailable("internal error")
        else:
            self._trace(what)
        if answer.done():
            return
        if failure is not None:
            answer.set_exception(failure)
        else:
            answer.set_result(result)  # type: ignore[arg-type] - None only where the handler returns that

    def _unexpected(self, what: str, error: Exception) -> None:
        """Note what the engine must never raise."""
        if isinstance(error, InternalError) or not isinstance(error, PawlError):
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._history.violated(
                "crash", f"{what}: {error!r} at {where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
            )

    # Where it may be killed.

    def _pause_of(self, number: int) -> Callable[[str], object]:
        async def pause(where: str) -> None:
            self._alive(number)
            self.points += 1
            if self.points == self.crash_at or (
                self._faults.crash and self._crashes.random() < self._faults.crash
            ):
                self._trace(f"at {where}")
                self.crash()
            slow = self._faults.slow and self._draw.random() < self._faults.slow
            await asyncio.sleep(self._draw.choice((0.01, 0.5, 6.0)) if slow else 0)
            self._alive(number)

        return pause

    def _alive(self, number: int) -> None:
        if number != self.incarnation:
            raise asyncio.CancelledError
