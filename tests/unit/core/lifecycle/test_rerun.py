"""Starting a completed run again: what is done anew, what stays, how attempts count on."""

from __future__ import annotations

import pytest

from pawl.core.lifecycle import (
    JobFinished,
    JobResolved,
    JobSkipped,
    JobStarted,
    LifecycleEvent,
    ResolvedCombination,
    ResolveJob,
    RunStarted,
    RunState,
    StartJob,
    apply,
    create_run,
    rerun,
    run_status,
)
from pawl.core.model.errors import Conflict, NotFound
from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, FailureClass, Status
from pawl.testing.builders import make_plan

TEXT = """
on: push
jobs:
  a: {runs-on: linux, steps: [{run: a}]}
  b: {needs: a, runs-on: linux, steps: [{run: b}]}
  c: {needs: b, if: always(), runs-on: linux, steps: [{run: c}]}
  d: {runs-on: linux, steps: [{run: d}]}
"""


def _run(state: RunState, failing: tuple[str, ...] = (), combinations: int = 1) -> tuple[RunState, list[str]]:
    """Return the state after a run to its end, and the attempts that were made."""
    waiting: list[LifecycleEvent] = [RunStarted()]
    made: list[str] = []
    while waiting:
        state, effects = apply(state, waiting.pop(0), 1.0)
        for effect in effects:
            if isinstance(effect, ResolveJob):
                waiting.append(_resolved(state, effect.key, combinations))
            elif isinstance(effect, StartJob):
                made.append(f"{effect.id}/{effect.attempt}")
                waiting.append(JobStarted(id=effect.id, attempt=effect.attempt))
                waiting.append(_finished(effect, failing))
    assert state.status is Status.COMPLETED
    assert run_status(state) is Status.COMPLETED
    return state, made


def _resolved(state: RunState, key: JobKey, combinations: int) -> LifecycleEvent:
    if key == "b" and state.groups[JobKey("a")].result is not Conclusion.SUCCESS:
        return JobSkipped(key=key, reason="a failed")
    ids = [key] if combinations == 1 else [f"{key}#{n}" for n in range(combinations)]
    found = tuple(ResolvedCombination(id=JobId(each)) for each in ids)
    return JobResolved(key=key, combinations=found, fail_fast=False)


def _finished(start: StartJob, failing: tuple[str, ...]) -> JobFinished:
    conclusion = Conclusion.FAILURE if start.id in failing else Conclusion.SUCCESS
    return JobFinished(id=start.id, attempt=start.attempt, conclusion=conclusion, outputs={"of": start.id})


def _ended(failing: tuple[str, ...] = (), combinations: int = 1) -> RunState:
    return _run(create_run(make_plan(TEXT)), failing, combinations)[0]


def test_all_of_it_runs_again_and_attempts_count_on() -> None:
    state, made = _run(rerun(_ended(), "all"))
    assert sorted(made) == ["a/2", "b/2", "c/2", "d/2"]
    assert sorted(_run(rerun(state, "all"))[1]) == ["a/3", "b/3", "c/3", "d/3"]


def test_what_failed_runs_again_with_what_needs_it() -> None:
    ended = _ended(("a",))
    assert ended.groups[JobKey("b")].result is Conclusion.SKIPPED
    again = rerun(ended, "failed")
    assert (again.status, again.conclusion, run_status(again)) == (Status.QUEUED, None, Status.IN_PROGRESS)
    state, made = _run(again)
    assert made == ["a/2", "b/1", "c/2"]
    assert state.conclusion is Conclusion.SUCCESS


def test_one_job_runs_again_with_what_needs_it() -> None:
    assert _run(rerun(_ended(), "b"))[1] == ["b/2", "c/2"]
    assert _run(rerun(_ended(), "d"))[1] == ["d/2"]


def test_one_combination_runs_again_and_the_others_keep_their_outputs() -> None:
    again = rerun(_ended(combinations=3), "d#1")
    state, made = _run(again, combinations=3)
    assert made == ["d#1/2"]
    assert [dict(job.outputs) for job in state.groups[JobKey("d")].jobs or ()] == [
        {"of": "d#0"},
        {"of": "d#1"},
        {"of": "d#2"},
    ]


def test_only_the_failed_combinations_run_again() -> None:
    assert _run(rerun(_ended(("d#2", "d#0"), combinations=3), "failed"), combinations=3)[1] == [
        "d#0/2",
        "d#2/2",
    ]


def test_a_job_run_again_is_tried_again_as_often_as_before() -> None:
    state = create_run(
        make_plan("on: push\njobs: {a: {runs-on: linux, steps: [{run: a}]}}"), infrastructure_retries=1
    )
    for first in (1, 3):
        state, _ = apply(state, RunStarted(), 1.0)
        if state.groups[JobKey("a")].resolving:
            found = JobResolved(key=JobKey("a"), combinations=(ResolvedCombination(id=JobId("a")),))
            state, _ = apply(state, found, 1.0)
        for attempt in (first, first + 1):
            assert state.status is not Status.COMPLETED
            end = JobFinished(
                id=JobId("a"),
                attempt=attempt,
                conclusion=Conclusion.FAILURE,
                failure_class=FailureClass.INFRASTRUCTURE,
            )
            state, _ = apply(state, end, 1.0)
        assert state.status is Status.COMPLETED
        state = rerun(state, "failed")


def test_a_final_failure_is_not_tried_again() -> None:
    state = create_run(
        make_plan("on: push\njobs: {a: {runs-on: linux, steps: [{run: a}]}}"), infrastructure_retries=9
    )
    state, _ = apply(state, RunStarted(), 1.0)
    found = JobResolved(key=JobKey("a"), combinations=(ResolvedCombination(id=JobId("a")),))
    state, _ = apply(state, found, 1.0)
    end = JobFinished(
        id=JobId("a"),
        attempt=1,
        conclusion=Conclusion.FAILURE,
        failure_class=FailureClass.INFRASTRUCTURE,
        final=True,
    )
    assert apply(state, end, 1.0)[0].conclusion is Conclusion.FAILURE


def test_what_cannot_start_again_is_told() -> None:
    with pytest.raises(Conflict):
        rerun(create_run(make_plan(TEXT)), "all")
    with pytest.raises(Conflict):
        rerun(_ended(), "failed")
    for unknown in ("x", "a#1", "d#9"):
        with pytest.raises(NotFound):
            rerun(_ended(), unknown)
