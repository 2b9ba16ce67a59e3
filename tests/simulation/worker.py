"""A worker as a plain model of its protocol: leases, renewals, self-fencing, spool, asking again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from pawl.core.model.errors import Conflict, NotFound, OffsetConflict, PawlError, StaleLease, UsageError
from pawl.core.model.ids import WorkerId
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import NOTHING, Piece, Report
from pawl.core.model.work import Lease, Renewal, Work, WorkerHello
from pawl.engine.control.workers import worker_id
from pawl.ports.log_bytes import LogName, Part
from tests.simulation.draws import Faults
from tests.simulation.history import digest
from tests.simulation.host import PARTS, Host, Spool, draw_fate, is_forged
from tests.simulation.network import Handler, Network
from tests.simulation.probes import draw_probe

T = TypeVar("T")
POLL = 20.0
LOG_QUOTA = 5000
PIECE = 96
"""Bytes of a log in one message: small, so that a log is several."""


class Worker:
    """One worker process on a host. `kill` ends it; what the host keeps goes on."""

    def __init__(
        self, host: Host, network: Network, faults: Faults, draw: random.Random, trace: Callable[[str], None]
    ) -> None:
        self.host = host
        self.token = digest(host.name.encode())
        self.id: WorkerId = worker_id(self.token, host.name)
        self.rivals: tuple[WorkerId, ...] = ()
        self._network = network
        self._faults = faults
        self._draw = draw
        self._trace = trace
        # Not a set: gone through in the order they were made, the same each time.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._awake = asyncio.Event()
        self._awake.set()
        self._room = asyncio.Event()
        self._renew_every = 8.0
        self.is_alive = True

    # Its life.

    def start(self) -> None:
        """Start the process."""
        self._spawn(self._main())

    def kill(self) -> None:
        """End it without any last words."""
        self.is_alive = False
        for task in list(self._tasks):
            task.cancel()
        self._awake.set()

    def pause(self) -> None:
        """Stop it until `resume`; its jobs' processes go on."""
        self._awake.clear()

    def resume(self) -> None:
        """Let it go on as if nothing had happened."""
        self._awake.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            self.host.history.violated("worker", f"{self.host.name}: {task.exception()!r}")

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._awake.wait()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # Asking.

    async def _ask(self, what: str, handler: Handler[T], *, patience: float = 10.0) -> T:
        try:
            return await self._network.call(self.host.name, what, handler, patience=patience)
        finally:
            await self._awake.wait()

    async def _about(self, spool: Spool, what: str, handler: Callable[[Any, WorkerId], Awaitable[T]]) -> T:
        """Ask about a lease; now and then another worker asks the same in its own name."""
        if self.rivals and self._draw.random() < self._faults.rogue:
            self._spawn(self._rogue(what, handler, self._draw.choice(self.rivals)))
        return await self._ask(
            f"{what} {spool.lease.ref} epoch {spool.lease.epoch}", lambda front: handler(front, self.id)
        )

    async def _rogue(
        self, what: str, handler: Callable[[Any, WorkerId], Awaitable[T]], rival: WorkerId
    ) -> None:
        try:
            answer: Any = await self._ask(f"{what} as {rival}", lambda front: handler(front, rival))
        except PawlError:
            return
        if not (isinstance(answer, tuple) and not any(each.alive for each in answer)):
            self.host.history.violated("I2", f"{what} was done for {rival}, whose lease it is not")

    async def _patiently(
        self, spool: Spool, what: str, handler: Callable[[Any, WorkerId], Awaitable[T]]
    ) -> T:
        """Ask until there is an answer."""
        wait = 0.5
        while True:
            try:
                return await self._about(spool, what, handler)
            except UsageError:
                raise
            except PawlError:
                await self._sleep(wait * self._draw.uniform(0.5, 1.5))
                wait = min(wait * 2, 8.0)

    # The parts of a worker.

    async def _main(self) -> None:
        await self._hello()
        self._spawn(self._renew_all())
        self._spawn(self._fence())
        for spool in list(self.host.spools.values()):
            self._spawn(self._attend(spool))
        await self._lease_all()

    async def _hello(self) -> None:
        while not await self._say_hello(tuple(spool.lease for spool in self.host.spools.values())):
            await self._sleep(2.0)

    async def _say_hello(self, running: tuple[Lease, ...]) -> bool:
        hello = WorkerHello(
            name=self.host.name,
            labels=self.host.labels,
            slots=self.host.slots,
            protocol=1,
            version="0",
            running=running,
        )
        try:
            welcome = await self._ask("hello", lambda front: front.workers.hello(self.token, hello))
        except PawlError:
            return False
        self._renew_every = welcome.renew_every
        for spool in [each for each in self.host.spools.values() if each.lease in running]:
            if spool.lease.ref in welcome.stale:
                self._drop(spool, "stale at hello")
        return True

    async def _lease_all(self) -> None:
        while True:
            free = self.host.slots - len(self.host.spools)
            if free <= 0:
                self._room.clear()
                await self._room.wait()
                await self._awake.wait()
                continue
            request = f"{self.host.name}-{self._draw.getrandbits(48):x}"
            for work, asked in await self._lease(request, free):
                self._take(work, asked)

    async def _lease(self, request: str, free: int) -> list[tuple[Work, float]]:
        """Ask for work, with the same id until there is an answer."""
        while True:
            asked = self._now()
            try:
                found = await self._ask(
                    f"lease {request}",
                    lambda front: front.lease(self.id, request, free, POLL),
                    patience=POLL + 10,
                )
            except NotFound:
                await self._hello()
            except PawlError:
                await self._sleep(self._draw.uniform(0.5, 3.0))
            else:
                return [(work, asked) for work in found]

    def _take(self, work: Work, asked: float) -> None:
        lease = work.lease
        if (lease.ref, lease.epoch) in self.host.spools:
            self.host.history.violated("I3", f"{lease.ref} epoch {lease.epoch} was leased twice to {self.id}")
            return
        self._trace(f"{self.host.name} has {lease.ref} epoch {lease.epoch}")
        if draw_fate(self.host.seed, lease.ref) == "lost":
            # Poison: whoever takes it forgets it (F44).
            return
        spool = Spool(lease=lease, deadline=asked + lease.seconds)
        self.host.spools[spool.key] = spool
        self._spawn(self._attend(spool))

    def _drop(self, spool: Spool, why: str) -> None:
        self._trace(f"{self.host.name} drops {spool.lease.ref} epoch {spool.lease.epoch}: {why}")
        self.host.stop(spool)
        self._room.set()

    async def _fence(self) -> None:
        """Stop jobs by the worker's own clock, before the server can give them to another."""
        while True:
            for spool in list(self.host.spools.values()):
                if spool.result is None and self._now() >= spool.deadline:
                    self._drop(spool, "could not renew in time")
            await self._sleep(1.0)

    async def _renew_all(self) -> None:
        while True:
            await self._renew()
            await self._sleep(self._renew_every * self._draw.uniform(0.8, 1.0))

    async def _renew(self) -> None:
        spools = dict(self.host.spools)
        leases = tuple(spool.lease for spool in spools.values())
        asked = self._now()
        draining = self._draw.random() < self._faults.drain
        try:
            answers: tuple[Renewal, ...] = await self._ask(
                "renew",
                lambda front: front.workers.renew(self.id, leases, health="", draining=draining),
            )
        except NotFound:
            await self._hello()
            return
        except PawlError:
            return
        for lease, answer in zip(leases, answers, strict=True):
            spool = self.host.spools.get((lease.ref, lease.epoch))
            if spool is None:
                continue
            if not answer.alive:
                self._drop(spool, "the server says that it is gone")
                continue
            spool.deadline = max(spool.deadline, asked + answer.seconds)
            if answer.cancel is not None:
                spool.cancel = True
                spool.news.set()

    # One attempt.

    async def _attend(self, spool: Spool) -> None:
        try:
            if not await self._begin(spool):
                return
            spool.news.set()
            while True:
                await spool.news.wait()
                await self._sleep(0.05)
                spool.news.clear()
                if self._draw.random() < self._faults.probe:
                    self._spawn(self._probe(spool))
                if await self._ship(spool):
                    break
        except StaleLease:
            self._drop(spool, "stale")
        except OffsetConflict as error:
            self.host.history.violated("I18", f"{spool.lease.ref}: {error}")
        except Conflict as error:
            self._drop(spool, f"refused: {error}")
        else:
            self._drop(spool, "done")

    async def _begin(self, spool: Spool) -> bool:
        if not spool.begun:
            if self._draw.random() < self._faults.probe / 2:
                # It renews, and never gets to the point.
                await self._sleep(100.0)
            await self._patiently(spool, "begin", lambda front, me: front.workers.begin(me, spool.lease))
            if spool.key not in self.host.spools:
                return False
            if self._now() >= spool.deadline:
                self._drop(spool, "began too late")
                return False
            spool.begun = True
            self.host.start(spool)
        return True

    async def _probe(self, spool: Spool) -> None:
        what, probe = draw_probe(self._draw, spool, LOG_QUOTA)
        await self._refused(f"{what} for {spool.lease.ref}", lambda front: probe(front, self.id))

    async def _refused(self, what: str, handler: Handler[object]) -> None:
        try:
            await self._ask(what, handler)
        except PawlError:
            return
        self.host.history.violated("I2", f"{what} was not refused")

    async def _ship(self, spool: Spool) -> bool:
        """Send what the server has not got yet; return whether the attempt is over."""
        # All of what a result stands at the end of was there before it.
        ended = spool.result is not None
        while not (report := self._next(spool)).is_empty:
            if (
                ended
                and spool.artifact is None
                and self._is_last(spool, report)
                and self._draw.random() < 0.7
            ):
                return await self._finish(spool, report)
            await self._report(spool, report)
        if not ended or spool.key not in self.host.spools:
            return spool.key not in self.host.spools
        if spool.artifact is not None:
            await self._ship_artifact(spool, *spool.artifact)
        return await self._finish(spool, NOTHING)

    def _next(self, spool: Spool) -> Report:
        """Return the next report: a few events, and a piece of each log."""
        pieces: list[Piece] = []
        for index in sorted({index for index, _ in spool.logs}):
            for part in PARTS:
                sent, whole = spool.sent.get((index, part), 0), self._whole(spool, index, part)
                data = bytes(spool.logs[index, part][sent : min(sent + PIECE, whole)])
                if data:
                    pieces.append(Piece(index=index, name=f"step {index}", part=part, offset=sent, data=data))
                if sent + len(data) < whole:
                    break  # lines are told of only when they are there
        events = tuple(spool.events[spool.told : spool.told + 3])
        return Report(first=spool.told, events=events, pieces=tuple(pieces))

    def _whole(self, spool: Spool, index: int, part: Part) -> int:
        """Return how much there is to be sent: what could not be kept is not there."""
        size = len(spool.logs[index, part])
        return size if index not in spool.notes else size // 2

    def _is_last(self, spool: Spool, report: Report) -> bool:
        ends = {(piece.index, piece.part): piece.offset + len(piece.data) for piece in report.pieces}
        return spool.told + len(report.events) == len(spool.events) and all(
            ends.get(log, spool.sent.get(log, 0)) == self._whole(spool, *log) for log in spool.logs
        )

    async def _report(self, spool: Spool, report: Report) -> None:
        try:
            reported = await self._patiently(
                spool,
                f"report {report.first}",
                lambda front, me: front.workers.report(me, spool.lease, report),
            )
        except OffsetConflict as error:
            spool.told = error.size
            return
        spool.told = max(spool.told, reported.told)
        for piece, taken in zip(report.pieces, reported.pieces, strict=True):
            if taken.refused or (taken.conflict and taken.size == piece.offset):
                raise OffsetConflict(taken.refused or "the same offset is refused", size=taken.size)
            self._acknowledge(spool, piece, taken.size)

    def _acknowledge(self, spool: Spool, piece: Piece, size: int) -> None:
        name = LogName(attempt=spool.lease.ref, index=piece.index)
        self.host.history.acknowledge(name, piece.part, spool.lease.epoch, size)
        spool.sent[piece.index, piece.part] = size

    async def _ship_artifact(self, spool: Spool, name: str, data: bytes) -> None:
        entry = ArtifactEntry(name="file", size=len(data), sha256=digest(data), content_type="text/plain")

        async def put(front: Any, me: WorkerId) -> None:
            await front.artifacts.put_blob(me, spool.lease, _once(data), digest=entry.sha256, size=len(data))

        try:
            await self._patiently(spool, "blob", put)
            await self._patiently(
                spool,
                f"artifact {name}",
                lambda front, me: front.artifacts.make(me, spool.lease, name, [entry], replace=False),
            )
        except StaleLease:
            raise
        except Conflict:
            # Another job's artifact has that name.
            spool.artifact = None
            return
        spool.artifact = None
        # A later attempt of the same job may have replaced its own.
        self.host.history.artifacts[spool.lease.ref.run, name] = {"file": entry.sha256}

    async def _finish(self, spool: Spool, report: Report) -> bool:
        result = spool.result
        assert result is not None
        self.host.history.tell(spool.lease.ref, spool.lease.epoch, result)
        try:
            await self._patiently(
                spool, "finish", lambda front, me: front.workers.finish(me, spool.lease, result, report)
            )
        except OffsetConflict:
            # The server has less than it said: look again from the start.
            spool.sent.clear()
            spool.news.set()
            return False
        for piece in report.pieces:
            self._acknowledge(spool, piece, piece.offset + len(piece.data))
        self.host.history.finish(spool.lease.ref, result.key)
        self.host.history.told[spool.lease.ref] = [each for each in spool.events if not is_forged(each)]
        if self._draw.random() < self._faults.probe:
            other = replace(result, key=f"{result.key}-other")
            self._spawn(
                self._refused(
                    f"another end of {spool.lease.ref}",
                    lambda front: front.workers.finish(self.id, spool.lease, other),
                )
            )
        return True


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
