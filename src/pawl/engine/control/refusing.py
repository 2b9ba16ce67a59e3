"""A run that cannot begin: stored as one that has failed, so that everybody sees it and why."""

from __future__ import annotations

from dataclasses import replace

from pawl.core.lifecycle import RunState, state_to_json
from pawl.core.model import run_events
from pawl.core.model.ids import RunId
from pawl.core.model.plan import Json, Outlook, Plan, Verdict
from pawl.core.model.records import NewRun, RunRecord
from pawl.core.model.status import Conclusion, Status
from pawl.core.planning.storage import plan_to_json
from pawl.engine.control.listening import RunSeen
from pawl.engine.control.moment import Moment
from pawl.engine.control.requests import Trigger
from pawl.ports.store import Transaction

_LONGEST_REASON = 20_000
_LONGEST_NAME = 200


def store_refused(
    tx: Transaction, wanted: Trigger, reason: str, correlation: str, moment: Moment
) -> RunRecord:
    """Store a run without jobs that has failed for `reason`, and return it; the same for the same request."""
    key = f"trigger:{wanted.request_id}"
    before = tx.keys.get(key) if wanted.request_id else None
    if isinstance(before, dict) and isinstance(number := before.get("run"), int):
        made = tx.runs.get(RunId(number))
        if made is not None:
            return made
    now, event = moment.now, wanted.event
    title = event.message.split("\n", 1)[0].strip() or wanted.path
    plan = Plan(
        path=wanted.path,
        name=wanted.path,
        run_name=title[:_LONGEST_NAME],
        # What it would have been given is of no use to a run that does nothing, and may be large.
        event=replace(event, payload={}),
        trigger=Verdict(outlook=Outlook.SKIPPED, reason="it cannot begin"),
    )
    state = RunState(
        groups={}, status=Status.COMPLETED, conclusion=Conclusion.FAILURE, started_at=now, completed_at=now
    )
    record = tx.runs.add(
        NewRun(
            repository=event.repository,
            path=wanted.path,
            name=plan.name,
            run_name=plan.run_name,
            event=event.name,
            ref=event.ref,
            sha=event.sha,
            actor=event.actor,
            correlation=correlation,
            created_at=now,
            plan=plan_to_json(plan),
            state=state_to_json(state),
        )
    )
    record = replace(
        record,
        status=Status.COMPLETED,
        conclusion=Conclusion.FAILURE,
        reason=reason[:_LONGEST_REASON],
        started_at=now,
        completed_at=now,
    )
    tx.runs.save(record, state_to_json(state))
    told = _tell(tx, record, plan)
    seen = RunSeen(before=None, state_before=None, record=record, state=state, plan=plan, told=told)
    for listener in moment.rules.listeners:
        listener.on_run(tx, seen, now)
    if wanted.request_id:
        tx.keys.put(key, {"run": record.id, "digest": ""}, time=now)
    return record


def _tell(tx: Transaction, record: RunRecord, plan: Plan) -> list[Json]:
    begun = run_events.RunStarted(
        time=record.created_at,
        number=record.number,
        workflow=plan.name,
        path=plan.path,
        run_name=plan.run_name,
        event=plan.event.name,
        executor="server",
        folder="",
    )
    ended = run_events.RunFinished(
        time=record.created_at, conclusion=Conclusion.FAILURE, duration=0.0, jobs={}, reason=record.reason
    )
    told: list[Json] = [run_events.to_json(begun), run_events.to_json(ended)]
    tx.events.append(record.id, told, record.created_at)
    return told
