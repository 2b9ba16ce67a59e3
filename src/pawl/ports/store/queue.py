"""The queue: rows of attempts, and the concurrency groups (architecture.md M1-M3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pawl.core.model.ids import JobId, RunId, WorkerId
from pawl.core.model.records import AttemptRecord, AttemptRef, GroupMember


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseOffer:
    """A worker that would take work.

    Attributes:
        labels: what it has; it can take an attempt all of whose labels are among them.
        limit: how many it would take.
        now: only attempts available by then.
        deadline: of the leases.
    """

    worker: WorkerId
    labels: frozenset[str]
    limit: int
    now: float
    deadline: float


class AttemptTable(Protocol):
    """The attempts of jobs. The order of the queue is `queue_key`, then run, job, attempt."""

    def add(self, attempt: AttemptRecord) -> None:
        """Store a new attempt; there must be none of its name."""

    def get(self, ref: AttemptRef, *, lock: bool = False) -> AttemptRecord | None:
        """Return an attempt; with `lock` nobody else can change it until the transaction's end."""

    def save(self, attempt: AttemptRecord) -> None:
        """Replace an attempt, which was read in this transaction."""

    def lease(self, offer: LeaseOffer) -> tuple[AttemptRecord, ...]:
        """Lease the first attempts in the queue that the worker can take, in one statement; return them.

        They are `leased` by then: the worker's, with the deadline, `leased_at` now and an epoch one
        higher. Never blocked ones, never ones not yet available, never ones whose `cancel` is set. No two
        callers get the same; one that waits for the other is no error.
        """

    def of_run(self, run: RunId) -> tuple[AttemptRecord, ...]:
        """Return all attempts of a run by job and attempt."""

    def of_worker(self, worker: WorkerId) -> tuple[AttemptRecord, ...]:
        """Return what a worker has leased or is running."""

    def queued(self, limit: int) -> tuple[AttemptRecord, ...]:
        """Return what is queued, blocked ones included, in order."""

    def live(self) -> tuple[AttemptRecord, ...]:
        """Return what is leased or running, by deadline."""

    def lapsed(self, now: float, limit: int) -> tuple[AttemptRecord, ...]:
        """Return what is queued, leased or running with a deadline before `now`, oldest first."""

    def counts(self) -> dict[str, int]:
        """Return how many attempts are in which state: `queued`, `blocked`, `leased`, `running`."""


class GroupTable(Protocol):
    """Concurrency groups."""

    def members(self, group: str) -> tuple[GroupMember, ...]:
        """Return who has and who awaits a group, in the order they came.

        Nobody else can change it till the transaction's end.
        """

    def put(self, member: GroupMember) -> None:
        """Add a member, or replace the one of the same group, run and job."""

    def remove(self, group: str, run: RunId, job: JobId | None) -> None:
        """Remove a member; none is no error."""

    def of_run(self, run: RunId) -> tuple[GroupMember, ...]:
        """Return the memberships of a run and its jobs."""
