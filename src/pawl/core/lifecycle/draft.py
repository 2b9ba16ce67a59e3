"""A change in the making: the next state and the effects, while `apply` works them out."""

from __future__ import annotations

from dataclasses import replace

from pawl.core.lifecycle.effects import (
    AskApproval,
    CancelJob,
    CompleteRun,
    Effect,
    EndJob,
    ResolveJob,
    StartJob,
)
from pawl.core.lifecycle.results import group_result, run_conclusion
from pawl.core.lifecycle.state import Cancellation, Gate, Group, JobState, RunState
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, Status


class Draft:
    """One change of one run. Lives for one call of `apply`."""

    def __init__(self, run: RunState, now: float) -> None:
        self.run = run
        self.now = now
        self.groups = dict(run.groups)
        self.ended = run.ended
        self.effects: list[Effect] = []
        self._touched: set[JobKey] = set()

    def put_group(self, group: Group) -> None:
        """Replace a group."""
        self.groups[group.key] = group
        self._touched.add(group.key)

    def put_job(self, key: JobKey, job: JobState) -> None:
        """Replace one job of a group."""
        group = self.groups[key]
        jobs = tuple(job if old.id == job.id else old for old in group.jobs or ())
        self.put_group(replace(group, jobs=jobs))

    def start_job(self, key: JobKey, job: JobState, *, delay: float = 0, is_retry: bool = False) -> None:
        """Ask for the next attempt of a job."""
        attempt = job.attempt + 1
        self.put_job(
            key,
            replace(job, status=Status.QUEUED, attempt=attempt, queued_at=self.now, started_at=None),
        )
        self.effects.append(StartJob(id=job.id, key=key, attempt=attempt, delay=delay, is_retry=is_retry))

    def end_job(self, key: JobKey, job: JobState, conclusion: Conclusion, reason: str) -> None:
        """Give a job its conclusion."""
        self.ended += 1
        ran = job.started_at is not None
        self.put_job(
            key,
            replace(
                job,
                status=Status.COMPLETED,
                conclusion=conclusion,
                reason=reason,
                order=self.ended,
                completed_at=self.now,
            ),
        )
        self.effects.append(EndJob(id=job.id, key=key, conclusion=conclusion, reason=reason, ran=ran))

    def end_group(self, key: JobKey, conclusion: Conclusion, reason: str) -> None:
        """Give a group that has no jobs its conclusion."""
        group = self.groups[key]
        self.put_group(replace(group, resolving=False, jobs=(), result=conclusion, reason=reason))
        self.effects.append(EndJob(id=JobId(key), key=key, conclusion=conclusion, reason=reason, ran=False))

    def cancel_job(self, key: JobKey, job: JobState, why: Cancellation) -> None:
        """Stop a job: at once where it has not begun, else by asking it to end."""
        match job.status:
            case Status.COMPLETED:
                return
            case Status.IN_PROGRESS:
                if job.cancelling is None:
                    self.put_job(key, replace(job, cancelling=why))
                    self.effects.append(CancelJob(id=job.id, reason=why.reason, running=True))
            case Status.QUEUED:
                self.effects.append(CancelJob(id=job.id, reason=why.reason, running=False))
                self.end_job(key, job, Conclusion.CANCELLED, why.reason)
            case Status.WAITING:
                self.end_job(key, job, Conclusion.CANCELLED, why.reason)

    def cancel_group(self, key: JobKey, why: Cancellation, *, but: JobId | None = None) -> None:
        """Stop all jobs of a group, but one."""
        for job in self.groups[key].jobs or ():
            if job.id != but:
                self.cancel_job(key, job, why)

    def close_groups(self) -> None:
        """Give groups all of whose jobs have ended their result."""
        for key in self._touched:
            group = self.groups[key]
            if group.jobs and all(job.status is Status.COMPLETED for job in group.jobs):
                self.groups[key] = replace(group, result=group_result(group.jobs))

    def settle(self, *, everything: bool = False) -> RunState:
        """Return the next state, after everything that now can happen by itself has happened.

        The groups are in topological order, so one pass sees every consequence.

        Args:
            everything: look at all groups, not only at those touched and those that need them.
        """
        touched = self._touched
        for key, group in self.groups.items():
            if group.result is None and (everything or key in touched or not touched.isdisjoint(group.needs)):
                self._advance(group)
        run = replace(self.run, groups=self.groups, ended=self.ended)
        if all(group.result is not None for group in self.groups.values()):
            conclusion = run_conclusion(run)
            reason = run.cancellation.reason if run.cancellation else ""
            self.effects.append(CompleteRun(conclusion=conclusion, reason=reason))
            run = replace(run, status=Status.COMPLETED, conclusion=conclusion, completed_at=self.now)
        return run

    def _advance(self, group: Group) -> None:
        if group.jobs is None:
            if not group.resolving and all(self.groups[need].is_completed for need in group.needs):
                self.put_group(replace(group, resolving=True))
                self.effects.append(ResolveJob(group.key))
            return
        self._start_waiting(group)
        group = self.groups[group.key]
        if all(job.status is Status.COMPLETED for job in group.jobs or ()):
            self.put_group(replace(group, result=group_result(group.jobs or ())))

    def _start_waiting(self, group: Group) -> None:
        self._ask_for(group)
        jobs = self.groups[group.key].jobs or ()
        active = sum(job.is_active for job in jobs)
        room = len(jobs) if group.max_parallel is None else group.max_parallel - active
        waiting = [job for job in jobs if job.status is Status.WAITING and job.gate is Gate.OPEN]
        for job in waiting[: max(room, 0)]:
            self.start_job(group.key, job)

    def _ask_for(self, group: Group) -> None:
        """Ask for all jobs of a group that have to be let in; those that wait take no room of others."""
        for job in group.jobs or ():
            if job.status is Status.WAITING and job.gate is Gate.CLOSED:
                self.put_job(group.key, replace(job, gate=Gate.ASKED))
                self.effects.append(AskApproval(id=job.id, key=group.key, environment=job.environment))
