"""Runs, their events, and what is known of their logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pawl.core.model.ids import JobId, RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef, LogRecord, NewRun, RunRecord, StoredEvent
from pawl.core.model.status import Conclusion, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; None is any. `before` pages: only runs with a smaller id."""

    repository: str | None = None
    ref: str | None = None
    event: str | None = None
    actor: str | None = None
    path: str | None = None
    status: Status | None = None
    conclusion: Conclusion | None = None
    before: RunId | None = None


class RunTable(Protocol):
    """The runs. A run's plan never changes; its lifecycle state is one value, kept beside its record."""

    def add(self, run: NewRun) -> RunRecord:
        """Store a run under the next id, with the next number of its workflow, and return it."""

    def get(self, run: RunId) -> RunRecord | None:
        """Return a run's record."""

    def lock(self, run: RunId) -> tuple[RunRecord, Json] | None:
        """Return record and lifecycle state, which until the transaction's end nobody else can change."""

    def state(self, run: RunId) -> Json:
        """Return the lifecycle state without locking it; None when there is no such run."""

    def plan(self, run: RunId) -> Json:
        """Return the plan; None when there is no such run."""

    def save(self, record: RunRecord, state: Json) -> None:
        """Replace a run's record and state, both read under `lock` in this transaction."""

    def find(self, wanted: RunFilter, limit: int) -> tuple[RunRecord, ...]:
        """Return the newest runs that fit, newest first."""

    def unfinished(self) -> tuple[RunId, ...]:
        """Return the runs that are not completed, oldest first."""

    def completed_before(self, time: float, limit: int) -> tuple[RunId, ...]:
        """Return runs that were completed before `time`, oldest first."""

    def delete(self, run: RunId) -> None:
        """Remove a run and every row that belongs to it. Its id is never used again."""


class EventTable(Protocol):
    """What runs told, in order: a run's news and the change they are about are one transaction (I32)."""

    def append(self, run: RunId, events: Sequence[Json], time: float) -> int:
        """Store events after the run's last one and return the last sequence number; wakes `run:<id>`."""

    def read(self, run: RunId, *, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return the events with greater sequence numbers, in order."""

    def last(self, run: RunId) -> int:
        """Return the last sequence number, 0 for none."""


class LogTable(Protocol):
    """Which steps have a log, and how those that are finished ended."""

    def put(self, log: LogRecord) -> None:
        """Store or replace a log's record."""

    def of_attempt(self, ref: AttemptRef) -> tuple[LogRecord, ...]:
        """Return the logs of an attempt by index."""

    def of_run(self, run: RunId, job: JobId | None = None) -> tuple[LogRecord, ...]:
        """Return all logs of a run, or of one job of it, by job, attempt and index."""
