"""Choosing steps of a kept run: by job, step, failure, and attempt."""

from __future__ import annotations

import pytest

from pawl.cli.stored_runs import StepWish, choose_steps, failed_without_a_step, look_back
from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId, JobKey, StepId
from pawl.core.model.run_events import JobFinished, JobQueued, JobStarted, RunEvent, StepFinished, StepStarted
from pawl.core.model.status import Conclusion


def attempt(job: str, number: int, outcome: Conclusion, *, queued: bool = True) -> list[RunEvent]:
    name = JobId(job)
    told: list[RunEvent] = [JobQueued(time=0, job=name, key=JobKey(job), name=job.title())] if queued else []
    return [
        *told,
        JobStarted(time=0, job=name, attempt=number, image=None, steps=("Unit",)),
        StepStarted(time=0, job=name, index=0, step=StepId("unit"), name="Unit"),
        StepFinished(
            time=1, job=name, index=0, step=StepId("unit"), name="Unit",
            outcome=outcome, conclusion=outcome, duration=1,
        ),
        JobFinished(time=2, job=name, conclusion=outcome, duration=2),
    ]  # fmt: skip


RUN = [
    *attempt("build", 1, Conclusion.SUCCESS),
    *attempt("test", 1, Conclusion.FAILURE),
    *attempt("test", 2, Conclusion.FAILURE, queued=False),  # a retry
    *attempt("test", 3, Conclusion.SUCCESS),  # a rerun
]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (StepWish(), [("Build", 1, "success"), ("Test", 3, "success")]),
        (StepWish(attempt=1), [("Build", 1, "success"), ("Test", 1, "failure")]),
        (StepWish(attempt=2), [("Test", 2, "failure")]),
        (StepWish(attempt=3, job="test"), [("Test", 3, "success")]),
        (StepWish(attempt=1, failed=True, step="unit"), [("Test", 1, "failure")]),
        (StepWish(failed=True), []),
    ],
)
def test_steps_are_those_of_the_last_attempt_or_of_the_one_asked_for(
    wish: StepWish, found: list[tuple[str, int, str]]
) -> None:
    chosen = choose_steps(look_back(RUN, wish), wish)
    assert [(each.job.name, each.job.attempt, str(each.step.outcome)) for each in chosen] == found


def test_an_attempt_that_there_is_not_is_told_with_the_highest_number() -> None:
    with pytest.raises(UsageError, match="no job of the run has an attempt 4") as caught:
        look_back(RUN, StepWish(attempt=4))
    assert caught.value.hint == "the highest number of an attempt is 3"
    with pytest.raises(UsageError) as caught:
        look_back(RUN[:1], StepWish(attempt=1))
    assert caught.value.hint == "none has begun"


def test_a_job_that_failed_without_a_step_says_why() -> None:
    lost = JobId("gpu")
    picture = look_back(
        [
            *RUN,
            *attempt("lint", 1, Conclusion.FAILURE),  # its step says it
            JobQueued(time=0, job=lost, key=JobKey("gpu"), name="Gpu"),
            JobFinished(
                time=9, job=lost, conclusion=Conclusion.TIMED_OUT, duration=0, reason="it waited\x1b 24 hours"
            ),
        ],
        StepWish(),
    )
    (told,) = failed_without_a_step(picture, StepWish(failed=True))
    assert told.startswith("job Gpu: it waited")
    assert "\x1b" not in told
    assert failed_without_a_step(picture, StepWish(job="test")) == []
    assert failed_without_a_step(picture, StepWish(step="unit")) == []
