"""Changing runs: the lifecycle decides, this carries out, all in one transaction (architecture.md M1, M4).

`Changes` holds the runs that one transaction touches: a run that ends may hand its concurrency group to
another, whose change is then part of the same transaction.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from pawl.core.lifecycle import (
    AskApproval,
    CancelJob,
    CompleteRun,
    Effect,
    EndJob,
    LifecycleEvent,
    Notice,
    ResolveJob,
    RunStarted,
    RunState,
    StartJob,
    apply,
    run_status,
    waiting_reason,
)
from pawl.core.lifecycle import CancelRequested as CancelRun
from pawl.core.model import run_events
from pawl.core.model.errors import NotFound
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.plan import Json, Plan
from pawl.core.model.records import RunRecord
from pawl.core.model.run_events import RunEvent
from pawl.core.model.status import Conclusion, Status
from pawl.core.model.work import Result
from pawl.core.planning.answer import Resolved, answer_resolve
from pawl.engine.control import gates
from pawl.engine.control.attempts import start_attempt, stop_at_once, stop_attempt
from pawl.engine.control.groups import leave_group
from pawl.engine.control.listening import RunSeen
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.ports.store import Transaction


class Changes:
    """The runs that one transaction changes. Lives as long as the transaction."""

    def __init__(self, tx: Transaction, moment: Moment) -> None:
        self.tx = tx
        self.moment = moment
        self._runs: dict[RunId, RunChange] = {}

    def of(self, run: RunId) -> RunChange:
        """Return the change of a run, which from now on nobody else can change.

        Raises:
            NotFound: there is no such run.
        """
        if run not in self._runs:
            locked = self.tx.runs.lock(run)
            if locked is None:
                raise NotFound(f"there is no run {run}")
            record, state = locked
            plan = self.moment.plans.get(self.tx, record)
            self._runs[run] = RunChange(self, record, self.moment.states.get(run, state), plan)
        return self._runs[run]

    def begin(self, record: RunRecord, state: RunState, plan: Plan) -> RunChange:
        """Return the change of a run that this transaction has made."""
        self._runs[record.id] = RunChange(self, record, state, plan, is_new=True)
        return self._runs[record.id]

    def save(self) -> None:
        """Write everything that changed."""
        for change in self._runs.values():
            change.save()


class RunChange:
    """One run while it is changed."""

    def __init__(
        self, changes: Changes, record: RunRecord, state: RunState, plan: Plan, *, is_new: bool = False
    ) -> None:
        self.changes = changes
        self.tx = changes.tx
        self.moment = changes.moment
        self.record = record
        self.state = state
        self.plan = plan
        self._before = None if is_new else (record, state)
        self.resolved: dict[JobId, Resolved] = {}
        self.results: dict[JobId, Result] = {}
        self._waited = waiting_reason(state)
        self._told: list[Json] = []
        self._waiting: deque[LifecycleEvent] = deque()
        self._applying = False

    @property
    def now(self) -> float:
        """Return the time of the change."""
        return self.moment.now

    def tell(self, event: RunEvent) -> None:
        """Have an event stored with the change (I32)."""
        self._told.append(run_events.to_json(event))

    def feed(self, event: LifecycleEvent) -> None:
        """Apply an event, and those that its effects cause, one after the other."""
        self._waiting.append(event)
        if self._applying:
            return
        self._applying = True
        try:
            while self._waiting:
                following = self._waiting.popleft()
                if isinstance(following, RunStarted) and self.state.status is Status.QUEUED:
                    self.record = replace(self.record, reason="")
                    self._tell_start()
                self.state, effects = apply(self.state, following, self.now)
                for effect in effects:
                    self._perform(effect)
        finally:
            self._applying = False

    def cancel(self, *, by: str, reason: str, force: bool = False) -> None:
        """Ask the whole run to stop."""
        self.tell(run_events.CancelRequested(time=self.now, job=None, reason=reason))
        if self.state.status is Status.QUEUED:
            mark("cancel.before_start")
        self.feed(CancelRun(by=by, reason=reason, force=force))
        if force:
            mark("cancel.at_once")
            stop_at_once(self, reason)

    def cancel_job(self, job: JobId, *, by: str, reason: str, force: bool = False) -> None:
        """Ask one job to stop."""
        self.feed(CancelRun(by=by, reason=reason, job=job))
        if force:
            stop_at_once(self, reason, job)

    def save(self) -> None:
        """Write the run's record, state and events."""
        state = self.state
        self.record = replace(
            self.record,
            status=run_status(state),
            conclusion=state.conclusion,
            cancelling=state.cancellation is not None and state.conclusion is None,
            started_at=state.started_at,
            completed_at=state.completed_at,
        )
        waits = waiting_reason(state)
        if waits or (self._waited and self.record.reason == self._waited):
            self.record = replace(self.record, reason=waits)
        self.tx.runs.save(self.record, self.moment.states.stored(self.record.id, state))
        if self._told:
            self.tx.events.append(self.record.id, self._told, self.now)
        record_before, state_before = self._before or (None, None)
        seen = RunSeen(
            before=record_before,
            state_before=state_before,
            record=self.record,
            state=state,
            plan=self.plan,
            told=self._told,
        )
        for listener in self.moment.rules.listeners:
            listener.on_run(self.tx, seen, self.now)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case ResolveJob(key=key):
                self._resolve(key)
            case AskApproval():
                gates.ask(self, effect)
            case StartJob():
                start_attempt(self, effect)
            case CancelJob():
                stop_attempt(self, effect)
            case Notice(message=message, job=job):
                if job is not None:
                    self.tell(run_events.JobProgress(time=self.now, job=job, message=message))
            case EndJob():
                self._end_job(effect)
            case CompleteRun():
                self._complete(effect)

    def _tell_start(self) -> None:
        self.tell(
            run_events.RunStarted(
                time=self.now,
                number=self.record.number,
                workflow=self.plan.name,
                path=self.plan.path,
                run_name=self.record.run_name,
                event=self.plan.event.name,
                executor="server",
                folder="",
            )
        )

    def _resolve(self, key: JobKey) -> None:
        answer = answer_resolve(
            self.plan,
            self.state,
            key,
            facts=self.moment.facts(self.record),
            cancelled=self.state.cancellation is not None,
        )
        self.resolved.update({job.id: job for job in answer.jobs})
        for event in answer.events(self.now):
            self.tell(event)
        self.feed(answer.event)

    def _end_job(self, end: EndJob) -> None:
        if end.conclusion is not Conclusion.SKIPPED:
            self._tell_end(end)
        found = self.state.find(end.id)
        if found is not None and found[1].environment:
            gates.withdraw(self)
        leave_group(self, end.id)

    def _tell_end(self, end: EndJob) -> None:
        result = self.results.get(end.id)
        found = self.state.find(end.id)
        job = found[1] if found else None
        since = job.started_at if job is not None and end.ran else None
        self.tell(
            run_events.JobFinished(
                time=self.now,
                job=end.id,
                conclusion=end.conclusion,
                duration=result.duration if result else self.now - since if since is not None else 0.0,
                reason=end.reason,
                failure_class=job.failure_class if job else None,
                outputs=dict(job.outputs) if job else {},
                summary=result.summary if result else "",
            )
        )

    def _complete(self, end: CompleteRun) -> None:
        ended = {
            str(job.id): job.conclusion or Conclusion.SKIPPED
            for group in self.state.groups.values()
            for job in group.jobs or ()
        }
        unresolved = {
            str(key): group.result or Conclusion.SKIPPED
            for key, group in self.state.groups.items()
            if not group.jobs
        }
        since = self.state.started_at
        self.tell(
            run_events.RunFinished(
                time=self.now,
                conclusion=end.conclusion,
                duration=self.now - since if since is not None else 0.0,
                jobs={**ended, **unresolved},
                reason=end.reason,
            )
        )
        self.record = replace(self.record, reason=end.reason)
        if self.plan.event.from_fork:
            gates.withdraw(self)
        leave_group(self, None)
