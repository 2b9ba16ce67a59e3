"""What every change of the store is given besides the transaction: the time, the rules, plans read before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from pawl.core.model.errors import InternalError
from pawl.core.model.plan import Plan
from pawl.core.model.records import RunRecord
from pawl.core.planning.contexts import RunFacts
from pawl.core.planning.storage import plan_from_json
from pawl.engine.control.rules import Rules
from pawl.ports.store import Transaction

_PLANS = 128


class PlanCache:
    """The plans of the runs seen last; a run's plan never changes."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[int, str], Plan] = OrderedDict()
        # Stores may work in several threads.
        self._lock = threading.Lock()

    def get(self, tx: Transaction, record: RunRecord) -> Plan:
        """Return the plan of a run."""
        # A run id may be given twice when the first one was never committed; its correlation is its own.
        key = (record.id, record.correlation)
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        stored = tx.runs.plan(record.id)
        if stored is None:
            raise InternalError(f"run {record.id} has no plan")
        plan = plan_from_json(stored)
        with self._lock:
            self._plans[key] = plan
            if len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a change happens, and by which rules."""

    now: float
    rules: Rules
    plans: PlanCache

    def facts(self, record: RunRecord) -> RunFacts:
        """Return what the `github` context says about a run."""
        return RunFacts(
            run_id=str(record.id),
            run_number=record.number,
            run_attempt=record.attempt,
            server_url=self.rules.server_url,
        )
