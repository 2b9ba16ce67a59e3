"""What a leased attempt asks of the engine, and what its outcome is to the server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pawl.adapters.runs_folder import FolderLogs
from pawl.core.model.ids import JobId, RunNumber
from pawl.core.model.plan import PlannedJob
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Begun, LogEnd, Result
from pawl.core.planning.resolve import Strategy
from pawl.core.planning.storage import plan_from_json
from pawl.core.planning.unsupported import on_a_server
from pawl.engine.execution.request import JobOutcome, JobRequest, RunRequest
from pawl.worker.spool import Order, Spool

_LOG = re.compile(r"(\d+)\.log")
UNFINISHED = "the job's process ended before the log was complete"


def job_request(order: Order, given: Begun, folder: Path, project: Path) -> JobRequest:
    """Return the request of an attempt.

    Args:
        order: what the worker wrote.
        given: what the server gave it at its beginning.
        folder: where the job gets its folder.
        project: the repository's files, for `env_file`.

    Raises:
        UsageError: the plan is none, or lacks the job.
    """
    work = order.work
    plan, ref, payload = plan_from_json(work.plan), work.lease.ref, work.payload
    if given.variables:
        plan = replace(plan, variables={**plan.variables, **given.variables})
    run = RunRequest(
        plan=plan,
        number=RunNumber(work.number),
        folder=folder,
        owner=order.owner,
        project=project,
        secrets=given.secrets,
        masked=_hidden(given),
        images={**order.images, **work.images},
        limits=order.limits,
        run_id=str(ref.run),
        run_attempt=work.run_attempt,
    )
    return JobRequest(
        run=run,
        id=ref.job,
        attempt=ref.attempt,
        planned=_noted(on_a_server(plan.job(payload.key)), given.notes),
        combination=payload.combination,
        strategy=Strategy(fail_fast=payload.fail_fast, max_parallel=payload.max_parallel),
        needs=payload.needs,
    )


def _hidden(given: Begun) -> tuple[str, ...]:
    """Return the token to fetch with, and how it stands in git's settings when it is kept there."""
    clone = given.clone
    if clone is None or not clone.secret:
        return ()
    pair = base64.b64encode(f"{clone.user or 'git'}:{clone.secret}".encode()).decode()
    return (clone.secret, pair)


def _noted(planned: PlannedJob, notes: tuple[str, ...]) -> PlannedJob:
    return replace(planned, notes=(*planned.notes, *notes)) if notes else planned


def result_of(outcome: JobOutcome, key: str, logs: Iterable[LogEnd]) -> Result:
    """Return what the server is told of an outcome."""
    return Result(
        key=key,
        conclusion=outcome.conclusion,
        duration=outcome.duration,
        outputs=outcome.outputs,
        untrusted=outcome.untrusted,
        failure_class=outcome.failure_class,
        exit_code=outcome.exit_code,
        reason=outcome.reason,
        summary=outcome.summary,
        logs=tuple(logs),
    )


def failed(key: str, reason: str, failure_class: FailureClass, logs: Iterable[LogEnd] = ()) -> Result:
    """Return the result of an attempt that did not get to one of its own."""
    return Result(
        key=key,
        conclusion=Conclusion.FAILURE,
        duration=0.0,
        failure_class=failure_class,
        reason=reason,
        logs=tuple(logs),
    )


def log_ends(spool: Spool) -> tuple[LogEnd, ...]:
    """Return how the logs in a spool ended, in the order of the steps.

    One without an end was cut: its note says so, and it is as long as what is there.
    """
    folder = spool.log(0).parent
    try:
        found = sorted(int(match[1]) for path in folder.iterdir() if (match := _LOG.fullmatch(path.name)))
    except FileNotFoundError:
        return ()
    ref = spool.held.lease.ref
    store = FolderLogs(spool.logs)
    return tuple(_log_end(spool, store, ref.job, ref.attempt, index) for index in found)


def _log_end(spool: Spool, store: FolderLogs, job: JobId, attempt: int, index: int) -> LogEnd:
    summary = store.summary(job, attempt, index)
    if summary is None:
        size = spool.log(index).stat().st_size
        return LogEnd(index=index, name="", size=size, lines=0, sha256="", note=UNFINISHED)
    return LogEnd(
        index=index,
        name="",
        size=summary.size,
        lines=summary.lines,
        sha256=summary.sha256,
        dropped=summary.dropped,
    )
