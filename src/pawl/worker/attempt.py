"""One attempt on the worker, from its lease to the server's word that it has the result."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace

from pawl.core.model.errors import (
    Conflict,
    Denied,
    InfrastructureError,
    OffsetConflict,
    PawlError,
    StaleLease,
    UsageError,
)
from pawl.core.model.plain import to_plain
from pawl.core.model.reports import NOTHING, Report
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Lease, LogEnd, Renewal, Result
from pawl.ports.job_host import HostedJob
from pawl.worker.fence import Fence
from pawl.worker.files import fetch_source, fetch_wanted, put_artifacts, wanted_files
from pawl.worker.request import failed, log_ends
from pawl.worker.shipper import Shipper
from pawl.worker.spool import Spool
from pawl.worker.tools import Tools

_QUIET = 1.0
"""Seconds after which a job that has not told anything is looked at."""

_FIRST_PACE = 0.008
_PACE = 0.032
"""Seconds between two rounds of sending, so that a job that prints line by line is not sent so. The first
pauses after a silence are shorter."""

_TAKING_DOWN = 45.0
"""Seconds that a job's process gets, once its end is told, to take down what is left; it wants 30 at most."""

_STUBBORN = 120.0
"""Seconds that a job gets to end once it was asked to stop at once; its own clean-up has 60."""

_MOST_TRIES = 5


class Attempt:
    """Starts the job's process or finds it again, sends what it writes, and ends it when the lease does."""

    def __init__(self, spool: Spool, tools: Tools, *, asked: float, seconds: float, begun: bool) -> None:
        """Take a leased attempt.

        Args:
            spool: its folder, made.
            tools: the world.
            asked: when the lease was asked for, by the monotonic clock.
            seconds: how long it is good for from then on.
            begun: whether its process was started before, by a worker before this one.
        """
        self.spool = spool
        self.fence = Fence(tools.clock, asked=asked, seconds=seconds)
        self._tools = tools
        self._begun = begun
        self._shipper = Shipper(spool, tools.link)
        self._job: HostedJob | None = None
        self._stop: tuple[str, bool] | None = None
        self._stopped_at = 0.0
        self._given_up = ""
        self._is_doubtful = False
        self._fetching: dict[str, asyncio.Future[None]] = {}

    @property
    def lease(self) -> Lease:
        """Return its lease."""
        return self.spool.held.lease

    @property
    def is_doubtful(self) -> bool:
        """Return whether the executor may be amiss: the job could not be run, or its sandbox not removed."""
        return self._is_doubtful

    def renewed(self, renewal: Renewal, asked: float) -> None:
        """Take the answer to a renewal that was asked for at that time."""
        if not renewal.alive:
            self.fence.lose("the server has given the lease up")
            return
        self.fence.renew(asked=asked, seconds=renewal.seconds)
        if renewal.cancel is not None:
            self.stop(renewal.cancel, at_once=renewal.at_once)

    def stop(self, reason: str, *, at_once: bool) -> None:
        """Ask the job to stop, politely or at once."""
        if self._stop is None or (at_once and not self._stop[1]):
            self._stop = (self._stop[0] if self._stop else reason, at_once)
            self._stopped_at = self._tools.clock.monotonic()
            self._pass_on_stop()

    def give_up(self, reason: str) -> None:
        """Stop the job at once, for a reason that is the worker's and not the job's."""
        self._given_up = reason
        self.stop(reason, at_once=True)
        if self.fence.left <= 0:
            self.fence.lose(reason)  # only its result is left, which the server may not be there to hear

    async def live(self) -> None:
        """See the attempt to its end; its process, sandboxes and folder are gone then.

        Raises:
            Denied: the server does not know this worker any more.
        """
        going = asyncio.ensure_future(self._go())
        guard = asyncio.ensure_future(self.fence.passed())
        try:
            await asyncio.wait({going, guard}, return_when=asyncio.FIRST_COMPLETED)
            if not going.done() and self._only_tells:
                # Nothing runs any more, so nothing is to be stopped: a server that was away hears of it yet.
                guard = asyncio.ensure_future(self.fence.lost())
                await asyncio.wait({going, guard}, return_when=asyncio.FIRST_COMPLETED)
            if going.done():
                self._judge(going)
            else:
                self._notice(f"stopped, {guard.result()}")
        finally:
            for each in (going, guard):
                each.cancel()
            await asyncio.gather(going, guard, return_exceptions=True)
            if self._job is not None:
                self._job.let_go()
        await self.discard()

    def _notice(self, text: str) -> None:
        self._tools.notice(text, self.spool.held)

    @property
    def _only_tells(self) -> bool:
        return self.spool.is_finished and not (self.fence.is_lost or self._given_up)

    def _judge(self, going: asyncio.Future[None]) -> None:
        error = going.exception()
        if isinstance(error, StaleLease):
            self._notice(f"stopped, {error.message}")
        elif isinstance(error, PawlError) and not isinstance(error, Denied):
            self._notice(f"given up, {error.message}")
        elif error is not None:
            raise error

    async def discard(self) -> None:
        """End what is left of the job, and remove its folder."""
        job = self._attach()
        if job is not None:
            await self._taken_down(job)
            was_running = job.running
            await job.kill()
            job.let_go()
            if was_running or self.spool.result() is None:
                await self._sweep()
        for left in await asyncio.to_thread(self.spool.remove):
            self._notice(f"not removed: {left}")

    async def _taken_down(self, job: HostedJob) -> None:
        """Give the process of a job that has told its end the time to take down what nobody waited for."""
        clock = self._tools.clock
        give_up = clock.monotonic() + _TAKING_DOWN
        while self.spool.is_finished and job.running and clock.monotonic() < give_up:
            await clock.sleep(_FIRST_PACE)

    def _attach(self) -> HostedJob | None:
        with contextlib.suppress(InfrastructureError):
            return self._tools.host.attach(self.spool.path)
        return None

    async def _sweep(self) -> None:
        """Remove the sandboxes of a job whose process can no longer do so."""
        owner = self.spool.held.owner
        try:
            await self._tools.executor.sweep(lambda other: other != owner)
        except PawlError as error:
            self._is_doubtful = True
            self._notice(f"its sandbox may be left, {error.message}")

    async def _go(self) -> None:
        if self._begun:
            self._job = self._attach()
        else:
            given = await self._tools.ask(lambda: self._tools.link.begin(self.lease))
            if given.refused:
                await self._tell_end(failed(self.spool.held.key, given.refused, FailureClass.SYSTEM))
                return
            try:
                self._job = self._tools.host.start(self.spool.path, json.dumps(to_plain(given)).encode())
            except InfrastructureError as error:
                await self._tell_end(failed(self.spool.held.key, error.message, FailureClass.INFRASTRUCTURE))
                return
            self._pass_on_stop()
        self._fetching["source"] = asyncio.ensure_future(self._fetch())
        try:
            await self._ship_while_running()
        finally:
            fetching = list(self._fetching.values())
            for each in fetching:
                each.cancel()
            await asyncio.gather(*fetching, return_exceptions=True)
        await self._end()

    async def _fetch(self) -> None:
        if self.spool.held.source is not None:
            await fetch_source(self.spool, self._tools)

    async def _ship_while_running(self) -> None:
        clock, pace = self._tools.clock, _FIRST_PACE
        # One that another worker had begun has something to tell; a new one will say so.
        more, sent_at = self._begun, 0.0
        while (job := self._running()) is not None:
            if not more:
                await job.changed(_QUIET)
            if self._running() is not None:  # else what is left is told together with its end
                pace = min(_PACE, pace * 2) if clock.monotonic() - sent_at < 2 * _PACE else _FIRST_PACE
                more = await self._tools.ask(self._shipper.ship)
                self._fetch_what_is_wanted()
                sent_at = clock.monotonic()
                await clock.sleep(pace)
            if self._is_stubborn():
                await job.kill()
        if self.spool.result() is None:
            await self._sweep()

    def _running(self) -> HostedJob | None:
        """Return the job as long as it may write something."""
        job = self._job
        return None if job is None or self.spool.is_finished or not job.running else job

    def _fetch_what_is_wanted(self) -> None:
        if self._fetching["source"].done():
            self._fetching["source"].result()  # a job whose files will never be there would wait for them
        for digest in wanted_files(self.spool):
            if digest not in self._fetching or self._fetching[digest].done():
                fetching = fetch_wanted(self.spool, digest, self._tools)
                self._fetching[digest] = asyncio.ensure_future(fetching)

    def _is_stubborn(self) -> bool:
        asked = self._stop is not None and self._stop[1]
        return asked and self._tools.clock.monotonic() - self._stopped_at > _STUBBORN

    def _pass_on_stop(self) -> None:
        if self._job is not None and self._stop is not None:
            reason, at_once = self._stop
            try:
                self._job.ask_to_stop(reason, at_once=at_once)
            except InfrastructureError as error:
                self._notice(error.message)

    async def _end(self) -> None:
        """Send the rest, and the result last of all; with the last report, where nothing is in between."""
        if not self.spool.artifacts.exists():
            last = await self._tools.ask(self._shipper.ship_but_last)
            await self._finish(self._result(), last)
            return
        await self._tools.ask(self._shipper.ship_all)
        result = self._result()
        try:
            await put_artifacts(self.spool, self._tools)
        except StaleLease:
            raise
        except OSError as error:
            told = f"the worker cannot read the job's artifacts: {error.strerror or error}"
            result = _lacking_artifacts(result, FailureClass.INFRASTRUCTURE, told)
        except UsageError as error:
            if isinstance(error, Denied):
                raise
            result = _lacking_artifacts(result, FailureClass.USER, error.message)
        await self._finish(result, NOTHING)

    def _result(self) -> Result:
        held = self.spool.held
        result = self.spool.result()
        if result is None:
            reason = self._given_up or self._crash()
            result = failed(held.key, reason, FailureClass.INFRASTRUCTURE, log_ends(self.spool))
            if self._stop is not None and not self._given_up:
                result = replace(result, conclusion=Conclusion.CANCELLED, reason=self._stop[0])
        elif self._given_up and result.conclusion is Conclusion.CANCELLED:
            # The job did nothing wrong: another worker may have it.
            result = replace(
                result,
                conclusion=Conclusion.FAILURE,
                failure_class=FailureClass.INFRASTRUCTURE,
                reason=self._given_up,
            )
        return replace(result, logs=tuple(self._named(end) for end in result.logs))

    def _crash(self) -> str:
        told = ""
        with contextlib.suppress(OSError):
            lines = (self.spool.path / "err.txt").read_text("utf-8", "replace").strip().splitlines()
            told = f": {lines[-1][:500]}" if lines else ""
        return f"the job's process ended without a result{told}"

    def _named(self, end: LogEnd) -> LogEnd:
        log = self._shipper.logs.get(end.index)
        return end if log is None else replace(end, name=log.name, note=end.note or log.note)

    async def _finish(self, result: Result, last: Report) -> None:
        for _ in range(_MOST_TRIES):
            try:
                await self._tell_end(result, last)
            except OffsetConflict as error:
                # The server lost what it had acknowledged (its disk, a backup brought back): once more.
                self._notice(f"{error.message}; sending its logs again")
                last = NOTHING
                self._shipper.start_over()
                await self._tools.ask(self._shipper.ship_all)
                result = replace(result, logs=tuple(self._named(end) for end in result.logs))
            except StaleLease:
                raise
            except Conflict:
                return  # it has ended otherwise, and the server knows how
            else:
                return
        noted = tuple(replace(end, note=end.note or "the server has not all of it") for end in result.logs)
        await self._tell_end(replace(result, logs=noted))

    async def _tell_end(self, result: Result, last: Report = NOTHING) -> None:
        self._is_doubtful |= result.failure_class is FailureClass.INFRASTRUCTURE
        await self._tools.ask(lambda: self._tools.link.finish(self.lease, result, last))


def _lacking_artifacts(result: Result, whose: FailureClass, reason: str) -> Result:
    """Return how a job ended whose artifacts the server has not got; one that failed anyway says so, too."""
    if result.conclusion is Conclusion.SUCCESS:
        return replace(result, conclusion=Conclusion.FAILURE, failure_class=whose, reason=reason)
    return replace(result, reason="; ".join(filter(None, (result.reason, reason))))
