"""Runs: triggering, looking at, cancelling and starting them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from pawl.core.lifecycle import RunState, state_from_json
from pawl.core.model.errors import Conflict, NotFound
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.records import AttemptRecord, LogRecord, RunRecord, StoredEvent
from pawl.core.planning.contexts import RunFacts
from pawl.core.workflow.parse import Parsed
from pawl.engine.control import refusing, stopping, triggering
from pawl.engine.control.desk import Desk
from pawl.engine.control.intake import Intake
from pawl.engine.control.requests import Trigger
from pawl.ports.store import RunFilter, Transaction

Rerun: TypeAlias = Literal["all", "failed"] | JobKey | JobId

MOST_LISTED = 1000
"""Runs, and events, that one answer holds."""

T = TypeVar("T")


class Runs:
    """The runs of a server."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._intake = Intake()

    async def trigger(self, wanted: Trigger) -> RunRecord:
        """Parse, plan and store a run, start it, and return it once that is durable.

        Asked again with the same `request_id`, the run that the first request made is returned.

        Raises:
            UsageError: the file has errors (all are in the message, with their places), the event does not
                start it, or its inputs do not fit.
            TooLarge: the file or the event is over a limit, or too much waits already.
            NotFound: there is no such source.
            Conflict: the `request_id` was used for something else.
        """
        desk = self._desk
        facts = RunFacts(server_url=desk.rules.server_url)
        stored = await desk.read(lambda tx: tx.variables.of(wanted.event.repository))
        # The narrowest comes last.
        variables = {each.name: each.value for each in stored}
        planned = await desk.offload(lambda: self._intake.plan(wanted, facts, variables))
        if wanted.source is not None and await desk.blobs.facts(wanted.source) is None:
            raise NotFound(f"there is no source {wanted.source}", hint="send the source first")
        order = triggering.Order(
            wanted=wanted,
            planned=planned,
            correlation=wanted.correlation or desk.randomness.token(8),
            run_name=lambda numbered: self._intake.plan(wanted, numbered, variables).plan.run_name,
        )
        record = await desk.write(lambda tx, moment: triggering.store_run(tx, order, moment))
        desk.plans.put(record, planned.plan)
        return record

    async def parsed(self, path: str, text: str) -> Parsed:
        """Return what a workflow file means, and what is wrong with it; files seen before cost nothing."""
        return await self._desk.offload(lambda: self._intake.parse(path, text))

    async def refuse(self, wanted: Trigger, reason: str) -> RunRecord:
        """Store a run that cannot begin as one that has failed for `reason`, and return it; it has no jobs.

        Asked again with the same `request_id`, the run that the first request made is returned.
        """
        correlation = wanted.correlation or self._desk.randomness.token(8)
        return await self._desk.write(
            lambda tx, moment: refusing.store_refused(tx, wanted, reason, correlation, moment)
        )

    async def cancel(
        self, run: RunId, *, job: JobId | None = None, by: str, reason: str = "", at_once: bool = False
    ) -> RunRecord:
        """Ask a run, or one job of it, to stop; return the run, which may be `cancelling` for a while.

        Args:
            run: the run.
            job: one job; a key means all its combinations.
            by: who asks.
            reason: why; "cancelled by ..." when "".
            at_once: also jobs that would outlive a cancellation, and without last steps.

        Raises:
            NotFound: there is no such run or job.
            Conflict: it has ended.
        """
        wish = stopping.Stop(run=run, job=job, by=by, reason=reason, at_once=at_once)
        return await self._desk.write(lambda tx, moment: stopping.cancel(tx, wish, moment))

    async def rerun(self, run: RunId, *, jobs: Rerun, by: str) -> RunRecord:
        """Start a completed run again: all of it, what failed, or one job; with what depends on it.

        Each job that runs again gets a further attempt; former attempts stay readable.

        Raises:
            NotFound: there is no such run or job.
            Conflict: it has not ended, nothing failed, or its source is gone.
        """
        record = await self.get(run)
        if record.source is not None and await self._desk.blobs.facts(record.source) is None:
            raise Conflict(f"the files of run {run} are not kept any more", hint="trigger a new run")
        return await self._desk.write(lambda tx, moment: stopping.start_again(tx, run, str(jobs), by, moment))

    async def get(self, run: RunId) -> RunRecord:
        """Return a run.

        Raises:
            NotFound: there is none.
        """
        return await self._of(run, lambda _, record: record)

    async def list(self, wanted: RunFilter, limit: int = 50) -> tuple[RunRecord, ...]:
        """Return the newest runs that fit, newest first; at most `MOST_LISTED`."""
        most = max(0, min(limit, MOST_LISTED))
        return await self._desk.read(lambda tx: tx.runs.find(wanted, most))

    async def attempts(self, run: RunId) -> tuple[AttemptRecord, ...]:
        """Return all attempts of a run by job and attempt.

        Raises:
            NotFound: there is no such run.
        """
        return await self._of(run, lambda tx, _: tx.attempts.of_run(run))

    async def state(self, run: RunId) -> RunState:
        """Return the lifecycle's state of a run.

        Raises:
            NotFound: there is no such run.
        """
        return await self._of(run, lambda tx, _: state_from_json(tx.runs.state(run)))

    async def events(self, run: RunId, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return what a run told after the event of that sequence number, in order.

        Raises:
            NotFound: there is no such run.
        """
        most = max(0, min(limit, MOST_LISTED))
        return await self._of(run, lambda tx, _: tx.events.read(run, after=after, limit=most))

    async def logs(self, run: RunId, job: JobId | None = None) -> tuple[LogRecord, ...]:
        """Return which logs a run, or one job of it, has.

        Raises:
            NotFound: there is no such run.
        """
        return await self._of(run, lambda tx, _: tx.logs.of_run(run, job))

    async def _of(self, run: RunId, work: Callable[[Transaction, RunRecord], T]) -> T:
        def look(tx: Transaction) -> T:
            record = tx.runs.get(run)
            if record is None:
                raise NotFound(f"there is no run {run}", hint="`pawl runs --server` lists them")
            return work(tx, record)

        return await self._desk.read(look)
