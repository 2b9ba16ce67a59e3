"""Runs: triggering, looking at, cancelling and starting them again."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pawl.core.lifecycle import RunState
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.records import AttemptRecord, LogRecord, RunRecord, StoredEvent
from pawl.engine.control.requests import Trigger
from pawl.ports.store import RunFilter

Rerun: TypeAlias = Literal["all", "failed"] | JobKey | JobId


class Runs:
    """The runs of a server."""

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
        raise NotImplementedError

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
        raise NotImplementedError

    async def rerun(self, run: RunId, *, jobs: Rerun, by: str) -> RunRecord:
        """Start a completed run again: all of it, what failed, or one job; with what depends on it.

        Each job that runs again gets a further attempt; former attempts stay readable.

        Raises:
            NotFound: there is no such run or job.
            Conflict: it has not ended, nothing failed, or its source is gone.
        """
        raise NotImplementedError

    async def get(self, run: RunId) -> RunRecord:
        """Return a run.

        Raises:
            NotFound: there is none.
        """
        raise NotImplementedError

    async def list(self, wanted: RunFilter, limit: int = 50) -> tuple[RunRecord, ...]:
        """Return the newest runs that fit, newest first; at most 1000."""
        raise NotImplementedError

    async def attempts(self, run: RunId) -> tuple[AttemptRecord, ...]:
        """Return all attempts of a run by job and attempt.

        Raises:
            NotFound: there is no such run.
        """
        raise NotImplementedError

    async def state(self, run: RunId) -> RunState:
        """Return the lifecycle's state of a run.

        Raises:
            NotFound: there is no such run.
        """
        raise NotImplementedError

    async def events(self, run: RunId, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return what a run told after the event of that sequence number, in order.

        Raises:
            NotFound: there is no such run.
        """
        raise NotImplementedError

    async def logs(self, run: RunId, job: JobId | None = None) -> tuple[LogRecord, ...]:
        """Return which logs a run, or one job of it, has.

        Raises:
            NotFound: there is no such run.
        """
        raise NotImplementedError
