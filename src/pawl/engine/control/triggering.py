"""Storing a run, and starting it where nothing holds it back, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pawl.core.expressions import ExpressionError
from pawl.core.lifecycle import RunStarted, create_run, state_to_json
from pawl.core.model.errors import Conflict, UsageError
from pawl.core.model.ids import RunId
from pawl.core.model.plan import Plan
from pawl.core.model.records import NewRun, RunRecord
from pawl.core.planning.contexts import RunFacts, workflow_contexts
from pawl.core.planning.storage import plan_to_json
from pawl.core.queue.groups import GroupRule
from pawl.engine.control import gates, groups
from pawl.engine.control.intake import Planned
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.requests import Trigger
from pawl.engine.control.transitions import Changes, RunChange
from pawl.ports.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A trigger with its plan.

    Attributes:
        run_name: returns the run's name for its number.
    """

    wanted: Trigger
    planned: Planned
    correlation: str
    run_name: Callable[[RunFacts], str]


def store_run(tx: Transaction, order: Order, moment: Moment) -> RunRecord:
    """Store the run of an order and return it; that of an earlier one with the same request id.

    Raises:
        Conflict: the request id was used for something else.
        UsageError: its concurrency group cannot be evaluated, or too many wait for that.
    """
    wanted, key = order.wanted, f"trigger:{order.wanted.request_id}"
    if wanted.request_id:
        before = _made_before(tx, key, order.planned.digest)
        if before is not None:
            return before
    plan = order.planned.plan
    retries = moment.rules.infrastructure_retries
    state = create_run(plan, infrastructure_retries=retries, triggered_by=wanted.by)
    record = tx.runs.add(
        NewRun(
            repository=wanted.event.repository,
            path=plan.path,
            name=plan.name,
            run_name=plan.run_name,
            event=plan.event.name,
            ref=plan.event.ref,
            sha=plan.event.sha,
            actor=plan.event.actor,
            correlation=order.correlation,
            created_at=moment.now,
            plan=plan_to_json(plan),
            state=state_to_json(state),
            source=wanted.source,
            priority=wanted.priority,
        )
    )
    if order.planned.needs_number:
        record = replace(record, run_name=order.run_name(moment.facts(record)))
    if wanted.gives_way:
        tx.keys.put(groups.giving_way(record.id), value=True, time=moment.now)
    changes = Changes(tx, moment)
    begin(changes.begin(record, state, plan))
    changes.save()
    if wanted.request_id:
        tx.keys.put(key, {"run": record.id, "digest": order.planned.digest}, time=moment.now)
    return tx.runs.get(record.id) or record


def _made_before(tx: Transaction, key: str, digest: str) -> RunRecord | None:
    stored = tx.keys.get(key)
    if not isinstance(stored, dict):
        return None
    mark("trigger.repeated")
    if stored.get("digest") != digest:
        raise Conflict("the request id was used for another run", hint="use a new id for each run")
    number = stored.get("run")
    return tx.runs.get(RunId(number)) if isinstance(number, int) else None


def begin(change: RunChange) -> None:
    """Start a run that has not begun, or let it wait for approval, or for its concurrency group.

    Raises:
        UsageError: it is refused, the group cannot be evaluated, or too many wait for it.
    """
    if gates.may_begin(change):
        enter(change)


def enter(change: RunChange, *, late: bool = False) -> None:
    """Start a run that nothing holds, or let it wait for its concurrency group.

    Args:
        change: of the run.
        late: whether it was held till now: it neither stops nor supersedes what came meanwhile.

    Raises:
        UsageError: the group cannot be evaluated, or too many wait for it.
    """
    rule = _group(change.plan, change)
    if rule is None:
        change.feed(RunStarted())
        return
    members = change.tx.groups.members(rule.group) if late else ()
    if any(each.run > change.record.id for each in members):
        change.tx.keys.put(groups.giving_way(change.record.id), value=True, time=change.now)
    entry = groups.join(change, rule, None)
    if entry.refused:
        raise UsageError("too many runs wait for its concurrency group already", hint="cancel some of them")
    if entry.active:
        change.feed(RunStarted())
    else:
        mark("group.blocked")
        change.record = replace(change.record, reason=groups.held_by(change.tx, rule.group))


def _group(plan: Plan, change: RunChange) -> GroupRule | None:
    if plan.concurrency is None:
        return None
    contexts = workflow_contexts(plan, change.moment.facts(change.record))
    try:
        return groups.group_rule(plan.concurrency, contexts, change.record.repository)
    except ExpressionError as error:
        raise UsageError(f"{plan.path}: `concurrency` cannot be evaluated: {error.message}") from error
