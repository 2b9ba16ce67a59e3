"""One run as a database has it, read whole."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.lifecycle import RunState, state_from_json
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRecord, AttemptRef, GroupMember, LogRecord, RunRecord, StoredEvent
from pawl.ports.store import Transaction


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run with everything that belongs to it; `events` may begin later than at 1."""

    record: RunRecord
    raw_state: Json
    state: RunState
    attempts: dict[AttemptRef, AttemptRecord]
    events: tuple[StoredEvent, ...]
    logs: tuple[LogRecord, ...]
    groups: tuple[GroupMember, ...]

    @property
    def id(self) -> RunId:
        """Return the run's id."""
        return self.record.id

    def attempt(self, job: JobId, attempt: int) -> AttemptRecord | None:
        """Return an attempt's row."""
        return self.attempts.get(AttemptRef(run=self.id, job=job, attempt=attempt))


def read_view(
    transaction: Transaction,
    run: RunId,
    *,
    after: int = 0,
    known: RunView | None = None,
    with_logs: bool = True,
) -> RunView | None:
    """Return a run, with its events after that sequence number; None when there is none.

    Args:
        transaction: what to read in.
        run: the run.
        after: sequence number of the last event that is not wanted.
        known: an older view: its state is taken where nothing of it changed.
        with_logs: whether to read what is known of logs.
    """
    record = transaction.runs.get(run)
    if record is None:
        return None
    raw = transaction.runs.state(run)
    unchanged = known is not None and known.raw_state == raw
    state = known.state if known is not None and unchanged else state_from_json(raw)
    events: list[StoredEvent] = []
    while more := transaction.events.read(run, after=events[-1].sequence if events else after):
        events += more
    return RunView(
        record=record,
        raw_state=raw,
        state=state,
        attempts={each.ref: each for each in transaction.attempts.of_run(run)},
        events=tuple(events),
        logs=transaction.logs.of_run(run) if with_logs else (),
        groups=transaction.groups.of_run(run),
    )
