"""Starting a completed run again: which jobs are done anew, and which keep their results."""

from __future__ import annotations

from dataclasses import replace

from pawl.core.lifecycle.results import visible_result
from pawl.core.lifecycle.state import Gate, Group, JobState, RunState, group_of
from pawl.core.model.errors import Conflict, NotFound
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, Status

_FINE = frozenset({Conclusion.SUCCESS, Conclusion.SKIPPED})


def rerun(run: RunState, jobs: str, *, by: str = "") -> RunState:
    """Return the state of a run that is about to begin again; `RunStarted` begins it.

    What depends on a job that is done anew is decided anew. Attempts count on, so those made before stay
    distinct; outputs and results of all other jobs stay.

    Args:
        run: a completed run.
        jobs: `all`; `failed` for those that failed or were cancelled; else a job's key or id.
        by: who starts it.

    Raises:
        Conflict: the run has not ended, or nothing of it failed.
        NotFound: it has no such job.
    """
    if run.status is not Status.COMPLETED:
        raise Conflict("the run has not ended", hint="cancel it, or wait for its end")
    chosen = _chosen(run, jobs)
    if not chosen:
        raise Conflict("no job of the run failed", hint="start all of it again")
    groups: dict[JobKey, Group] = {}
    anew: set[JobKey] = set()
    for key, group in run.groups.items():
        groups[key] = group
        if not anew.isdisjoint(group.ancestors):
            groups[key] = _from_scratch(group)
        elif key in chosen:
            groups[key] = _again(group, chosen[key])
        else:
            continue
        anew.add(key)
    return replace(
        run,
        groups=groups,
        status=Status.QUEUED,
        conclusion=None,
        cancellation=None,
        held="",
        started_by=by,
        started_at=None,
        completed_at=None,
    )


def _chosen(run: RunState, jobs: str) -> dict[JobKey, frozenset[JobId]]:
    """Return the groups that are done anew, each with those of its jobs that are; none named means all."""
    if jobs == "all":
        return dict.fromkeys(run.groups, frozenset())
    if jobs == "failed":
        failed = {key: group for key, group in run.groups.items() if group.result not in _FINE}
        return {key: _failed_jobs(group) for key, group in failed.items()}
    key = group_of(JobId(jobs))
    if key not in run.groups or (key != jobs and run.find(JobId(jobs)) is None):
        known = ", ".join(f"`{name}`" for name in run.groups)
        raise NotFound(f"the run has no job `{jobs}`", hint=f"its jobs are {known}")
    return {key: frozenset() if key == jobs else frozenset({JobId(jobs)})}


def _failed_jobs(group: Group) -> frozenset[JobId]:
    return frozenset(job.id for job in group.jobs or () if visible_result(job) not in _FINE)


def _from_scratch(group: Group) -> Group:
    """Return the group as it was before its condition and matrix were looked at."""
    past = {**group.past, **{job.id: job.attempt for job in group.jobs or ()}}
    return Group(key=group.key, needs=group.needs, ancestors=group.ancestors, retry=group.retry, past=past)


def _again(group: Group, jobs: frozenset[JobId]) -> Group:
    """Return the group with some of its jobs waiting again; all of it anew when none are named."""
    if not jobs:
        return _from_scratch(group)
    reset = tuple(_waiting(job) if job.id in jobs else job for job in group.jobs or ())
    return replace(group, jobs=reset, result=None, reason="")


def _waiting(job: JobState) -> JobState:
    return JobState(
        id=job.id,
        continue_on_error=job.continue_on_error,
        attempt=job.attempt,
        earlier=job.attempt,
        environment=job.environment,
        # What was approved for one start of the run is not for another.
        gate=Gate.CLOSED if job.environment else Gate.OPEN,
    )
