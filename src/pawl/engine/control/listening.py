"""Who is told of changes inside their transactions: what they write is kept with the change or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pawl.core.lifecycle import RunState
from pawl.core.model.plan import Json, Plan
from pawl.core.model.records import AttemptRecord, RunRecord
from pawl.ports.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """A run as it was and as it is.

    Attributes:
        before, state_before: None for a run that this transaction makes.
        told: the events that are stored with the change.
    """

    before: RunRecord | None
    state_before: RunState | None
    record: RunRecord
    state: RunState
    plan: Plan
    told: Sequence[Json] = ()


class Listener(Protocol):
    """Is called in a transaction, which may be run again: it may write to that, and do nothing else."""

    def on_run(self, tx: Transaction, seen: RunSeen, now: float) -> None:
        """Take note of a run that was stored, changed or not."""

    def on_lost_worker(self, tx: Transaction, attempt: AttemptRecord, now: float) -> None:
        """Take note of an attempt whose worker did not renew its lease."""
