"""What workers tell of running attempts: events, each once and in order, and bytes of logs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pawl.core.model.errors import OffsetConflict, TooLarge, UsageError
from pawl.core.model.ids import JobId, WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.records import LogRecord
from pawl.core.model.run_events import (
    Annotated,
    ArtifactStored,
    JobProgress,
    JobStarted,
    RunEvent,
    StepFinished,
    StepSkipped,
    StepStarted,
    to_json,
)
from pawl.core.model.told_events import from_json
from pawl.core.model.work import Lease
from pawl.engine.control.leases import held_running
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.rules import Quotas
from pawl.ports.store import Transaction

WORKERS_EVENTS = (
    JobStarted, JobProgress, StepStarted, StepSkipped, Annotated, StepFinished, ArtifactStored,
)  # fmt: skip
"""What a worker may tell; everything else is the server's to say, or is no event that is stored."""

MAX_STEP_INDEX = 9_999
"""Steps of a job are counted up to this, set-up and clean-up included."""

_LONGEST_NAME = 1000


def tell(
    tx: Transaction, worker: WorkerId, lease: Lease, first: int, events: Sequence[Json], moment: Moment
) -> int:
    """Store those events of an attempt that are not stored yet and return how many of it were told.

    Raises:
        StaleLease: the lease is not, or no longer, this worker's, or has not begun.
        OffsetConflict: events are missing in between; it holds how many were told.
        TooLarge: too many at once.
    """
    quotas = moment.rules.quotas
    if len(events) > quotas.events:
        raise TooLarge(f"{len(events)} events at once, more than {quotas.events}", hint="tell them in parts")
    held_running(tx, worker, lease)
    key = f"told:{lease.ref.run}:{lease.ref.job}:{lease.ref.attempt}"
    stored = tx.keys.get(key)
    told = stored if isinstance(stored, int) else 0
    if first > told:
        mark("tell.gap_refused")
        raise OffsetConflict(f"events {told} to {first - 1} of {lease.ref} are missing", size=told)
    if first < told:
        mark("tell.overlap_dropped")
    new = events[max(0, told - first) :]
    if not new:
        return told
    kept = [event for each in new for event in _stored(each, lease.ref.job, quotas, moment.now)]
    if kept:
        tx.events.append(lease.ref.run, [to_json(event) for event in kept], moment.now)
    told += len(new)
    tx.keys.put(key, told, time=moment.now)
    return told


def _stored(told: Json, job: JobId, quotas: Quotas, now: float) -> Sequence[RunEvent]:
    """Return what is stored of a told event: itself, nothing, or that something was left out."""
    event = from_json(told)
    if not isinstance(event, WORKERS_EVENTS) or event.job != job:
        # A later worker may know kinds that this server does not; nobody may speak for another job.
        mark("tell.refused_event")
        return ()
    size = len(json.dumps(told))
    if size <= quotas.event:
        return (event,)
    mark("tell.refused_event")
    message = f"an event of {size:,} bytes is left out; at most {quotas.event:,} are kept"
    return (JobProgress(time=now, job=job, message=message),)


def check_piece(index: int, name: str, offset: int, data: bytes, quotas: Quotas) -> None:
    """Check a piece of a log by itself.

    Raises:
        UsageError: there can be no such step or offset.
        TooLarge: the piece, or the log with it, is over its limit.
    """
    if not 0 <= index <= MAX_STEP_INDEX or offset < 0 or len(name) > _LONGEST_NAME:
        raise UsageError(f"there is no log {index} with an offset {offset}, or its name is too long")
    if len(data) > quotas.log_piece:
        raise TooLarge(
            f"a piece of {len(data):,} bytes, more than {quotas.log_piece:,}", hint="send smaller pieces"
        )
    if offset + len(data) > quotas.log:
        mark("log.too_large")
        raise TooLarge(f"the log has more than {quotas.log:,} bytes", hint="cut it, and say so at its end")


def open_log(tx: Transaction, worker: WorkerId, lease: Lease, index: int, name: str) -> None:
    """Have a log stand among those of its run, so that it can be read while it grows.

    Raises:
        StaleLease: the lease is not, or no longer, this worker's, or has not begun.
    """
    held_running(tx, worker, lease)
    if all(log.index != index for log in tx.logs.of_attempt(lease.ref)):
        tx.logs.put(LogRecord(attempt=lease.ref, index=index, name=name))
