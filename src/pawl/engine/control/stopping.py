"""Stopping runs and jobs, and starting completed runs again, in one transaction each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pawl.core.lifecycle import rerun
from pawl.core.model.errors import Conflict, NotFound
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.records import RunRecord
from pawl.core.model.status import Status
from pawl.engine.control import triggering
from pawl.engine.control.audit import note
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.transitions import Changes, RunChange
from pawl.ports.store import Transaction

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A wish that a run, or one job of it, stops; see `Runs.cancel`."""

    run: RunId
    job: JobId | None
    by: str
    reason: str
    at_once: bool


def cancel(tx: Transaction, wish: Stop, moment: Moment) -> RunRecord:
    """Ask a run or job to stop and return the run.

    Raises:
        NotFound: there is no such run or job.
        Conflict: it has ended.
    """
    changes = Changes(tx, moment)
    change = changes.of(wish.run)
    if change.state.status is Status.COMPLETED:
        raise Conflict(f"run {wish.run} has ended: {change.state.conclusion}")
    reason = (wish.reason or f"cancelled by {wish.by}")[:_LONGEST_REASON]
    if wish.job is not None:
        mark("cancel.one_job")
        for job in _jobs(change, wish.job):
            change.cancel_job(job, by=wish.by, reason=reason, force=wish.at_once)
    elif change.state.cancellation is None or (wish.at_once and not change.state.cancellation.force):
        change.cancel(by=wish.by, reason=reason, force=wish.at_once)
    else:
        mark("cancel.repeated")
    target = f"run {wish.run}" + (f", job {wish.job}" if wish.job else "")
    note(tx, moment, by=wish.by, action="run.cancel", target=target)
    changes.save()
    return change.record


def _jobs(change: RunChange, wanted: JobId) -> tuple[JobId, ...]:
    """Return the jobs that an id or key means.

    Raises:
        NotFound: there is none.
        Conflict: all of them have ended.
    """
    group = change.state.groups.get(JobKey(wanted))
    found = change.state.find(wanted)
    if found is None and group is None:
        known = ", ".join(f"`{key}`" for key in change.state.groups)
        raise NotFound(f"run {change.record.id} has no job `{wanted}`", hint=f"its jobs are {known}")
    jobs = group.jobs if group is not None else (found[1],) if found is not None else ()
    if jobs is None:
        return (wanted,)
    left = tuple(job.id for job in jobs if job.status is not Status.COMPLETED)
    if not left:
        raise Conflict(f"job `{wanted}` of run {change.record.id} has ended")
    return left


def start_again(tx: Transaction, run: RunId, jobs: str, by: str, moment: Moment) -> RunRecord:
    """Start a completed run again and return it.

    Raises:
        NotFound: there is no such run or job.
        Conflict: it has not ended, or nothing of it failed.
        UsageError: too many wait for its concurrency group, or it is from a fork and now refused.
    """
    changes = Changes(tx, moment)
    change = changes.of(run)
    change.state = rerun(change.state, jobs, by=by)
    change.record = replace(change.record, attempt=change.record.attempt + 1, reason="", needs_attention="")
    mark(f"rerun.{jobs}" if jobs in {"all", "failed"} else "rerun.one")
    triggering.begin(change)
    note(tx, moment, by=by, action="run.rerun", target=f"run {run}, {jobs}")
    changes.save()
    return change.record
