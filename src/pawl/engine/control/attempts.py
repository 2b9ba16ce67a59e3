"""Rows of the queue: made when the lifecycle asks for an attempt, ended when it takes that back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pawl.core.expressions import ExpressionError, Value
from pawl.core.lifecycle import CancelJob, JobFinished, StartJob, need_results
from pawl.core.model import run_events
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.needs import NeedResult
from pawl.core.model.plain import to_plain
from pawl.core.model.plan import Combination, Json, PlannedJob
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Payload
from pawl.core.planning.contexts import combination_contexts, job_contexts
from pawl.core.planning.render import render_json
from pawl.core.planning.resolve import Strategy, job_id, resolve_matrix, resolve_strategy
from pawl.core.queue.labels import required_labels
from pawl.core.queue.places import head_start, place
from pawl.core.queue.rates import admit
from pawl.engine.control import groups
from pawl.engine.control.marks import mark

if TYPE_CHECKING:  # the changes of runs call these functions, and these change runs
    from pawl.engine.control.transitions import RunChange

_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A job that is about to be queued."""

    planned: PlannedJob
    combination: Combination
    strategy: Strategy
    needs: Mapping[JobKey, NeedResult]
    contexts: Mapping[str, Value]


def start_attempt(change: RunChange, effect: StartJob) -> None:
    """Put an attempt into the queue; one that cannot be, ends at once as failed."""
    ref = AttemptRef(run=change.record.id, job=effect.id, attempt=effect.attempt)
    job = _job(change, effect.id, effect.key)
    row = _row(change, ref, job)
    if not effect.is_retry:
        # A retry is the server's own doing: it takes nothing from what people may start.
        row = replace(row, available_at=_available_at(change))
    if effect.delay:
        mark("retry.delayed")
        row = replace(row, available_at=row.available_at + effect.delay)
    try:
        rule = groups.group_rule(job.planned.concurrency, job.contexts, change.record.repository)
    except ExpressionError as error:
        _refuse(change, row, f"`concurrency` cannot be evaluated: {error.message}")
        return
    if rule is not None:
        entry = groups.join(change, rule, effect.id)
        if entry.refused:
            _refuse(change, row, "too many wait for its concurrency group already")
            return
        blocked = ""
        if not entry.active:
            mark("group.blocked")
            blocked = groups.held_by(change.tx, rule.group)
        row = replace(row, group=rule.group, blocked=blocked)
    deadline = row.available_at + change.moment.rules.queue_timeout
    change.tx.attempts.add(replace(row, deadline=deadline))
    change.tx.notify("queue")


def _row(change: RunChange, ref: AttemptRef, job: _Job) -> AttemptRecord:
    try:
        requires = required_labels(render_json(job.planned.runs_on, job.contexts))
    except ExpressionError:
        # Any worker may take it: it fails there, with the message of the place where it is evaluated.
        requires = ()
    payload = Payload(
        key=job.planned.key,
        combination=job.combination,
        fail_fast=job.strategy.fail_fast,
        max_parallel=job.strategy.max_parallel,
        needs=job.needs,
    )
    return AttemptRecord(
        ref=ref,
        key=job.planned.key,
        name=job.combination.name,
        repository=change.record.repository,
        state=AttemptState.QUEUED,
        requires=requires,
        queue_key=_queue_key(change, job.planned),
        queued_at=change.now,
        available_at=change.now,
        payload=to_plain(payload),
    )


def _job(change: RunChange, job: JobId, key: JobKey) -> _Job:
    """Return what is known of a job: as it was just resolved, or as its needs still say."""
    planned, facts = change.plan.job(key), change.moment.facts(change.record)
    needs = need_results(change.state, key)
    contexts = job_contexts(change.plan, key, needs, facts)
    resolved = change.resolved.get(job)
    if resolved is not None:
        combination, strategy = resolved.combination, resolved.strategy
    else:
        strategy = resolve_strategy(planned, contexts)
        expansion = resolve_matrix(planned, contexts, strategy, env=change.plan.env)
        has_matrix = planned.matrix is not None
        combination = next(
            each for each in expansion.combinations if job_id(key, each, has_matrix=has_matrix) == job
        )
    more = combination_contexts(combination, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel)
    return _Job(
        planned=planned,
        combination=combination,
        strategy=strategy,
        needs=needs,
        contexts={**contexts, **more},
    )


def _queue_key(change: RunChange, planned: PlannedJob) -> float:
    rules, event = change.moment.rules.head_starts, change.plan.event
    name = f"turn:{change.record.repository}"
    found = place(
        rules,
        now=change.now,
        turn=_number(change.tx.keys.get(name)),
        head_start=head_start(
            rules,
            is_tag=event.tag is not None,
            is_default_branch=event.branch == event.default_branch,
            priority=change.record.priority + (planned.priority or 0),
        ),
    )
    change.tx.keys.put(name, found.next_turn, time=change.now)
    return found.key


def _available_at(change: RunChange) -> float:
    rules = change.moment.rules
    if rules.rate is None:
        return change.now
    name = f"rate:{change.record.repository}"
    admission = admit(
        now=change.now,
        due=_number(change.tx.keys.get(name)),
        interval=_HOUR / rules.rate,
        burst=rules.burst,
    )
    change.tx.keys.put(name, admission.due, time=change.now)
    return admission.at


def _number(stored: Json) -> float | None:
    return float(stored) if isinstance(stored, int | float) else None


def _refuse(change: RunChange, row: AttemptRecord, reason: str) -> None:
    ended = replace(
        row,
        state=AttemptState.FINISHED,
        finished_at=change.now,
        conclusion=Conclusion.FAILURE,
        reason=reason,
        failure_class=FailureClass.USER,
    )
    change.tx.attempts.add(ended)
    change.feed(
        JobFinished(
            id=row.ref.job,
            attempt=row.ref.attempt,
            conclusion=Conclusion.FAILURE,
            failure_class=FailureClass.USER,
            reason=reason,
            final=True,
        )
    )


def stop_attempt(change: RunChange, effect: CancelJob) -> None:
    """Take an attempt back: out of the queue, or by asking the worker that has begun it."""
    change.tell(run_events.CancelRequested(time=change.now, job=effect.id, reason=effect.reason))
    row = _current(change, effect.id)
    if row is None:
        return
    if effect.running:
        mark("cancel.running")
        cancellation = change.state.cancellation
        at_once = cancellation is not None and cancellation.force
        change.tx.attempts.save(replace(row, cancel=effect.reason, cancel_at_once=at_once))
        change.tx.notify("cancel")
        return
    # A worker that has leased it and has not begun learns that its lease is gone.
    mark("cancel.leased" if row.state is AttemptState.LEASED else "cancel.queued")
    change.tx.attempts.save(
        replace(
            row,
            state=AttemptState.FINISHED,
            finished_at=change.now,
            conclusion=Conclusion.CANCELLED,
            reason=effect.reason,
            cancel=effect.reason,
            blocked="",
            deadline=None,
        )
    )


def stop_at_once(change: RunChange, reason: str, job: JobId | None = None) -> None:
    """Have the workers of a run's running attempts, or of one job's, skip the last steps of those too."""
    for row in change.tx.attempts.of_run(change.record.id):
        wanted = job is None or row.ref.job == job
        if wanted and row.state is AttemptState.RUNNING and not row.cancel_at_once:
            change.tx.attempts.save(replace(row, cancel=row.cancel or reason, cancel_at_once=True))
            change.tx.notify("cancel")


def _current(change: RunChange, job: JobId) -> AttemptRecord | None:
    """Return the row of a job's last attempt while that has not ended."""
    found = change.state.find(job)
    if found is None:
        return None
    ref = AttemptRef(run=change.record.id, job=job, attempt=found[1].attempt)
    row = change.tx.attempts.get(ref, lock=True)
    return None if row is None or row.state is AttemptState.FINISHED else row
