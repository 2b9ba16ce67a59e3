"""`apply`: the one place where the state of a run changes."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pawl.core.lifecycle.draft import Draft
from pawl.core.lifecycle.effects import Effect, Notice
from pawl.core.lifecycle.events import (
    CancelRequested,
    JobAdmitted,
    JobFinished,
    JobRefused,
    JobResolved,
    JobSkipped,
    JobStarted,
    JobUnresolvable,
    LifecycleEvent,
    RunHeld,
    RunReleased,
    RunStarted,
)
from pawl.core.lifecycle.results import is_failure
from pawl.core.lifecycle.retry import retry_delay
from pawl.core.lifecycle.state import Cancellation, Gate, Group, JobState, RunState, group_of
from pawl.core.model.errors import InternalError
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, Status


class IllegalTransition(InternalError):  # noqa: N818 - the architecture's word for it
    """An event cannot have happened in this state."""


def apply(run: RunState, event: LifecycleEvent, now: float) -> tuple[RunState, tuple[Effect, ...]]:
    """Return the next state and what to do about it.

    An event that comes late or again changes nothing and has no effects.

    Args:
        run: the state so far.
        event: what happened.
        now: seconds, from any clock that does not run backwards within the run.

    Raises:
        IllegalTransition: the event cannot have happened (an unknown job, an answer nobody asked for).
    """
    if run.status is Status.COMPLETED:
        return run, ()
    draft = Draft(run, now)
    if not _change(draft, event):
        return run, ()
    # Before its start nothing of a run happens by itself, unless there is nothing left to start.
    if draft.run.status is Status.QUEUED:
        draft.close_groups()
        if not all(group.is_completed for group in draft.groups.values()):
            return replace(draft.run, groups=draft.groups, ended=draft.ended), tuple(draft.effects)
        draft.run = replace(draft.run, status=Status.IN_PROGRESS, held="", started_at=draft.now)
    settled = draft.settle(everything=isinstance(event, RunStarted))
    return settled, tuple(draft.effects)


def _change(draft: Draft, event: LifecycleEvent) -> bool:
    """Work the event itself into the draft; return False when there is nothing to do."""
    match event:
        case RunStarted():
            return _start_run(draft)
        case RunHeld(reason=reason):
            return _hold(draft, reason)
        case RunReleased():
            return _hold(draft, "")
        case JobResolved():
            return _resolve(draft, event)
        case JobSkipped():
            conclusion = Conclusion.CANCELLED if event.cancelled else Conclusion.SKIPPED
            return _end_unresolved(draft, event.key, conclusion, event.reason)
        case JobUnresolvable():
            return _end_unresolved(draft, event.key, Conclusion.FAILURE, event.reason)
        case JobAdmitted() | JobRefused():
            return _answer_gate(draft, event)
        case JobStarted():
            return _start_job(draft, event)
        case JobFinished():
            return _finish_job(draft, event)
        case CancelRequested():
            return _cancel(draft, event)
        case _:
            assert_never(event)


def _start_run(draft: Draft) -> bool:
    if draft.run.status is not Status.QUEUED or draft.run.held:
        return False
    draft.run = replace(draft.run, status=Status.IN_PROGRESS, started_at=draft.now)
    return True


def _hold(draft: Draft, reason: str) -> bool:
    if draft.run.status is not Status.QUEUED or draft.run.held == reason:
        return False
    draft.run = replace(draft.run, held=reason)
    return True


def _unresolved(draft: Draft, key: JobKey) -> Group | None:
    """Return the group an answer to ResolveJob is about, or None when it had one already."""
    group = draft.groups.get(key)
    if group is None:
        raise IllegalTransition(f"job `{key}` is not in this run")
    if group.jobs is not None:
        return None
    if not group.resolving:
        raise IllegalTransition(f"job `{key}` was resolved before its needs had ended")
    return group


def _resolve(draft: Draft, event: JobResolved) -> bool:
    group = _unresolved(draft, event.key)
    if group is None:
        return False
    cancellation = draft.run.cancellation
    if cancellation and (cancellation.force or not event.survives_cancel):
        draft.end_group(event.key, Conclusion.CANCELLED, cancellation.reason)
        return True
    if not event.combinations:
        draft.end_group(event.key, Conclusion.SKIPPED, "the matrix's excludes leave no combination")
        return True
    jobs = tuple(
        JobState(
            id=each.id,
            continue_on_error=each.continue_on_error,
            attempt=group.past.get(each.id, 0),
            earlier=group.past.get(each.id, 0),
            environment=each.environment,
            gate=Gate.CLOSED if each.environment else Gate.OPEN,
        )
        for each in event.combinations
    )
    if len({job.id for job in jobs}) != len(jobs) or any(group_of(job.id) != event.key for job in jobs):
        raise IllegalTransition(
            f"job `{event.key}` was resolved into ids that are not its own or not distinct"
        )
    draft.put_group(
        replace(
            group,
            resolving=False,
            jobs=jobs,
            fail_fast=event.fail_fast,
            max_parallel=event.max_parallel if event.max_parallel and event.max_parallel > 0 else None,
            survives_cancel=event.survives_cancel,
        )
    )
    return True


def _end_unresolved(draft: Draft, key: JobKey, conclusion: Conclusion, reason: str) -> bool:
    if _unresolved(draft, key) is None:
        return False
    draft.end_group(key, conclusion, reason)
    return True


def _answer_gate(draft: Draft, event: JobAdmitted | JobRefused) -> bool:
    """Let a job in, or end it; an answer to what was not asked, or is asked no more, changes nothing."""
    found = draft.run.find(event.id)
    if found is None:
        raise IllegalTransition(f"job `{event.id}` is not in this run")
    group, job = found
    if not job.is_at_gate:
        return False
    if isinstance(event, JobAdmitted):
        draft.put_job(group.key, replace(job, gate=Gate.OPEN))
        return True
    draft.end_job(group.key, job, event.conclusion, event.reason)
    _fail_fast(draft, group, job, event.conclusion)
    return True


def _current(draft: Draft, job_id: JobId, attempt: int) -> tuple[Group, JobState] | None:
    """Return the job an attempt's news is about, or None when the news is old."""
    found = draft.run.find(job_id)
    if found is None or attempt > found[1].attempt or attempt < 1:
        raise IllegalTransition(f"attempt {attempt} of job `{job_id}` was never asked for")
    _, job = found
    return None if attempt < job.attempt or job.status is Status.COMPLETED else found


def _start_job(draft: Draft, event: JobStarted) -> bool:
    found = _current(draft, event.id, event.attempt)
    if found is None or found[1].status is not Status.QUEUED:
        return False
    group, job = found
    draft.put_job(group.key, replace(job, status=Status.IN_PROGRESS, started_at=draft.now))
    return True


def _finish_job(draft: Draft, event: JobFinished) -> bool:
    if event.conclusion is Conclusion.SKIPPED:
        raise IllegalTransition(f"job `{event.id}` was started, so it cannot end as skipped")
    found = _current(draft, event.id, event.attempt)
    if found is None:
        return False
    group, job = found
    delay = retry_delay(draft.run, group, job, event)
    if delay is not None:
        wait = f" in {delay:g} s" if delay else ""
        said = f"attempt {event.attempt} failed{_because(event.reason)}; trying again{wait}"
        draft.effects.append(Notice(message=said, job=job.id))
        draft.start_job(group.key, job, delay=delay, is_retry=True)
        return True
    job = replace(
        job,
        outputs={name: value for name, value in event.outputs.items() if value},
        untrusted=event.untrusted,
        failure_class=event.failure_class,
        cancelling=None,
    )
    draft.end_job(group.key, job, event.conclusion, event.reason)
    _fail_fast(draft, group, job, event.conclusion)
    return True


def _fail_fast(draft: Draft, group: Group, job: JobState, conclusion: Conclusion) -> None:
    if group.fail_fast and is_failure(conclusion) and not job.continue_on_error:
        why = Cancellation(by="fail-fast", reason=f"`{job.id}` failed and fail-fast is on", time=draft.now)
        draft.cancel_group(group.key, why, but=job.id)


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _cancel(draft: Draft, event: CancelRequested) -> bool:
    why = Cancellation(
        by=event.by,
        reason=event.reason or f"cancelled by {event.by}",
        time=draft.now,
        force=event.force,
    )
    if event.job is not None:
        return _cancel_one(draft, event.job, why)
    known = draft.run.cancellation
    if known is not None and (known.force or not event.force):
        return False
    draft.run = replace(draft.run, cancellation=why)
    if draft.run.status is Status.QUEUED:
        draft.run = replace(draft.run, status=Status.IN_PROGRESS, held="", started_at=draft.now)
        _cancel_all(draft, why)
        return True
    for key, group in list(draft.groups.items()):
        if group.jobs is None:
            if why.force:
                draft.end_group(key, Conclusion.CANCELLED, why.reason)
        elif why.force or not group.survives_cancel:
            draft.cancel_group(key, why)
    return True


def _cancel_all(draft: Draft, why: Cancellation) -> None:
    """Cancel what a run that has not begun has before it; what a former start left done stays done."""
    for key, group in list(draft.groups.items()):
        if group.is_completed:
            continue
        if group.jobs is None:
            draft.end_group(key, Conclusion.CANCELLED, why.reason)
        else:
            draft.cancel_group(key, why)


def _cancel_one(draft: Draft, job_id: JobId, why: Cancellation) -> bool:
    found = draft.run.find(job_id)
    if found is not None:
        group, job = found
        if job.status is Status.COMPLETED or job.cancelling is not None:
            return False
        draft.cancel_job(group.key, job, why)
        return True
    key = JobKey(job_id)
    if key not in draft.groups:
        raise IllegalTransition(f"job `{job_id}` is not in this run")
    if draft.groups[key].is_completed or draft.groups[key].jobs is not None:
        return False
    draft.end_group(key, Conclusion.CANCELLED, why.reason)
    return True
