"""Projects, and the journal of what their forges sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pawl.core.model.projects import DeliveryRecord, HeadRecord, Project, ScheduleRecord


class ProjectTable(Protocol):
    """The repositories that a server works for, by name."""

    def put(self, project: Project) -> None:
        """Add or replace a project."""

    def get(self, name: str) -> Project | None:
        """Return a project."""

    def all(self) -> tuple[Project, ...]:
        """Return all projects by name."""

    def remove(self, name: str) -> None:
        """Remove a project with its schedules and heads; its deliveries stay. None is no error."""


class DeliveryTable(Protocol):
    """The journal: each project's deliveries are worked on one after the other, in the order they came."""

    def add(self, delivery: DeliveryRecord) -> DeliveryRecord | None:
        """Store a delivery under the next id and return it; None when the project has one of its key."""

    def find(self, project: str, key: str) -> DeliveryRecord | None:
        """Return the delivery of a key."""

    def get(self, number: int, *, lock: bool = False) -> DeliveryRecord | None:
        """Return a delivery; with `lock` nobody else can change it until the transaction's end."""

    def save(self, delivery: DeliveryRecord) -> None:
        """Replace a delivery, which was read in this transaction."""

    def claim(self, now: float, until: float, limit: int) -> tuple[DeliveryRecord, ...]:
        """Return the oldest delivery that waits of each project, where its `next_at` has come; oldest first.

        They are the caller's until `until`, which their `next_at` is by then. No two callers get the same,
        and no project has two that are worked on: the next of a project waits until this one is done.
        """

    def recent(
        self, project: str | None, *, before: int | None = None, limit: int = 50
    ) -> tuple[DeliveryRecord, ...]:
        """Return the newest deliveries without their bodies, newest first; only ids below `before`."""

    def forget_bodies(self, before: float, limit: int) -> int:
        """Empty the bodies of deliveries done before that time; return of how many."""

    def purge(self, before: float, limit: int) -> int:
        """Remove deliveries done before that time; return how many."""

    def counts(self) -> dict[str, int]:
        """Return how many deliveries are in which state."""


class HeadTable(Protocol):
    """Which commits refs were told to be at: what the poll need not tell again."""

    def tell(self, head: HeadRecord) -> bool:
        """Store a head, or the time alone where it was told before; return whether it is new."""

    def get(self, project: str, ref: str, sha: str) -> HeadRecord | None:
        """Return a head."""

    def of_ref(self, project: str, ref: str, limit: int) -> tuple[HeadRecord, ...]:
        """Return the heads of a ref, told last first."""

    def of_project(self, project: str) -> tuple[HeadRecord, ...]:
        """Return all heads of a project by ref, told last first."""

    def forget(self, project: str, ref: str, *, before: float) -> None:
        """Remove the heads of a ref that were told before that time."""


class ScheduleTable(Protocol):
    """The cron lines of default branches."""

    def of_project(self, project: str) -> tuple[ScheduleRecord, ...]:
        """Return a project's schedules by path, line and zone."""

    def replace(self, project: str, schedules: Sequence[ScheduleRecord]) -> None:
        """Have a project have these and no others."""

    def due(self, now: float, limit: int) -> tuple[ScheduleRecord, ...]:
        """Return what is due, and what was set later than a minute after `now`: the clock was set back.

        Nobody else can change any schedule until the transaction's end.
        """

    def save(self, schedule: ScheduleRecord) -> None:
        """Replace a schedule, which was read in this transaction."""
