"""What every change of the store is given besides the transaction: the time, the rules, plans read before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from pawl.core.lifecycle import RunState, state_from_json, state_to_json
from pawl.core.model.errors import InternalError
from pawl.core.model.ids import RunId
from pawl.core.model.plan import Json, Plan
from pawl.core.model.records import RunRecord
from pawl.core.planning.contexts import RunFacts
from pawl.core.planning.storage import plan_from_json
from pawl.engine.control.rules import Rules
from pawl.ports.store import Transaction

_PLANS = 128
_STATES = 32


class PlanCache:
    """The plans of the runs seen last; a run's plan never changes."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[int, str], Plan] = OrderedDict()
        # Stores may work in several threads.
        self._lock = threading.Lock()

    def get(self, tx: Transaction, record: RunRecord) -> Plan:
        """Return the plan of a run."""
        key = _key(record)
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        stored = tx.runs.plan(record.id)
        if stored is None:
            raise InternalError(f"run {record.id} has no plan")
        plan = plan_from_json(stored)
        self.put(record, plan)
        return plan

    def put(self, record: RunRecord, plan: Plan) -> None:
        """Remember the plan of a stored run: one that came to nothing may leave its id to another."""
        with self._lock:
            self._plans[_key(record)] = plan
            if len(self._plans) > _PLANS:
                self._plans.popitem(last=False)


class StateCache:
    """The states of the runs seen last, each good for as long as the store still holds it as it was."""

    def __init__(self) -> None:
        self._states: OrderedDict[RunId, tuple[Json, RunState]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run: RunId, stored: Json) -> RunState:
        """Return the state of a run that is stored like this."""
        with self._lock:
            known = self._states.get(run)
        # What others stored since, or a transaction that was undone, is another value: nothing else is asked.
        if known is not None and known[0] == stored:
            return known[1]
        return state_from_json(stored)

    def stored(self, run: RunId, state: RunState) -> Json:
        """Return how a state is stored, and remember it."""
        plain = state_to_json(state)
        with self._lock:
            self._states[run] = (plain, state)
            self._states.move_to_end(run)
            if len(self._states) > _STATES:
                self._states.popitem(last=False)
        return plain


def _key(record: RunRecord) -> tuple[int, str]:
    # A run id may be given twice when the first one was never committed; its correlation is its own.
    return (record.id, record.correlation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a change happens, and by which rules."""

    now: float
    rules: Rules
    plans: PlanCache
    states: StateCache

    def facts(self, record: RunRecord) -> RunFacts:
        """Return what the `github` context says about a run."""
        return RunFacts(
            run_id=str(record.id),
            run_number=record.number,
            run_attempt=record.attempt,
            server_url=self.rules.server_url,
        )
