"""How attempts end: by their worker's word, by their worker's silence, by waiting too long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pawl.core.lifecycle import JobFinished
from pawl.core.model.errors import Conflict, StaleLease, UsageError
from pawl.core.model.ids import WorkerId
from pawl.core.model.records import AttemptRecord, AttemptState, LogRecord
from pawl.core.model.reports import Report
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Lease, LogEnd, Result
from pawl.engine.control import telling
from pawl.engine.control.leases import held, run_of
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.rules import Quotas
from pawl.engine.control.telling import MAX_STEP_INDEX
from pawl.engine.control.transitions import Changes, RunChange
from pawl.ports.store import Transaction

_LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ends."""

    conclusion: Conclusion
    reason: str = ""
    failure_class: FailureClass | None = None
    final: bool = False
    log_note: str = ""
    log_texts: frozenset[str] = frozenset()


def bounded(result: Result, quotas: Quotas) -> Result:
    """Return a result as it can be kept: outputs that are too large fail the job, long texts are cut.

    Raises:
        UsageError: a running attempt cannot end so, or its logs cannot be.
    """
    if result.conclusion is Conclusion.SKIPPED:
        raise UsageError("an attempt that has begun cannot end as skipped")
    if not result.key or len(result.key) > 200:
        raise UsageError("a result needs a key of 1 to 200 characters")
    indexes = {end.index for end in result.logs}
    if len(indexes) < len(result.logs) or not all(0 <= index <= MAX_STEP_INDEX for index in indexes):
        raise UsageError(f"a result has one end for each log, of the steps 0 to {MAX_STEP_INDEX}")
    result = replace(
        result,
        summary=result.summary[: quotas.summary],
        reason=result.reason[:_LONGEST_TEXT],
        logs=tuple(_cut(end) for end in result.logs),
    )
    size = sum(len(name) + len(value) for name, value in result.outputs.items())
    if size <= quotas.outputs:
        return result
    mark("finish.outputs_too_large")
    reason = f"its outputs have {size:,} characters, more than {quotas.outputs:,}"
    return replace(
        result,
        conclusion=Conclusion.FAILURE,
        failure_class=FailureClass.USER,
        outputs={},
        untrusted=frozenset(),
        reason=reason,
    )


def _cut(end: LogEnd) -> LogEnd:
    return replace(end, name=end.name[:_LONGEST_TEXT], note=end.note[:_LONGEST_TEXT])


def is_finished(tx: Transaction, worker: WorkerId, lease: Lease, result: Result) -> bool:
    """Return whether the attempt ended with this very result already.

    Raises:
        Conflict: it ended with another of this lease's.
        StaleLease: the lease is not, or no longer, this worker's.
    """
    row = tx.attempts.get(lease.ref)
    if row is not None and row.state is AttemptState.FINISHED and row.result_key is not None:
        was_its_own = row.worker == worker and row.epoch == lease.epoch
        if was_its_own and row.result_key == result.key:
            mark("finish.repeated")
            return True
        if was_its_own:
            mark("finish.different_refused")
            raise Conflict(f"{lease.ref} ended with another result")
    held(tx, worker, lease, lock=False)
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """What the server found in an attempt's logs.

    Attributes:
        notes: why logs are not whole, by step.
        texts: those texts of `retry.log` that the end of one of them holds.
    """

    notes: Mapping[int, str]
    texts: frozenset[str] = frozenset()


def finish(
    tx: Transaction,
    worker: WorkerId,
    lease: Lease,
    ending: tuple[Result, Report],
    logs: LogFacts,
    moment: Moment,
) -> None:
    """End an attempt as its worker says.

    Args:
        tx: the transaction.
        worker: who says so.
        lease: of the attempt.
        ending: the result, as `bounded` returned it, and the last report before it, whose pieces are stored.
        logs: what was found in its logs.
        moment: of the change.

    Raises:
        StaleLease, Conflict: as `is_finished`; or the attempt has not begun.
        OffsetConflict: events before those of the report are missing.
    """
    result, report = ending
    changes = Changes(tx, moment)
    change = run_of(changes, lease)
    if is_finished(tx, worker, lease, result):
        return
    row = held(tx, worker, lease)
    if row.state is not AttemptState.RUNNING:
        raise StaleLease(f"{lease.ref} has not begun", hint="begin it first")
    if report.events:
        telling.tell(tx, lease, report.first, report.events, moment)
    for end in result.logs:
        tx.logs.put(_log_record(lease, end, logs.notes.get(end.index, "")))
    change.results[lease.ref.job] = result
    found = Ending(
        conclusion=result.conclusion,
        reason=result.reason,
        failure_class=result.failure_class,
        log_note="; ".join(f"step {index}: {note}" for index, note in sorted(logs.notes.items())),
        log_texts=logs.texts,
    )
    ended = replace(row, result_key=result.key, exit_code=result.exit_code)
    end_attempt(change, ended, found, result)
    changes.save()


def _log_record(lease: Lease, end: LogEnd, note: str) -> LogRecord:
    return LogRecord(
        attempt=lease.ref,
        index=end.index,
        name=end.name,
        size=end.size,
        lines=end.lines,
        sha256=end.sha256,
        dropped=end.dropped,
        note=note,
        finished=True,
    )


def end_attempt(change: RunChange, row: AttemptRecord, ending: Ending, result: Result | None = None) -> None:
    """Make a row finished and tell the lifecycle. The row was read under lock in this transaction."""
    change.tx.attempts.save(
        replace(
            row,
            state=AttemptState.FINISHED,
            finished_at=change.now,
            conclusion=ending.conclusion,
            reason=ending.reason,
            failure_class=ending.failure_class,
            log_note=ending.log_note,
            blocked="",
            deadline=None,
        )
    )
    change.feed(
        JobFinished(
            id=row.ref.job,
            attempt=row.ref.attempt,
            conclusion=ending.conclusion,
            outputs=dict(result.outputs) if result else {},
            untrusted=result.untrusted if result else frozenset(),
            failure_class=ending.failure_class,
            exit_code=row.exit_code,
            reason=ending.reason,
            log_texts=ending.log_texts,
            final=ending.final,
        )
    )


def give_back(change: RunChange, row: AttemptRecord, moment: Moment) -> None:
    """Put an attempt that was leased and has not begun back into the queue."""
    change.tx.attempts.save(
        replace(
            row,
            state=AttemptState.QUEUED,
            leases=row.leases + 1,
            worker=None,
            leased_at=None,
            deadline=moment.now + moment.rules.queue_timeout,
        )
    )
    change.tx.notify("queue")
