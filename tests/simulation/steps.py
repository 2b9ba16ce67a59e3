"""What must be true between one commit and the next: how a run may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pawl.core.lifecycle import Group, JobState
from pawl.core.lifecycle.state import group_of
from pawl.core.model.needs import NeedResult
from pawl.core.model.plain import from_plain
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Payload
from pawl.engine.control.rules import Rules
from tests.simulation.views import RunView

_STEPS = {
    None: {AttemptState.QUEUED, AttemptState.FINISHED},
    AttemptState.QUEUED: {AttemptState.QUEUED, AttemptState.LEASED, AttemptState.FINISHED},
    AttemptState.LEASED: set(AttemptState),
    AttemptState.RUNNING: {AttemptState.RUNNING, AttemptState.FINISHED},
    AttemptState.FINISHED: {AttemptState.FINISHED},
}


def compare(
    before: RunView | None, view: RunView, rules: Rules, labels: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """Yield what is wrong with the step from `before` to `view`."""
    for ref, row in view.attempts.items():
        old = before.attempts.get(ref) if before else None
        if row != old:
            yield from _attempt(old, row)
            yield from _bounds(view, row, rules)
            if before is not None and old is not None and _was_leased(old, row):
                yield from _lease(before, view, row, labels)
            if old is None:
                yield from _needs(view, row)
    if before is None:
        return
    for ref in before.attempts.keys() - view.attempts.keys():
        yield f"I4: {ref} is gone"
    ended = before.record.conclusion
    same = view.record.attempt == before.record.attempt
    if ended is not None and same and view.record.conclusion is not ended:
        yield f"I4: run {view.id} had ended as {ended} and is {view.record.status}"
    yield from _fail_fast(before, view)
    yield from _conditions(before, view)


def lapsed(old: AttemptRecord, row: AttemptRecord) -> bool:
    """Return whether a lease was ended by the server for want of a worker."""
    if old.state is AttemptState.RUNNING and row.state is AttemptState.FINISHED:
        return row.result_key is None
    return old.state is AttemptState.LEASED and row.state is AttemptState.QUEUED


def _was_leased(old: AttemptRecord, row: AttemptRecord) -> bool:
    return old.state is AttemptState.QUEUED and row.state is AttemptState.LEASED


def _attempt(old: AttemptRecord | None, row: AttemptRecord) -> Iterator[str]:
    """Check the declared graph, the epoch, and that an end is an end (I1, I3, I4, I5)."""
    state = old.state if old else None
    if row.state not in _STEPS[state]:
        yield f"I5: {row.ref} went from {state} to {row.state}"
    if old is None:
        return
    leased = _was_leased(old, row)
    if row.epoch != old.epoch + leased:
        yield f"I1: the epoch of {row.ref} went from {old.epoch} to {row.epoch} ({old.state} to {row.state})"
    same = {AttemptState.LEASED, AttemptState.RUNNING}
    if {old.state, row.state} <= same and row.worker != old.worker:
        yield f"I1: {row.ref} went from {old.worker} to {row.worker} in one lease"
    if old.state is AttemptState.FINISHED and _end(old) != _end(row):
        yield f"I3: {row.ref} had ended with {_end(old)} and now with {_end(row)}"


def _end(row: AttemptRecord) -> tuple[object, ...]:
    return row.conclusion, row.result_key, row.finished_at, row.reason, row.epoch, row.worker


def _bounds(view: RunView, row: AttemptRecord, rules: Rules) -> Iterator[str]:
    """Check that attempts and leases are bounded (Q8, F44)."""
    if row.leases > rules.lost_leases:
        yield f"F44: {row.ref} had {row.leases} leases without a beginning"
    found = view.state.find(row.ref.job)
    if found is None:
        return
    group, job = found
    most = max(rules.infrastructure_retries + 1, group.retry.max_attempts if group.retry else 0)
    if job.attempt - job.earlier > most:
        yield f"Q8: {row.ref} is one more than {most} attempts"


def _lease(
    before: RunView, view: RunView, row: AttemptRecord, labels: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """Check what must hold when a worker gets a job (I9, I10, I12)."""
    old = before.attempts[row.ref]
    if old.blocked or old.cancel is not None:
        yield f"I12: {row.ref} was leased, though blocked {old.blocked!r} or cancelled {old.cancel!r}"
    found = before.state.find(row.ref.job)
    cancellation = before.state.cancellation
    if cancellation and found and (cancellation.force or not found[0].survives_cancel):
        yield f"I12: {row.ref} was leased after its run was cancelled"
    missing = set(row.requires) - labels.get(str(row.worker), frozenset(row.requires))
    if missing:
        yield f"I10: {row.ref} was leased to {row.worker}, which lacks {sorted(missing)}"
    for member in view.groups:
        if member.job in {None, row.ref.job} and not member.active:
            yield f"I9: {row.ref} was leased while it waits for the group {member.group!r}"


def _needs(view: RunView, row: AttemptRecord) -> Iterator[str]:
    """Check that a job is told what the jobs before it ended with (I6, I8)."""
    payload = from_plain(Payload, row.payload, "payload")
    group = view.state.groups[group_of(row.ref.job)]
    if list(payload.needs) != list(group.needs):
        yield f"I8: {row.ref} is told of {list(payload.needs)}, it needs {list(group.needs)}"
        return
    for need, told in payload.needs.items():
        yield from _need(view, row.ref, view.state.groups[need], told)


def _need(view: RunView, ref: AttemptRef, group: Group, told: NeedResult) -> Iterator[str]:
    if told.result is not group.result:
        yield f"I8: {ref} is told that `{group.key}` ended as {told.result}, it was {group.result}"
    good = [job for job in group.jobs or () if job.conclusion is Conclusion.SUCCESS]
    allowed = {str(AttemptRef(run=ref.run, job=job.id, attempt=job.attempt)) for job in good}
    value = told.outputs.get("value")
    if (value is None) == bool(allowed) or (value is not None and value not in allowed):
        yield f"I8: {ref} is told {value!r} by `{group.key}`, which said {sorted(allowed)}"


def _fail_fast(before: RunView, view: RunView) -> Iterator[str]:
    """Check that fail-fast stops jobs of a matrix in which one failed, only (I11)."""
    for key, group in view.state.groups.items():
        known = {job.id: _why(job) for job in before.state.groups[key].jobs or ()}
        stopped = [job for job in group.jobs or () if "fail-fast" in _why(job) and not known.get(job.id)]
        if stopped and not any(
            job.conclusion in {Conclusion.FAILURE, Conclusion.TIMED_OUT} and not job.continue_on_error
            for job in group.jobs or ()
        ):
            yield f"I11: {stopped[0].id} of run {view.id} was stopped, but no job of `{key}` failed"
        if stopped and not group.fail_fast:
            yield f"I11: {stopped[0].id} of run {view.id} was stopped without fail-fast"


def _why(job: JobState) -> str:
    if job.cancelling is not None:
        return job.cancelling.by
    return job.reason if job.conclusion is Conclusion.CANCELLED else ""


def _conditions(before: RunView, view: RunView) -> Iterator[str]:
    """Check that jobs that begin have needs that let them (I6). A job's key says what its condition is."""
    for key, group in view.state.groups.items():
        if not group.jobs or before.state.groups[key].jobs:
            continue
        results = [view.state.groups[need].result for need in group.ancestors]
        if key.endswith(("_always", "_unless_cancelled")):
            fine = True
        elif key.endswith("_failure"):
            fine = Conclusion.FAILURE in results
        else:
            fine = all(result is Conclusion.SUCCESS for result in results)
        if not fine:
            yield f"I6: `{key}` of run {view.id} began with {results}"
        if before.state.cancellation and view.state.cancellation and not key.endswith("_always"):
            yield f"I12: `{key}` of run {view.id} began after the run was cancelled"
