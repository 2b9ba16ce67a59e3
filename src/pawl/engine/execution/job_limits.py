"""The time limits of a job: how long it may work, and how long it may take to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pawl.core.model.durations import in_words
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.job_contexts import early_contexts
from pawl.engine.execution.processes import end_task
from pawl.engine.execution.request import JobRequest
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.ports.clock import Clock


@asynccontextmanager
async def limited(job: JobRequest, clock: Clock, cancellation: Cancellation) -> AsyncIterator[None]:
    """Ask the job to stop when its time is up, and end it at once when stopping takes too long."""
    watchers = [
        asyncio.ensure_future(_watch_time(job, clock, cancellation)),
        asyncio.ensure_future(_watch_stop(job, clock, cancellation)),
    ]
    try:
        yield
    finally:
        for watcher in watchers:
            await end_task(watcher)


async def _watch_time(job: JobRequest, clock: Clock, cancellation: Cancellation) -> None:
    asked = _seconds(job, job.planned.timeout_minutes)
    limit = asked if asked is not None else job.run.limits.job_timeout
    await clock.sleep(limit)
    whose = "`timeout-minutes` of the job" if asked is not None else "the default limit of a job"
    cancellation.request(f"timed out after {in_words(limit)} ({whose})", timed_out=True)


async def _watch_stop(job: JobRequest, clock: Clock, cancellation: Cancellation) -> None:
    await cancellation.wait()
    asked = _seconds(job, job.planned.cancel_timeout_minutes)
    await clock.sleep(asked if asked is not None else job.run.limits.cancel_timeout)
    cancellation.request(cancellation.reason, at_once=True)


def _seconds(job: JobRequest, written: Json) -> float | None:
    """Return a limit in seconds; None where there is none, or where it cannot be evaluated."""
    if written is None:
        return None
    try:
        evaluator = Evaluator(contexts=early_contexts(job), functions={})
        return evaluator.seconds(written, where="timeout-minutes")
    except UsageError:
        return None
