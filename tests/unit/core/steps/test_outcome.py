from __future__ import annotations

import pytest

from pawl.core.expressions import ExpressionError, evaluate
from pawl.core.model.status import Conclusion
from pawl.core.steps.outcome import (
    Decision,
    StepResult,
    StepsState,
    decide_step,
    finish_step,
    keeps_running,
    outcome_of,
    status_functions,
)

FAILED = StepResult(outcome=Conclusion.FAILURE, conclusion=Conclusion.FAILURE)


def success(state: StepsState) -> bool:
    return bool(state.functions()["success"]())


def always(state: StepsState) -> bool:
    return bool(state.functions()["always"]())


def faulty(state: StepsState) -> bool:
    raise ExpressionError("nothing to read")


def test_after_a_failure_only_steps_that_ask_for_it_run() -> None:
    state = StepsState().after(FAILED)
    assert decide_step(state, success).decision is Decision.SKIP
    assert decide_step(state, always).decision is Decision.RUN
    assert state.functions()["failure"]() is True
    assert state.conclusion is Conclusion.FAILURE


def test_continue_on_error_forgives_a_failure_and_keeps_its_outcome() -> None:
    result = finish_step(Conclusion.FAILURE, continue_on_error=True)
    assert (result.outcome, result.conclusion) == (Conclusion.FAILURE, Conclusion.SUCCESS)
    assert StepsState().after(result).conclusion is Conclusion.SUCCESS


def test_continue_on_error_does_not_forgive_a_cancellation() -> None:
    result = finish_step(outcome_of(succeeded=True, stopped=True), continue_on_error=True)
    assert result.conclusion is Conclusion.CANCELLED


def test_a_condition_that_cannot_be_evaluated_fails_the_step() -> None:
    decision = decide_step(StepsState(), faulty)
    assert decision.decision is Decision.FAIL
    assert "nothing to read" in decision.fault


def test_a_running_step_outlives_a_cancellation_only_if_its_condition_does() -> None:
    assert keeps_running(StepsState(), always)
    assert not keeps_running(StepsState(), success)
    assert not keeps_running(StepsState(), faulty)


def test_once_cancelled_failure_is_false_and_the_job_ends_cancelled() -> None:
    state = StepsState().after(FAILED).cancel()
    assert state.functions()["failure"]() is False
    assert state.functions()["cancelled"]() is True
    assert state.after(FAILED).conclusion is Conclusion.CANCELLED


def test_a_job_that_ran_out_of_time_says_so() -> None:
    assert StepsState().cancel(timed_out=True).conclusion is Conclusion.TIMED_OUT
    assert StepsState().cancel().cancel(timed_out=True).conclusion is Conclusion.CANCELLED


def test_a_composite_action_begins_with_its_own_status() -> None:
    inner = StepsState().after(FAILED).inner()
    assert inner.functions()["success"]() is True
    assert StepsState().cancel().inner().functions()["cancelled"]() is True


def test_status_functions_of_steps_take_nothing() -> None:
    with pytest.raises(ExpressionError, match="`success` takes no arguments"):
        evaluate("success(1)", {}, functions=status_functions("success"))
