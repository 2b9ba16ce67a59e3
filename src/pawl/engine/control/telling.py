"""What workers tell of running attempts: events, each once and in order, and that there are logs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pawl.core.model.errors import OffsetConflict, TooLarge, UsageError
from pawl.core.model.ids import JobId, WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.records import LogRecord
from pawl.core.model.reports import Piece, Report
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
    JobStarted, JobProgress, StepStarted, StepSkipped, Annotated, StepFinished,
)  # fmt: skip
"""What a worker may tell; everything else is the server's to say, or is no event that is stored."""

MAX_STEP_INDEX = 9_999
"""Steps of a job are counted up to this, set-up and clean-up included."""

_LONGEST_NAME = 1000


def take(
    tx: Transaction, worker: WorkerId, lease: Lease, report: Report, moment: Moment, *, whole: bool
) -> int:
    """Keep what a report says beside the bytes of its pieces; return how many events of the attempt are told.

    Args:
        tx: the transaction.
        worker: who reports.
        lease: of the attempt.
        report: as `check_report` let it pass.
        moment: of the change.
        whole: whether all its pieces are stored; its events are left for later when they are not.

    Raises:
        StaleLease: the lease is not, or no longer, this worker's, or has not begun.
        OffsetConflict: events are missing in between; it holds how many were told.
    """
    held_running(tx, worker, lease)
    open_logs(tx, lease, {piece.index: piece.name for piece in report.pieces if piece.offset == 0})
    if not whole:
        return told(tx, lease)
    return tell(tx, lease, report.first, report.events, moment)


def tell(tx: Transaction, lease: Lease, first: int, events: Sequence[Json], moment: Moment) -> int:
    """Store those events of an attempt that are not stored yet and return how many of it were told.

    Raises:
        OffsetConflict: events are missing in between; it holds how many were told.
    """
    known = told(tx, lease)
    if first > known:
        mark("tell.gap_refused")
        raise OffsetConflict(f"events {known} to {first - 1} of {lease.ref} are missing", size=known)
    if first < known:
        mark("tell.overlap_dropped")
    new = events[max(0, known - first) :]
    if not new:
        return known
    quotas = moment.rules.quotas
    kept = [event for each in new for event in _stored(each, lease.ref.job, quotas, moment.now)]
    if kept:
        tx.events.append(lease.ref.run, [to_json(event) for event in kept], moment.now)
    tx.keys.put(_key(lease), known + len(new), time=moment.now)
    return known + len(new)


def told(tx: Transaction, lease: Lease) -> int:
    """Return how many events of an attempt were told."""
    stored = tx.keys.get(_key(lease))
    return stored if isinstance(stored, int) else 0


def _key(lease: Lease) -> str:
    return f"told:{lease.ref.run}:{lease.ref.job}:{lease.ref.attempt}"


def _stored(told: Json, job: JobId, quotas: Quotas, now: float) -> Sequence[RunEvent]:
    """Return what is stored of a told event: itself, nothing, or that something was left out."""
    event = from_json(told)
    if isinstance(event, ArtifactStored):
        return ()  # the worker has it; whether the server keeps it turns out when it is sent (artifacts.py)
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


def check_report(report: Report, quotas: Quotas) -> None:
    """Check a report by itself.

    Raises:
        UsageError: there can be no such step or offset.
        TooLarge: too many events or pieces at once.
    """
    if len(report.events) > quotas.events or len(report.pieces) > quotas.events:
        raise TooLarge(
            f"a report of {len(report.events)} events and {len(report.pieces)} pieces, more than"
            f" {quotas.events} of either",
            hint="report in parts",
        )
    for piece in report.pieces:
        if not 0 <= piece.index <= MAX_STEP_INDEX or piece.offset < 0 or len(piece.name) > _LONGEST_NAME:
            raise UsageError(
                f"there is no log {piece.index} with an offset {piece.offset}, or its name is too long"
            )


def check_piece(piece: Piece, quotas: Quotas) -> None:
    """Check how large a piece of a log is.

    Raises:
        TooLarge: the piece, or the log with it, is over its limit.
    """
    size = len(piece.data)
    if size > quotas.log_piece:
        raise TooLarge(f"a piece of {size:,} bytes, more than {quotas.log_piece:,}", hint="send smaller ones")
    if piece.offset + size > quotas.log:
        mark("log.too_large")
        raise TooLarge(f"the log has more than {quotas.log:,} bytes", hint="cut it, and say so at its end")


def open_logs(tx: Transaction, lease: Lease, names: Mapping[int, str]) -> None:
    """Have logs stand among those of their run, so that they can be read while they grow.

    Args:
        tx: the transaction.
        lease: of their attempt, looked at before.
        names: of the steps, by index.
    """
    if not names:
        return
    known = {log.index for log in tx.logs.of_attempt(lease.ref)}
    for index in sorted(names.keys() - known):
        tx.logs.put(LogRecord(attempt=lease.ref, index=index, name=names[index]))
