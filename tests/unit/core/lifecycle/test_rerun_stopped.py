"""A completed run that is to begin again, and is stopped before it does (it waited for its group)."""

from __future__ import annotations

from pawl.core.lifecycle import (
    CancelRequested,
    CompleteRun,
    JobFinished,
    JobStarted,
    RunState,
    apply,
    rerun,
)
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, Status
from tests.unit.core.lifecycle.runs import begin, feed, resolved


def completed(*conclusions: Conclusion) -> RunState:
    """Return a run whose jobs a, b, ... need nothing and ended so."""
    names = "abc"[: len(conclusions)]
    run, _ = begin(dict.fromkeys(names, ()))
    for name, conclusion in zip(names, conclusions, strict=True):
        job = JobId(name)
        run, _ = feed(
            run,
            resolved(name),
            JobStarted(id=job, attempt=1),
            JobFinished(id=job, attempt=1, conclusion=conclusion),
        )
    assert run.status is Status.COMPLETED
    return run


def test_what_was_done_before_stays_done_when_the_run_is_cancelled() -> None:
    run = rerun(completed(Conclusion.SUCCESS, Conclusion.FAILURE), "failed")
    run, _ = apply(run, CancelRequested(by="me"), 2.0)
    assert run.conclusion is Conclusion.CANCELLED
    kept, stopped = run.groups[JobKey("a")], run.groups[JobKey("b")]
    assert (kept.result, [job.attempt for job in kept.jobs or ()]) == (Conclusion.SUCCESS, [1])
    assert (stopped.result, [job.attempt for job in stopped.jobs or ()]) == (Conclusion.CANCELLED, [1])


def test_a_job_that_is_cancelled_has_its_result_at_once() -> None:
    run = rerun(completed(Conclusion.FAILURE, Conclusion.FAILURE), "failed")
    run, _ = apply(run, CancelRequested(by="me", job=JobId("a")), 2.0)
    assert run.status is Status.QUEUED
    assert run.groups[JobKey("a")].result is Conclusion.CANCELLED


def test_the_run_ends_when_its_last_job_is_cancelled() -> None:
    run = rerun(completed(Conclusion.SUCCESS, Conclusion.FAILURE), "failed")
    run, effects = apply(run, CancelRequested(by="me", job=JobId("b")), 2.0)
    assert run.status is Status.COMPLETED
    assert isinstance(effects[-1], CompleteRun)
