"""Results: of a group from its combinations, of a run from its groups, and what a job sees of its needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pawl.core.lifecycle.state import Group, JobState, RunState
from pawl.core.model.ids import JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.status import Conclusion, Status

_FAILURES = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


def is_failure(conclusion: Conclusion | None) -> bool:
    """Return whether a job that ended so failed."""
    return conclusion in _FAILURES


def visible_result(job: JobState) -> Conclusion:
    """Return how a job counts for others.

    A failure with the job's `continue-on-error` counts as success (GitHub: actions/toolkit issue 581,
    actions/runner issue 1161), so neither the run nor what needs it is affected.
    """
    if is_failure(job.conclusion):
        return Conclusion.SUCCESS if job.continue_on_error else Conclusion.FAILURE
    return job.conclusion or Conclusion.SKIPPED


def group_result(jobs: Iterable[JobState]) -> Conclusion:
    """Return the result over all combinations: failure, else cancelled, else skipped, else success."""
    found = {visible_result(job) for job in jobs} or {Conclusion.SKIPPED}
    for result in (Conclusion.FAILURE, Conclusion.CANCELLED, Conclusion.SKIPPED):
        if result in found:
            return result
    return Conclusion.SUCCESS


def run_conclusion(run: RunState) -> Conclusion:
    """Return how a run ends all of whose jobs have ended.

    A run that was cancelled, and in which that stopped something, is cancelled; else it failed when a job
    did; jobs that were skipped count for nothing.
    """
    results = {group.result for group in run.groups.values()}
    stopped = any(
        job.conclusion is Conclusion.CANCELLED for group in run.groups.values() for job in group.jobs or ()
    )
    if run.cancellation and (stopped or Conclusion.CANCELLED in results):
        return Conclusion.CANCELLED
    for result in (Conclusion.FAILURE, Conclusion.CANCELLED):
        if result in results:
            return result
    return Conclusion.SUCCESS


def run_status(run: RunState) -> Status:
    """Return where a run is as people see it, from nothing but its jobs: queued until something happened.

    It waits while it is held, and while nothing of it goes on because jobs have to be let in.
    """
    groups = run.groups.values()
    if all(group.is_completed for group in groups):
        return Status.COMPLETED
    if waiting_reason(run):
        return Status.WAITING
    begun = {Status.IN_PROGRESS, Status.COMPLETED}
    if any(group.is_completed or any(job.status in begun for job in group.jobs or ()) for group in groups):
        return Status.IN_PROGRESS
    return Status.QUEUED


def waiting_reason(run: RunState) -> str:
    """Return why nothing of a run goes on though it could: it is held, or jobs have to be let in."""
    if run.held:
        return run.held
    jobs = [job for group in run.groups.values() for job in group.jobs or ()]
    names = dict.fromkeys(job.environment for job in jobs if job.is_at_gate)
    if not names or any(job.is_active for job in jobs):
        return ""
    what = "environment" if len(names) == 1 else "environments"
    return f"it waits to be let in to {what} {', '.join(f'`{name}`' for name in names)}"


def need_results(run: RunState, key: JobKey) -> Mapping[JobKey, NeedResult]:
    """Return what the job `key` sees of its direct needs, in their order. All of them must have ended."""
    return {need: _need(run.groups[need]) for need in run.groups[key].needs}


def ancestor_results(run: RunState, key: JobKey) -> Mapping[JobKey, Conclusion]:
    """Return the results of all transitive needs of `key`; `success()` looks at these."""
    found = ((ancestor, run.groups[ancestor].result) for ancestor in run.groups[key].ancestors)
    return {ancestor: result for ancestor, result in found if result is not None}


def _need(group: Group) -> NeedResult:
    """Return a group's result and outputs: by name, that of the job that ended last wins, if not empty."""
    outputs: dict[str, str] = {}
    untrusted: set[str] = set()
    for job in sorted(group.jobs or (), key=lambda job: job.order):
        for name, value in job.outputs.items():
            if value:
                outputs[name] = value
                (untrusted.add if name in job.untrusted else untrusted.discard)(name)
    return NeedResult(
        result=group.result or Conclusion.SKIPPED, outputs=outputs, untrusted=frozenset(untrusted)
    )
