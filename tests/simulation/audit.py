"""What must be true of any run at any moment, whoever wrote it: checked on one view of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pawl.core.lifecycle import Group, JobState, run_status
from pawl.core.model.records import AttemptRecord, AttemptState, GroupMember, StoredEvent
from pawl.core.model.status import Conclusion, Status
from tests.simulation.views import RunView

_BAD = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})
_FITTING = {
    Status.QUEUED: {AttemptState.QUEUED, AttemptState.LEASED},
    Status.IN_PROGRESS: {AttemptState.RUNNING},
    Status.COMPLETED: {AttemptState.FINISHED},
    Status.WAITING: {AttemptState.FINISHED},
}


def audit_run(view: RunView) -> Iterator[str]:
    """Yield what is wrong with a run."""
    for found in (_status(view), _jobs(view), _rows(view), _order(view)):
        for message in found:
            yield f"run {view.id}: {message}"


def _status(view: RunView) -> Iterator[str]:
    """Check that what the record says follows from the jobs (I7)."""
    state, record = view.state, view.record
    if record.status is not run_status(state):
        yield f"I7: its status is {record.status}, its jobs say {run_status(state)}"
    ended = all(_result(group) is not None for group in state.groups.values())
    if ended != (state.status is Status.COMPLETED):
        yield f"I7: all jobs ended is {ended}, but its state is {state.status}"
    expected = _conclusion(view) if ended else None
    if record.conclusion is not expected or state.conclusion is not expected:
        yield f"I7: its conclusion is {record.conclusion} ({state.conclusion}), its jobs say {expected}"
    for group in state.groups.values():
        if group.jobs and _result(group) is not group.result:
            yield f"I7: `{group.key}` has the result {group.result}, its jobs say {_result(group)}"


def _result(group: Group) -> Conclusion | None:
    """Work out a group's result from its jobs, in other words than the code that is tested (I11)."""
    if not group.jobs:
        return group.result
    if any(job.conclusion is None for job in group.jobs):
        return None
    ends = [
        Conclusion.SUCCESS if job.conclusion in _BAD and job.continue_on_error else job.conclusion
        for job in group.jobs
    ]
    if any(end in _BAD for end in ends):
        return Conclusion.FAILURE
    return Conclusion.CANCELLED if Conclusion.CANCELLED in ends else Conclusion.SUCCESS


def _conclusion(view: RunView) -> Conclusion:
    results = [_result(group) for group in view.state.groups.values()]
    jobs = [job.conclusion for group in view.state.groups.values() for job in group.jobs or ()]
    stopped = Conclusion.CANCELLED in results or Conclusion.CANCELLED in jobs
    if view.state.cancellation is not None and stopped:
        return Conclusion.CANCELLED
    if Conclusion.FAILURE in results:
        return Conclusion.FAILURE
    return Conclusion.CANCELLED if Conclusion.CANCELLED in results else Conclusion.SUCCESS


def _jobs(view: RunView) -> Iterator[str]:
    """Check that the lifecycle's jobs and the rows of the queue say the same (I5, I7)."""
    known: set[object] = set()
    for group in view.state.groups.values():
        for job in group.jobs or ():
            known.update((job.id, number) for number in range(1, job.attempt + 1))
            yield from _job(view, job)
        known.update((job, number) for job, last in group.past.items() for number in range(1, last + 1))
    for ref, row in view.attempts.items():
        if (ref.job, ref.attempt) not in known:
            yield f"I5: there is a row of {ref} ({row.state}), which the lifecycle never asked for"


def _job(view: RunView, job: JobState) -> Iterator[str]:
    for number in range(1, job.attempt + 1):
        row = view.attempt(job.id, number)
        if row is None:
            yield f"I4: attempt {number} of `{job.id}` has no row"
            continue
        fitting = _FITTING[job.status] if number == job.attempt else {AttemptState.FINISHED}
        if row.state not in fitting:
            yield f"I5: {row.ref} is {row.state}, its job is {job.status} with attempt {job.attempt}"
    last = view.attempt(job.id, job.attempt)
    ran = job.status is Status.COMPLETED and job.attempt > job.earlier
    if ran and last and last.conclusion is not job.conclusion:
        yield f"I7: {last.ref} ended as {last.conclusion}, its job as {job.conclusion}"
    if job.status is Status.COMPLETED and job.conclusion is None:
        yield f"I7: `{job.id}` is completed without a conclusion"


def _rows(view: RunView) -> Iterator[str]:
    """Check that each row is in itself what its state says (I1, I3)."""
    for ref, row in view.attempts.items():
        live = row.state in {AttemptState.LEASED, AttemptState.RUNNING}
        if live and (row.worker is None or row.deadline is None or row.epoch < 1):
            yield f"I1: {ref} is {row.state} by {row.worker} until {row.deadline}, epoch {row.epoch}"
        if row.state is AttemptState.RUNNING and row.started_at is None:
            yield f"I5: {ref} is running and never began"
        finished = row.state is AttemptState.FINISHED
        if finished != (row.conclusion is not None) or finished != (row.finished_at is not None):
            yield f"I3: {ref} is {row.state} with the conclusion {row.conclusion}"


def _order(view: RunView) -> Iterator[str]:
    """Check needs and max-parallel (I6, I10)."""
    for group in view.state.groups.values():
        waiting = [need for need in group.needs if not view.state.groups[need].is_completed]
        begun = any(job.status is not Status.COMPLETED for job in group.jobs or ())
        if waiting and begun:
            yield f"I6: `{group.key}` goes on though {', '.join(waiting)} did not end"
        active = sum(job.is_active for job in group.jobs or ())
        if group.max_parallel is not None and active > group.max_parallel:
            yield f"I10: {active} jobs of `{group.key}` at once, max-parallel is {group.max_parallel}"


def audit_events(view: RunView, events: Iterable[StoredEvent]) -> Iterator[str]:
    """Yield what is wrong with all events of a run so far, held against its state (I20, I32)."""
    ended: dict[str, object] = {}
    last: object = None
    ends = 0
    for place, stored in enumerate(events, 1):
        if stored.sequence != place:
            yield f"run {view.id}: I20: event {place} has the number {stored.sequence}"
            return
        event = stored.event if isinstance(stored.event, dict) else {}
        if event.get("type") == "job_finished":
            ended[str(event.get("job"))] = event.get("conclusion")
        elif event.get("type") == "run_finished":
            ends += 1
            last = event.get("conclusion")
    completed = view.state.status is Status.COMPLETED
    if ends != view.record.attempt - (0 if completed else 1):
        yield f"run {view.id}: I32: its end was told {ends} times, its start was {view.record.attempt}"
    if completed and last != view.state.conclusion:
        yield f"run {view.id}: I32: it ended as {view.state.conclusion}, told was {last}"
    for group in view.state.groups.values():
        for job in group.jobs or ():
            if job.status is Status.COMPLETED and ended.get(str(job.id)) != job.conclusion:
                told = ended.get(str(job.id))
                yield f"run {view.id}: I32: `{job.id}` ended as {job.conclusion}, told was {told}"


KEEPS_ALL = "-all"
"""How the names of groups end in which any number may wait, in the simulation."""


def audit_groups(members: Iterable[GroupMember]) -> Iterator[str]:
    """Yield which concurrency groups have too many members (I9), of all that there are."""
    by_group: defaultdict[str, list[GroupMember]] = defaultdict(list)
    for member in members:
        by_group[member.group].append(member)
    for group, those in by_group.items():
        active = sum(member.active for member in those)
        if active > 1:
            yield f"I9: {active} have the group {group!r} at once: {those}"
        if len(those) - active > 1 and not group.endswith(KEEPS_ALL):
            yield f"I9: {len(those) - active} wait for the group {group!r}"
        if not active:
            yield f"I9: {len(those)} wait for the group {group!r}, which nobody has"


def audit_workers(rows: Iterable[AttemptRecord], slots: dict[str, int]) -> Iterator[str]:
    """Yield which workers have more than they take (I10)."""
    held = Counter(
        str(row.worker) for row in rows if row.state in {AttemptState.LEASED, AttemptState.RUNNING}
    )
    for worker, count in held.items():
        if count > slots.get(worker, count):
            yield f"I10: {worker} has {count} jobs and takes {slots[worker]}"
