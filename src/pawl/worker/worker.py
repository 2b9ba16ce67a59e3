"""The worker's own life: hello, asking for work, renewing, draining."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import traceback
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pawl.adapters.runs_folder import remove_tree
from pawl.core.model.errors import Denied, InfrastructureError, InternalError, NotFound, PawlError
from pawl.core.model.work import Lease, Welcome, Work, WorkerHello
from pawl.wire import PROTOCOL
from pawl.worker.attempt import Attempt
from pawl.worker.back_off import pause_after
from pawl.worker.calling import until_answered
from pawl.worker.health import Health
from pawl.worker.options import WorkerOptions
from pawl.worker.spool import Held, Order, find_spools, make_spool, spool_name
from pawl.worker.tools import Tools

_RECHECK = 2.0
_CANCEL_HEARD_WITHIN = 2.0
"""Seconds between two renewals while jobs run: the answer says which of them are to stop."""
_LEAVE_PATIENCE = 2.0
_SWEEP_EVERY = 300.0
"""Seconds between two looks for what jobs left: a removal may fail in the process of a job, untold."""
_RENEWAL_PATIENCE = 10.0


@dataclass(slots=True)
class _Wanted:
    """What people asked of the worker. `drain`: take nothing new; `stop`: end what runs, too."""

    drain: asyncio.Event
    stop: asyncio.Event


class Worker:
    """Takes jobs from one server until it is told to stop."""

    def __init__(self, options: WorkerOptions, tools: Tools, *, spools: Path, identity: str) -> None:
        """Take what to do.

        Args:
            options: of the worker.
            tools: the world.
            spools: the folder of the attempts' folders.
            identity: of the data folder, for the owners of sandboxes.
        """
        self._options = options
        self._tools = tools
        self._spools = spools
        self._identity = identity
        self._health = Health(tools.executor, options.data, floor=options.disk_floor)
        self._problem = ""
        self._next_sweep = 0.0
        self._attempts: dict[str, Attempt] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wanted = _Wanted(asyncio.Event(), asyncio.Event())
        self._freed = asyncio.Event()
        self._renew_now = asyncio.Event()
        self._taken_more = asyncio.Event()
        self._welcome: Welcome | None = None
        self._taken = 0
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def heartbeat(self) -> float:
        """Return the seconds between two renewals."""
        wanted = self._welcome.renew_every if self._welcome is not None else _RENEWAL_PATIENCE
        return min(wanted, _CANCEL_HEARD_WITHIN) if self._attempts else wanted

    def interrupt(self) -> None:
        """Take a signal: the first time drain, the second time stop the jobs too."""
        if not self._wanted.drain.is_set():
            count = len(self._attempts)
            self._tools.notice(
                f"draining: {count} running, nothing new is taken; once more stops them at once"
                if count
                else "stopping: nothing runs"
            )
            self._wanted.drain.set()
            self._renew_now.set()  # the server is to know
        elif not self._wanted.stop.is_set():
            self._tools.notice("stopping the jobs at once; another worker may get them")
            self._wanted.stop.set()
            for attempt in self._attempts.values():
                attempt.give_up(f"the worker {self._options.name} was stopped")

    async def run(self) -> None:
        """Work until drained.

        Raises:
            UsageError: the server refuses this worker: its token, or the version of its protocol.
        """
        draining = asyncio.ensure_future(self._wanted.drain.wait())
        working = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait({draining, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done() or self._welcome is not None:
                await working
        finally:
            draining.cancel()
            working.cancel()
            await asyncio.gather(draining, working, return_exceptions=True)

    async def _work(self) -> None:
        stale = await self._adopt()
        # First of all: what was adopted has little of its lease left.
        renewing = asyncio.ensure_future(self._keep_renewing())
        leasing = asyncio.ensure_future(self._clean_and_lease(stale))
        try:
            await _first(renewing, leasing, self._failed)
            while self._tasks:
                await _first(renewing, self._failed, *self._tasks.values())
            await self._take_leave()
        except Denied as error:
            self._tools.notice(f"the server does not know this worker any more: {error.message}")
            await self._discard_all()
            raise
        finally:
            for each in (renewing, leasing, *self._tasks.values()):
                each.cancel()
            await asyncio.gather(renewing, leasing, *self._tasks.values(), return_exceptions=True)
            if self._failed.done():
                self._failed.exception()  # it was told already, or another one was

    async def _discard_all(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for attempt in list(self._attempts.values()):
            await self._discard(attempt)

    async def _discard(self, attempt: Attempt) -> None:
        """End what is left of an attempt; that one cannot be ended stops nothing else."""
        try:
            await attempt.discard()
        except Exception as error:  # noqa: BLE001 - the fence between one attempt and the others
            self._tools.notice(f"something of it is left\n{_told(error)}", attempt.spool.held)

    async def _adopt(self) -> list[Attempt]:
        """Say hello, go on with what a worker before this one had, and return what is not ours any more."""
        found = {spool.path.name: spool for spool in find_spools(self._spools, self._tools.notice)}
        try:
            welcome, asked = await self._say_hello(spool.held.lease for spool in found.values())
        except Denied:
            for spool in found.values():
                self._tools.notice("stopped, the server does not know this worker", spool.held)
                await self._discard(Attempt(spool, self._tools, asked=0.0, seconds=0.0, begun=True))
            raise
        lost = set(welcome.stale)
        stale = []
        for name, spool in found.items():
            attempt = Attempt(
                spool,
                self._tools,
                asked=asked,
                seconds=welcome.lease_seconds,
                begun=not spool.awaits_start,
            )
            if spool.held.lease.ref in lost:
                self._tools.notice("not this worker's any more, stopped", spool.held)
                stale.append(attempt)
            else:
                self._tools.notice("going on with it", spool.held)
                self._start(name, attempt)
        return stale

    async def _clean_and_lease(self, stale: Sequence[Attempt]) -> None:
        """Remove what jobs of this data folder left that nobody has any more, then ask for new ones."""
        for attempt in stale:
            await self._discard(attempt)
        await self._sweep()
        await self._keep_leasing()

    async def _sweep(self) -> None:
        mine = f"{self._identity}/"
        self._next_sweep = self._tools.clock.monotonic() + _SWEEP_EVERY

        def is_alive(owner: str) -> bool:
            return not owner.startswith(mine) or owner.removeprefix(mine) in self._attempts

        try:
            for left in await self._tools.executor.sweep(is_alive):
                self._tools.notice(f"removed what an earlier job had left: {left}")
        except Exception as error:  # noqa: BLE001 - what was left yesterday keeps nobody from working today
            told = error.message if isinstance(error, PawlError) else _told(error)
            self._tools.notice(f"looking for what earlier jobs left failed: {told}")

    async def _say_hello(self, running: Iterable[Lease]) -> tuple[Welcome, float]:
        """Return the server's answer, and when it was asked for."""
        options = self._options
        hello = WorkerHello(
            name=options.name,
            labels=options.labels,
            slots=options.slots,
            protocol=PROTOCOL,
            version=version("pawl-ci"),
            facts=_facts(self._tools.executor.kind),
            # Of two leases of one attempt the newer counts.
            running=tuple({lease.ref: lease for lease in running}.values()),
        )
        tools, asked = self._tools, 0.0

        async def ask() -> Welcome:
            nonlocal asked
            asked = tools.clock.monotonic()
            return await tools.link.hello(hello)

        welcome = await until_answered(ask, tools.clock, tools.randomness, told=tools.notice)
        if self._welcome is None:
            tools.notice(
                f"worker {options.name} is ready: {options.slots} at once, labels"
                f" {', '.join(options.labels) or 'none'}, executor {tools.executor.kind},"
                f" server {welcome.version}"
            )
        self._welcome = welcome
        return welcome, asked

    async def _hello_again(self) -> None:
        """Say hello after the connection was lost; what the server has given up is stopped."""
        told = tuple(self._attempts.values())  # what is taken meanwhile is no news to the server
        welcome, _ = await self._say_hello(attempt.lease for attempt in told)
        for attempt in told:
            if attempt.lease.ref in welcome.stale:
                attempt.fence.lose("the server has given the lease up")

    async def _keep_leasing(self) -> None:
        """Ask for work for as long as there is room, the worker is well, and nobody drains it."""
        drain, tries = self._wanted.drain, 0
        request = self._tools.randomness.token()
        while not drain.is_set() and not (self._options.once and self._taken):
            try:
                await self._ask_for_work(request)
            except Denied:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is: the worker goes on
                tries += 1
                await self._pause_after(error, tries)
                continue
            tries = 0
            # Only a question without an answer is asked again. One that was answered gets no more: not even
            # when what it got has lapsed, unheard, before it was repeated.
            request = self._tools.randomness.token()

    async def _ask_for_work(self, request: str) -> None:
        """Ask for work once and start it; where there is no room or all is not well, wait a while instead."""
        await self._tools.host.make_ready()
        free = self._options.slots - len(self._attempts)
        self._freed.clear()
        if free <= 0 or not await self._is_well():
            await _first(self._wanted.drain.wait(), self._freed.wait(), self._tools.clock.sleep(_RECHECK))
            return
        await self._lease(request, 1 if self._options.once else free)

    async def _pause_after(self, error: Exception, tries: int) -> None:
        """Wait after a request for work that failed, and say hello where the server may have been away.

        Raises:
            UsageError: the server refuses this worker.
        """
        drain = self._wanted.drain
        seconds = pause_after(error, tries, self._tools.randomness.fraction())
        expected = isinstance(error, PawlError)
        told = error.message if isinstance(error, PawlError) else f"a fault of Pawl's own\n{_told(error)}"
        self._tools.notice(f"{told}; trying again in {seconds:.1f} s")
        await _first(drain.wait(), self._tools.clock.sleep(seconds))
        if expected and not drain.is_set() and (tries > 1 or isinstance(error, NotFound)):
            await _first(drain.wait(), self._hello_again())

    async def _lease(self, request: str, slots: int) -> None:
        welcome = self._welcome
        # The lease counts from the question: one that waited long would have little left.
        wait = min(welcome.poll_seconds, welcome.lease_seconds / 3) if welcome is not None else 0.0
        asked = self._tools.clock.monotonic()
        asking = asyncio.ensure_future(self._tools.link.lease(request, slots, wait))
        try:
            await _first(self._wanted.drain.wait(), asking)
            if not asking.done():
                return
            works = asking.result()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        for work in works:
            self._take(work, asked)

    def _take(self, work: Work, asked: float) -> None:
        name = spool_name(work.lease)
        if name in self._attempts:
            return
        owner = f"{self._identity}/{name}"
        options, tools = self._options, self._tools
        held = Held(
            lease=work.lease,
            correlation=work.correlation,
            key=tools.randomness.token(),
            owner=owner,
            source=work.source,
        )
        try:
            spool = make_spool(self._spools, held)
            spool.write_order(
                Order(
                    work=work,
                    owner=owner,
                    log_cap=options.log_cap,
                    images=options.images,
                    limits=options.limits,
                    mirrors=str(options.mirrors or options.data / "mirrors") if options.fetches else "",
                    plain_git=options.plain_git,
                )
            )
        except InfrastructureError as error:
            # The lease lapses and the job goes to another worker; half an order is none.
            tools.notice(f"cannot be started: {error.message}", held)
            remove_tree(self._spools / name)
            return
        self._taken += 1
        attempt = Attempt(spool, tools, asked=asked, seconds=work.lease.seconds, begun=False)
        self._start(name, attempt)

    def _start(self, name: str, attempt: Attempt) -> None:
        self._attempts[name] = attempt
        if self._wanted.stop.is_set():
            attempt.give_up(f"the worker {self._options.name} was stopped")
        self._tasks[name] = asyncio.create_task(self._live(name, attempt), name=name)
        # An answer that was long on its way leaves little of the lease.
        is_short = attempt.fence.left < attempt.lease.seconds / 2
        (self._renew_now if is_short else self._taken_more).set()

    async def _live(self, name: str, attempt: Attempt) -> None:
        try:
            await attempt.live()
        except Denied as error:
            if not self._failed.done():
                self._failed.set_exception(error)
            return  # all attempts are ended together
        except Exception as error:  # noqa: BLE001 - the fence between one attempt and the others
            self._tools.notice(f"given up after a fault of Pawl's own\n{_told(error)}", attempt.spool.held)
            await self._discard(attempt)
        if attempt.is_doubtful:
            self._doubt()
        del self._attempts[name]
        del self._tasks[name]
        self._freed.set()

    async def _take_leave(self) -> None:
        """Tell the server that this worker ends, so that it is not listed as ready; never waits long."""
        with contextlib.suppress(PawlError, TimeoutError):
            async with asyncio.timeout(_LEAVE_PATIENCE):
                await self._tools.link.renew([], health=self._problem, draining=True)

    def _doubt(self) -> None:
        """Look at the executor before the next job is taken, and for what it could not remove."""
        self._health.doubt()
        self._next_sweep = 0.0

    async def _is_well(self) -> bool:
        problem = await self._health.problem(self._tools.clock.monotonic())
        if problem != self._problem:
            self._problem = problem
            self._renew_now.set()
            self._tools.notice(f"taking no jobs: {problem}" if problem else "taking jobs again")
        if not problem and self._tools.clock.monotonic() >= self._next_sweep:
            await self._sweep()
        return not problem

    async def _keep_renewing(self) -> None:
        """Renew all leases for ever; a task of its own, so that nothing else delays it."""
        tries = 0
        while True:
            self._renew_now.clear()
            asked = self._tools.clock.monotonic()
            attempts = {attempt.lease.ref: attempt for attempt in self._attempts.values()}
            try:
                async with asyncio.timeout(_RENEWAL_PATIENCE):
                    renewals = await self._tools.link.renew(
                        [attempt.lease for attempt in attempts.values()],
                        health=self._problem,
                        draining=self._wanted.drain.is_set(),
                    )
            except NotFound:  # a server that has forgotten its workers
                tries += 1
                await self._hello_again()
                await self._tools.clock.sleep(min(self.heartbeat, float(tries)))
                continue
            except Denied:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is: the other leases are to be renewed
                tries += 1
                if not isinstance(error, InfrastructureError | InternalError | TimeoutError) and tries == 1:
                    self._tools.notice(f"leases are not renewed\n{_told(error)}")
                seconds = min(self.heartbeat, 0.2 * 2 ** min(tries, 5))
                await self._tools.clock.sleep(seconds * (0.5 + 0.5 * self._tools.randomness.fraction()))
                continue
            tries = 0
            for renewal in renewals:
                if renewal.ref in attempts:
                    attempts[renewal.ref].renewed(renewal, asked)
            await self._next_renewal(asked)

    async def _next_renewal(self, last: float) -> None:
        """Return when leases are due again, or something is to be told at once."""
        while not self._renew_now.is_set():
            self._taken_more.clear()
            left = last + self.heartbeat - self._tools.clock.monotonic()
            if left <= 0:
                return
            await _first(self._renew_now.wait(), self._taken_more.wait(), self._tools.clock.sleep(left))


async def _first(*waits: Awaitable[object]) -> None:
    """Return when one of several has happened, and raise its fault. Coroutines that lost are given up."""
    futures = {asyncio.ensure_future(each): asyncio.isfuture(each) for each in waits}
    try:
        done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        ours = [each for each, was_there in futures.items() if not was_there]
        for each in ours:
            each.cancel()
        await asyncio.gather(*ours, return_exceptions=True)


def _told(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def _facts(executor: str) -> dict[str, str]:
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "executor": executor,
        "pid": str(os.getpid()),
    }
