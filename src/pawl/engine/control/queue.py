"""The queue as people see it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pawl.core.approvals.environments import needs_person
from pawl.core.approvals.environments import why_waiting as not_approved
from pawl.core.model.errors import Conflict
from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptState, RunRecord
from pawl.core.model.status import Status
from pawl.core.queue.places import LARGEST_PRIORITY
from pawl.core.queue.reasons import why_waiting
from pawl.engine.control import groups
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.engine.control.requests import QueueEntry
from pawl.engine.control.transitions import Changes
from pawl.ports.store import RunFilter, Transaction


class Queue:
    """What waits, in which order and why."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def entries(self, limit: int = 1000) -> tuple[QueueEntry, ...]:
        """Return what waits, first to last; then what waits for a concurrency group, then for approval."""
        moment = self._desk.moment()

        def look(tx: Transaction) -> tuple[QueueEntry, ...]:
            attempts = _attempts(tx, moment, limit)
            runs = _runs(tx, len(attempts) + 1, limit)
            return (*attempts, *runs, *_unapproved(tx, len(attempts) + len(runs) + 1, limit))

        return await self._desk.read(look)

    async def counts(self) -> dict[str, int]:
        """Return how many attempts are `queued`, `blocked`, `leased` and `running`."""
        return await self._desk.read(lambda tx: tx.attempts.counts())

    async def set_priority(self, run: RunId, priority: int, by: str) -> RunRecord:
        """Move a run's waiting attempts, and those still to come, forward (or back, below 0); return it.

        Raises:
            NotFound: there is no such run.
            Conflict: it has ended.
        """
        return await self._desk.write(lambda tx, moment: _set_priority(tx, run, priority, by, moment))


def _attempts(tx: Transaction, moment: Moment, limit: int) -> tuple[QueueEntry, ...]:
    workers = [
        worker for worker in tx.workers.all() if worker.last_seen > moment.now - moment.rules.silent_after
    ]
    busy = Counter(row.worker for row in tx.attempts.live() if row.worker is not None)
    return tuple(
        QueueEntry(
            position=number,
            run=row.ref.run,
            job=row.ref.job,
            attempt=row.ref.attempt,
            name=row.name,
            repository=row.repository,
            reason=why_waiting(
                # Who has its group may have changed since it was blocked.
                replace(row, blocked=groups.held_by(tx, row.group)) if row.blocked and row.group else row,
                now=moment.now,
                workers=workers,
                busy=busy,
                ahead=number - 1,
            ),
            requires=row.requires,
            waiting_since=row.queued_at,
            available_at=row.available_at,
            blocked=bool(row.blocked),
        )
        for number, row in enumerate(tx.attempts.queued(limit), 1)
    )


def _runs(tx: Transaction, first: int, limit: int) -> tuple[QueueEntry, ...]:
    """Return the runs that wait for a concurrency group of their own, counted from `first`."""
    queued = tx.runs.find(RunFilter(status=Status.QUEUED), limit)
    waiting = [record for record in reversed(queued) if record.started_at is None]
    return tuple(
        QueueEntry(
            position=number,
            run=record.id,
            job=None,
            attempt=None,
            name=record.run_name,
            repository=record.repository,
            reason=_why_pending(tx, record),
            requires=(),
            waiting_since=record.created_at,
            blocked=True,
        )
        for number, record in enumerate(waiting, first)
    )


def _unapproved(tx: Transaction, first: int, limit: int) -> tuple[QueueEntry, ...]:
    """Return what waits for approval, or for the time that an environment asks for, counted from `first`."""
    waiting = [(each, tx.runs.get(each.run)) for each in tx.approvals.waiting(limit)]
    return tuple(
        QueueEntry(
            position=number,
            run=each.run,
            job=None,
            attempt=None,
            name=record.run_name if record is not None else "",
            repository=each.repository,
            reason=not_approved(each),
            requires=(),
            waiting_since=each.asked_at,
            available_at=None if needs_person(each) else each.ready_at,
            blocked=True,
        )
        for number, (each, record) in enumerate(waiting, first)
    )


def _why_pending(tx: Transaction, record: RunRecord) -> str:
    mine = [member for member in tx.groups.of_run(record.id) if member.job is None]
    return groups.held_by(tx, mine[0].group) if mine else record.reason


def _set_priority(tx: Transaction, run: RunId, priority: int, by: str, moment: Moment) -> RunRecord:
    changes = Changes(tx, moment)
    change = changes.of(run)
    if change.state.status is Status.COMPLETED:
        raise Conflict(f"run {run} has ended", hint="only a run that goes on has a place in the queue")
    wanted = max(-LARGEST_PRIORITY, min(priority, LARGEST_PRIORITY))
    forward = moment.rules.head_starts.step * (wanted - change.record.priority)
    for row in tx.attempts.of_run(run):
        if row.state is AttemptState.QUEUED:
            tx.attempts.save(replace(row, queue_key=row.queue_key - forward))
    change.record = replace(change.record, priority=wanted)
    note(tx, moment, by=by, action="run.priority", target=f"run {run}, priority {wanted}")
    changes.save()
    return change.record
