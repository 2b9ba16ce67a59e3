"""What time alone asks for: leases that lapse, waits that are too long, groups that nobody hands on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pawl.core.model.durations import in_words
from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState, WorkerRecord
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.queue.groups import next_in
from pawl.engine.control import groups
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.results import Ending, end_attempt, give_back
from pawl.engine.control.transitions import Changes, RunChange
from pawl.ports.store import Transaction

LOST = "its worker was lost"
"""Why an attempt failed, and why its log is not whole."""

_AT_ONCE = 100
_WHOLE_QUEUE = 10**9
_ALIVE = "alive:server"


@dataclass(slots=True)
class Swept:
    """What one look found; see `SweepReport`."""

    requeued: list[AttemptRef] = field(default_factory=list)
    lost: list[AttemptRef] = field(default_factory=list)
    given_up: list[AttemptRef] = field(default_factory=list)
    timed_out: list[AttemptRef] = field(default_factory=list)


def lapsed(tx: Transaction, moment: Moment) -> tuple[AttemptRef, ...]:
    """Return what has a deadline that is over, oldest first."""
    return tuple(row.ref for row in tx.attempts.lapsed(moment.now, _AT_ONCE))


def end_lapsed(tx: Transaction, ref: AttemptRef, moment: Moment, swept: Swept) -> None:
    """End what waited or was held too long. One attempt a transaction: a fault of one stops no other."""
    changes = Changes(tx, moment)
    if tx.runs.get(ref.run) is None:
        return
    change = changes.of(ref.run)
    row = tx.attempts.get(ref, lock=True)
    if row is None or row.deadline is None or row.deadline >= moment.now:
        return  # Somebody was faster.
    match row.state:
        case AttemptState.QUEUED:
            _end_waiting(change, row, swept)
        case AttemptState.LEASED:
            _end_leased(change, row, moment, swept)
        case AttemptState.RUNNING:
            _end_running(change, row, swept)
        case AttemptState.FINISHED:
            return
    changes.save()


def _end_waiting(change: RunChange, row: AttemptRecord, swept: Swept) -> None:
    mark("sweep.queue_timeout")
    labels = ", ".join(f"`{label}`" for label in row.requires)
    wanted = f"a worker with {labels}" if labels else "a worker"
    reason = f"it waited {in_words(change.moment.rules.queue_timeout)} for {row.blocked or wanted}"
    ending = Ending(
        conclusion=Conclusion.TIMED_OUT, reason=reason, failure_class=FailureClass.SYSTEM, final=True
    )
    end_attempt(change, row, ending)
    swept.timed_out.append(row.ref)


def _end_leased(change: RunChange, row: AttemptRecord, moment: Moment, swept: Swept) -> None:
    lost = row.leases + 1
    if lost < moment.rules.lost_leases:
        mark("sweep.requeued")
        give_back(change, row, moment)
        swept.requeued.append(row.ref)
        return
    mark("sweep.given_up")
    reason = f"{lost} workers took it and none began it"
    ending = Ending(
        conclusion=Conclusion.FAILURE,
        reason=reason,
        failure_class=FailureClass.INFRASTRUCTURE,
        final=True,
    )
    attention = f"job `{row.ref.job}` was given up: {reason}"
    change.record = replace(change.record, needs_attention=attention)
    end_attempt(change, replace(row, leases=lost), ending)
    swept.given_up.append(row.ref)


def _end_running(change: RunChange, row: AttemptRecord, swept: Swept) -> None:
    if row.cancel is not None:
        mark("sweep.cancelled_lost")
        ending = Ending(conclusion=Conclusion.CANCELLED, reason=f"{row.cancel}; {LOST}", log_note=LOST)
    else:
        mark("sweep.lost")
        ending = Ending(
            conclusion=Conclusion.FAILURE,
            reason=f"{LOST}: it did not renew its lease in time",
            failure_class=FailureClass.INFRASTRUCTURE,
            log_note=LOST,
        )
    end_attempt(change, row, ending)
    swept.lost.append(row.ref)
    for listener in change.moment.rules.listeners:
        listener.on_lost_worker(change.tx, row, change.now)
    found = change.state.find(row.ref.job)
    if row.cancel is None and found is not None and found[1].conclusion is not None:
        attention = f"job `{row.ref.job}` was given up: every worker that began it was lost"
        change.record = replace(change.record, needs_attention=attention)


def waiting_for_groups(tx: Transaction) -> tuple[RunId, ...]:
    """Return the runs that wait, or a job of which waits, for a group that nobody has."""
    waiting = [
        member
        for run in tx.runs.unfinished()[:_AT_ONCE]
        for member in tx.groups.of_run(run)
        if not member.active
    ]
    return tuple(
        dict.fromkeys(each.run for each in waiting if next_in(tx.groups.members(each.group)) is not None)
    )


def heal_group(tx: Transaction, run: RunId, moment: Moment) -> bool:
    """Give a run the group it waits for, where nobody has that: rare, for groups are handed on at once."""
    changes = Changes(tx, moment)
    healed = False
    for member in tx.groups.of_run(run):
        if not member.active and groups.hand_on(changes, member.group):
            mark("group.healed")
            healed = True
    if healed:
        changes.save()
    return healed


def still_alive(tx: Transaction, moment: Moment) -> None:
    """Note that a server is there, and wake who waits for work: a back-off may have ended by now."""
    if tx.attempts.counts().get("queued"):
        tx.notify("queue")
    tx.keys.put(_ALIVE, moment.now, time=moment.now, lasting=True)


def extend_leases(tx: Transaction, moment: Moment) -> int:
    """Give live leases as much longer as no server was there, and return how many.

    Workers cannot renew while there is no server, and that is not their fault. Each has at least a whole
    lease from now on to be heard again. Where the clock was set back meanwhile, `away` is below 0, and what
    waits in the queue is brought forward by as much: no wait gets longer by that.
    """
    alive = tx.keys.get(_ALIVE)
    away = moment.now - float(alive) if isinstance(alive, int | float) else 0.0
    live = [row for each in tx.attempts.live() if (row := _still(tx, each)) is not None]
    for row in live:
        mark("recover.extended")
        rules = moment.rules
        seconds = rules.lease_seconds if row.state is AttemptState.RUNNING else rules.begin_seconds
        deadline = max((row.deadline or 0.0) + away, moment.now + seconds)
        leased_at = min(row.leased_at, moment.now) if row.leased_at is not None else None
        tx.attempts.save(replace(row, deadline=deadline, leased_at=leased_at))
    if away < 0:
        for each in tx.attempts.queued(_WHOLE_QUEUE):
            waiting = _still(tx, each)
            if waiting is not None:
                tx.attempts.save(_brought_forward(waiting, -away, moment))
    still_alive(tx, moment)
    return len(live)


def _still(tx: Transaction, row: AttemptRecord) -> AttemptRecord | None:
    """Return an attempt as it is now, kept from others; None where another server has changed its state."""
    now = tx.attempts.get(row.ref, lock=True)
    return now if now is not None and now.state is row.state else None


def _brought_forward(row: AttemptRecord, seconds: float, moment: Moment) -> AttemptRecord:
    """Return a queued attempt whose times were told by a clock that was ahead by so much."""
    return replace(
        row,
        queue_key=row.queue_key - seconds,
        queued_at=min(row.queued_at, moment.now),
        available_at=min(row.available_at, max(row.available_at - seconds, moment.now)),
        deadline=row.deadline - seconds if row.deadline is not None else None,
    )


def forget_workers(tx: Transaction, moment: Moment) -> int:
    """Remove workers that have said nothing for long and have nothing, and return how many.

    One that drained and has not renewed for a whole lease has ended: nothing more is to be heard of it.
    """
    rules = moment.rules

    def patience(worker: WorkerRecord) -> float:
        return rules.lease_seconds if worker.draining else rules.retention.worker

    gone = [
        each
        for each in tx.workers.all()
        if each.last_seen < moment.now - patience(each) and not tx.attempts.of_worker(each.id)
    ]
    for each in gone:
        tx.workers.remove(each.id)
    return len(gone)
