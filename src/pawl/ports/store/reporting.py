"""What is to be told outside: the outboxes of commit statuses and notices."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from pawl.core.model.reporting import DestinationRecord, NoticeRecord, StatusRecord, Streak


class StatusTable(Protocol):
    """One row for each project, commit and name, with the newest state."""

    def get(self, project: str, sha: str, context: str, *, lock: bool = False) -> StatusRecord | None:
        """Return a status; with `lock` nobody else can set it, or add it, until the transaction's end."""

    def put(self, status: StatusRecord) -> None:
        """Add or replace a status, which was read under `lock` in this transaction."""

    def claim(
        self, now: float, until: float, limit: int, busy: Collection[str] = ()
    ) -> tuple[StatusRecord, ...]:
        """Return one status of each project that waits and whose `next_at` has come; longest due first.

        They are the caller's until `until`, which their `next_at` is by then, and their `claims` have grown
        by one. No two callers get the same at a time.

        Args:
            now: seconds since 1970.
            until: see above.
            limit: how many.
            busy: projects to leave out.
        """

    def recent(self, project: str | None, sha: str | None, limit: int) -> tuple[StatusRecord, ...]:
        """Return the statuses that were set last, newest first."""

    def purge(self, before: float, limit: int) -> int:
        """Remove statuses that were set before that time and wait for nothing; return how many."""


class DestinationTable(Protocol):
    """Where notices go."""

    def add(self, destination: DestinationRecord) -> DestinationRecord:
        """Store a destination under the next id and return it."""

    def get(self, number: int, *, lock: bool = False) -> DestinationRecord | None:
        """Return a destination; with `lock` nobody else can change it until the transaction's end."""

    def save(self, destination: DestinationRecord) -> None:
        """Replace a destination, which was read in this transaction."""

    def of_project(self, project: str) -> tuple[DestinationRecord, ...]:
        """Return those of a project and those of all projects, by id."""

    def all(self) -> tuple[DestinationRecord, ...]:
        """Return all, by id."""

    def remove(self, number: int) -> None:
        """Remove a destination with its notices; none is no error."""


class NoticeTable(Protocol):
    """What was told, or is to be, to each destination."""

    def add(self, notice: NoticeRecord) -> NoticeRecord:
        """Store a notice under the next id and return it."""

    def get(self, number: int, *, lock: bool = False) -> NoticeRecord | None:
        """Return a notice; with `lock` nobody else can change it until the transaction's end."""

    def save(self, notice: NoticeRecord) -> None:
        """Replace a notice, which was read in this transaction."""

    def claim(
        self, now: float, until: float, limit: int, busy: Collection[int] = ()
    ) -> tuple[NoticeRecord, ...]:
        """Return one notice of each destination but the busy, as `StatusTable.claim`."""

    def recent(
        self, destination: int | None, *, before: int | None = None, limit: int = 50
    ) -> tuple[NoticeRecord, ...]:
        """Return the newest notices, newest first; only ids below `before`."""

    def give_up(self, destination: int, now: float, reason: str) -> int:
        """Have all notices of a destination that wait have failed; return how many."""

    def purge(self, before: float, limit: int) -> int:
        """Remove notices that came to an end before that time; return how many."""


class StreakTable(Protocol):
    """How the newest run of each workflow at each ref ended."""

    def get(self, project: str, path: str, ref: str) -> Streak | None:
        """Return it; nobody else can change it, or add it, until the transaction's end."""

    def put(self, streak: Streak) -> None:
        """Add or replace it."""

    def purge(self, before: float, limit: int) -> int:
        """Remove those whose run ended before that time; return how many."""
