"""Leases: who works on what, until when (architecture.md M3). Functions over a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pawl.core.lifecycle import JobStarted
from pawl.core.lifecycle.state import group_of
from pawl.core.model.errors import InternalError, NotFound, StaleLease
from pawl.core.model.ids import Epoch, JobId, RunId, WorkerId
from pawl.core.model.plain import from_plain
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState, WorkerRecord
from pawl.core.model.work import Lease, Payload, Renewal, Work
from pawl.core.steps.files import needs_files
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.transitions import Changes, RunChange
from pawl.ports.store import LeaseOffer, Transaction

LIVE = frozenset({AttemptState.LEASED, AttemptState.RUNNING})


def known_worker(tx: Transaction, worker: WorkerId) -> WorkerRecord:
    """Return a worker's record.

    Raises:
        NotFound: it has not said hello, or was removed.
    """
    record = tx.workers.get(worker)
    if record is None:
        raise NotFound("the server does not know this worker", hint="say hello first")
    return record


def held(tx: Transaction, worker: WorkerId, lease: Lease, *, lock: bool = True) -> AttemptRecord:
    """Return the attempt that a worker's lease is about.

    Raises:
        StaleLease: the lease is not, or no longer, this worker's.
    """
    row = tx.attempts.get(lease.ref, lock=lock)
    if row is None or not _is_held(row, worker, lease.epoch):
        mark("lease.stale_epoch_refused")
        raise StaleLease(f"{lease.ref} is not this worker's any more", hint="stop the job and forget it")
    return row


def held_running(tx: Transaction, worker: WorkerId, lease: Lease, *, lock: bool = True) -> AttemptRecord:
    """Return the running attempt that a worker's lease is about.

    Raises:
        StaleLease: as `held`, or the attempt has not begun.
    """
    row = held(tx, worker, lease, lock=lock)
    if row.state is not AttemptState.RUNNING:
        raise StaleLease(f"{lease.ref} has not begun", hint="begin it first")
    return row


def _is_held(row: AttemptRecord, worker: WorkerId, epoch: Epoch) -> bool:
    return row.state in LIVE and row.worker == worker and row.epoch == epoch


def lease_work(
    tx: Transaction, worker: WorkerId, request: str, slots: int, moment: Moment
) -> tuple[Work, ...]:
    """Lease what the worker can take, or return what the same request got before.

    Raises:
        NotFound: the worker has not said hello, or was removed.
    """
    record = known_worker(tx, worker)
    key = f"lease:{worker}:{request}"
    before = tx.keys.get(key)
    if isinstance(before, list):
        mark("lease.repeated")
        return _leased_before(tx, worker, before, moment)
    if record.draining or record.health:
        return ()
    room = min(slots, record.slots - len(tx.attempts.of_worker(worker)))
    if room <= 0:
        mark("lease.no_slot")
        return ()
    rows = tx.attempts.lease(
        LeaseOffer(
            worker=worker,
            labels=frozenset(record.labels),
            limit=room,
            now=moment.now,
            deadline=moment.now + moment.rules.begin_seconds,
        )
    )
    if not rows:
        mark("lease.empty")
        return ()
    given: list[Json] = [[row.ref.run, row.ref.job, row.ref.attempt, row.epoch] for row in rows]
    tx.keys.put(key, given, time=moment.now)
    return tuple(_work(tx, row, moment, seconds=moment.rules.begin_seconds) for row in rows)


def _leased_before(
    tx: Transaction, worker: WorkerId, given: Sequence[Json], moment: Moment
) -> tuple[Work, ...]:
    found = []
    for each in given:
        if not isinstance(each, list):
            continue
        run, job, attempt, epoch = each
        ref = AttemptRef(run=RunId(int(str(run))), job=JobId(str(job)), attempt=int(str(attempt)))
        row = tx.attempts.get(ref)
        if row is not None and _is_held(row, worker, Epoch(int(str(epoch)))):
            # No longer than the server keeps it: that counts from the first answer.
            left = max(0.0, (row.deadline or moment.now) - moment.now)
            found.append(_work(tx, row, moment, seconds=min(left, moment.rules.begin_seconds)))
        else:
            mark("lease.repeated_gone")
    return tuple(found)


def _work(tx: Transaction, row: AttemptRecord, moment: Moment, *, seconds: float) -> Work:
    record = tx.runs.get(row.ref.run)
    if record is None:
        raise InternalError(f"{row.ref} is queued, and its run does not exist")
    plan = moment.plans.get(tx, record)
    planned = plan.job(group_of(row.ref.job))
    return Work(
        lease=Lease(ref=row.ref, epoch=row.epoch, seconds=seconds),
        number=record.number,
        run_attempt=record.attempt,
        correlation=record.correlation,
        plan=tx.runs.plan(record.id),
        payload=from_plain(Payload, row.payload, "payload"),
        source=record.source if needs_files(planned, plan.path) else None,
        images=moment.rules.images,
    )


def renew(tx: Transaction, worker: WorkerId, leases: Sequence[Lease], moment: Moment) -> tuple[Renewal, ...]:
    """Renew leases and return, in their order, what became of each."""
    return tuple(_renew_one(tx, worker, lease, moment) for lease in leases)


def _renew_one(tx: Transaction, worker: WorkerId, lease: Lease, moment: Moment) -> Renewal:
    row = tx.attempts.get(lease.ref, lock=True)
    if row is None or not _is_held(row, worker, lease.epoch):
        mark("renew.gone")
        return Renewal(ref=lease.ref, alive=False)
    rules = moment.rules
    is_running = row.state is AttemptState.RUNNING
    seconds = rules.lease_seconds if is_running else rules.begin_seconds
    deadline = moment.now + seconds
    if not is_running and row.leased_at is not None and deadline > row.leased_at + rules.begin_limit:
        # Whoever never begins does not keep others from it for ever.
        mark("renew.begin_limit")
        deadline = max(row.deadline or 0.0, row.leased_at + rules.begin_limit)
        seconds = deadline - moment.now
    if seconds <= 0:
        return Renewal(ref=lease.ref, alive=False)
    tx.attempts.save(replace(row, deadline=deadline))
    if row.cancel is not None:
        mark("renew.cancel_told")
    return Renewal(ref=lease.ref, alive=True, seconds=seconds, cancel=row.cancel, at_once=row.cancel_at_once)


def begin(tx: Transaction, worker: WorkerId, lease: Lease, moment: Moment) -> None:
    """Make a leased attempt a running one; again is no error.

    Raises:
        StaleLease: the lease is not, or no longer, this worker's.
    """
    changes = Changes(tx, moment)
    # The run before its attempt: all changes lock in this order, so none waits for another in a circle.
    change = run_of(changes, lease)
    row = held(tx, worker, lease)
    if row.state is AttemptState.RUNNING:
        mark("begin.repeated")
        return
    tx.attempts.save(
        replace(
            row,
            state=AttemptState.RUNNING,
            started_at=moment.now,
            deadline=moment.now + moment.rules.lease_seconds,
        )
    )
    change.feed(JobStarted(id=lease.ref.job, attempt=lease.ref.attempt))
    changes.save()


def run_of(changes: Changes, lease: Lease) -> RunChange:
    """Return the change of the run that a lease is about.

    Raises:
        StaleLease: the run does not exist any more.
    """
    try:
        return changes.of(lease.ref.run)
    except NotFound as error:
        raise StaleLease(f"{lease.ref} does not exist any more", hint="forget it") from error
