"""Runs that are held, and jobs that have to be let in to their environment."""

from __future__ import annotations

import pytest

from pawl.core.lifecycle import (
    AskApproval,
    CancelRequested,
    EndJob,
    Gate,
    IllegalTransition,
    JobAdmitted,
    JobFinished,
    JobRefused,
    JobResolved,
    JobStarted,
    ResolvedCombination,
    RunHeld,
    RunReleased,
    RunStarted,
    RunState,
    StartJob,
    apply,
    create_run,
    rerun,
    run_status,
)
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, Status
from tests.unit.core.lifecycle.runs import begin, feed, plan_of

SHIP = JobId("ship")


def deploying(*environments: str, max_parallel: int | None = None, fail_fast: bool = True) -> JobResolved:
    several = len(environments) > 1
    return JobResolved(
        key=JobKey("ship"),
        combinations=tuple(
            ResolvedCombination(id=JobId(f"ship#{index}" if several else "ship"), environment=name)
            for index, name in enumerate(environments)
        ),
        max_parallel=max_parallel,
        fail_fast=fail_fast,
    )


def at_gate() -> RunState:
    run, _ = begin({"ship": ()})
    run, effects = feed(run, deploying("production"))
    assert effects == [AskApproval(id=SHIP, key=JobKey("ship"), environment="production")]
    return run


def test_a_job_with_an_environment_waits_until_it_is_let_in() -> None:
    run = at_gate()
    assert run_status(run) is Status.WAITING
    run, effects = feed(run, JobAdmitted(id=SHIP))
    assert effects == [StartJob(id=SHIP, key=JobKey("ship"), attempt=1)]
    assert run_status(run) is Status.QUEUED
    assert feed(run, JobAdmitted(id=SHIP), JobRefused(id=SHIP, reason="late")) == (run, [])


def test_a_refused_job_ends_without_having_run() -> None:
    run, effects = feed(at_gate(), JobRefused(id=SHIP, reason="rejected by ann"))
    ended = EndJob(
        id=SHIP, key=JobKey("ship"), conclusion=Conclusion.FAILURE, reason="rejected by ann", ran=False
    )
    assert effects[0] == ended
    assert run.conclusion is Conclusion.FAILURE
    assert feed(run, JobAdmitted(id=SHIP)) == (run, [])


def test_an_answer_for_a_job_that_does_not_wait_changes_nothing() -> None:
    run, _ = begin({"ship": ()})
    run, _ = feed(run, deploying(""))
    assert feed(run, JobRefused(id=SHIP, reason="")) == (run, [])
    with pytest.raises(IllegalTransition):
        apply(run, JobAdmitted(id=JobId("other")), 1.0)


def test_a_job_that_waits_at_its_gate_takes_no_room_of_others() -> None:
    run, _ = begin({"ship": ()})
    run, effects = feed(run, deploying("production", "", "", max_parallel=1))
    assert [type(effect) for effect in effects] == [AskApproval, StartJob]
    assert run_status(run) is Status.QUEUED, "something of it goes on"
    run, effects = feed(run, JobAdmitted(id=JobId("ship#0")))
    assert effects == [], "there is room for one only"


def test_a_refusal_counts_for_fail_fast() -> None:
    run, _ = begin({"ship": ()})
    run, _ = feed(run, deploying("production", "staging"))
    run, _ = feed(run, JobRefused(id=JobId("ship#0"), reason="no", conclusion=Conclusion.TIMED_OUT))
    assert [job.conclusion for job in run.groups[JobKey("ship")].jobs or ()] == [
        Conclusion.TIMED_OUT,
        Conclusion.CANCELLED,
    ]


def test_a_job_at_its_gate_can_be_cancelled() -> None:
    run, _ = feed(at_gate(), CancelRequested(by="ann"))
    assert run.conclusion is Conclusion.CANCELLED
    assert feed(run, JobAdmitted(id=SHIP)) == (run, [])


def test_what_was_let_in_once_has_to_be_let_in_again_when_the_run_is_started_again() -> None:
    done = (
        JobAdmitted(id=SHIP),
        JobStarted(id=SHIP, attempt=1),
        JobFinished(id=SHIP, attempt=1, conclusion=Conclusion.FAILURE),
    )
    run, _ = feed(at_gate(), *done)
    run, effects = feed(rerun(run, "failed", by="bob"), RunStarted())
    assert run.started_by == "bob"
    assert effects == [AskApproval(id=SHIP, key=JobKey("ship"), environment="production")]
    found = run.find(SHIP)
    assert found is not None
    assert found[1].gate is Gate.ASKED


def test_a_held_run_begins_once_it_is_released() -> None:
    run, effects = feed(create_run(plan_of({"a": ()})), RunHeld("it waits"), RunStarted())
    assert effects == []
    assert (run.status, run_status(run), run.held) == (Status.QUEUED, Status.WAITING, "it waits")
    assert feed(run, RunHeld("it waits")) == (run, [])
    run, effects = feed(run, RunReleased(), RunStarted())
    assert (run.held, len(effects)) == ("", 1)
    assert feed(run, RunHeld("too late")) == (run, [])


def test_a_held_run_can_be_cancelled() -> None:
    run, _ = feed(create_run(plan_of({"a": ()})), RunHeld("it waits"), CancelRequested(by="ann"))
    assert (run.conclusion, run.held, run_status(run)) == (Conclusion.CANCELLED, "", Status.COMPLETED)
    assert feed(run, RunReleased(), RunStarted()) == (run, [])
