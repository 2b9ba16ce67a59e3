"""The sequence of a job's steps: which run, how each ends, how the job ends (language.md rules 22, 27, 29).

Source: actions/runner, src/Runner.Worker/StepsRunner.cs and ExecutionContext.cs. Values only: the caller runs
the steps, and evaluates their conditions with the functions that a `StepsState` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from pawl.core.expressions import ExpressionError, Value
from pawl.core.model.status import Conclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How a step ended: `outcome` before `continue-on-error`, `conclusion` after it."""

    outcome: Conclusion
    conclusion: Conclusion


SKIPPED = StepResult(outcome=Conclusion.SKIPPED, conclusion=Conclusion.SKIPPED)
"""The result of a step that did not run because its condition was false."""

FAULTY_CONDITION = StepResult(outcome=Conclusion.FAILURE, conclusion=Conclusion.FAILURE)
"""The result of a step whose condition could not be evaluated: `continue-on-error` does not save it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsState:
    """Where a sequence of steps stands; begins empty.

    Attributes:
        failed: whether a step's conclusion was a failure.
        cancelled: whether the job was asked to stop, by anyone or anything.
        timed_out: whether its own time limit asked (then `cancelled` too).
    """

    failed: bool = False
    cancelled: bool = False
    timed_out: bool = False

    @property
    def job_status(self) -> str:
        """Return `job.status`: `success`, `failure` or `cancelled`."""
        if self.cancelled:
            return "cancelled"
        return "failure" if self.failed else "success"

    @property
    def conclusion(self) -> Conclusion:
        """Return how the job ends if it ends now. A cancellation outweighs failures (TaskResultUtil.cs)."""
        if self.timed_out:
            return Conclusion.TIMED_OUT
        return Conclusion(self.job_status)

    def functions(self) -> Mapping[str, Callable[..., Value]]:
        """Return `success`, `failure`, `cancelled` and `always` for conditions evaluated now."""
        return status_functions(self.job_status)

    def after(self, result: StepResult) -> StepsState:
        """Return the state after a step ended."""
        if result.conclusion in {Conclusion.FAILURE, Conclusion.TIMED_OUT}:
            return replace(self, failed=True)
        if result.conclusion is Conclusion.CANCELLED:
            return replace(self, cancelled=True)
        return self

    def cancel(self, *, timed_out: bool = False) -> StepsState:
        """Return the state after the job was asked to stop; `timed_out` when its own time limit asked."""
        return replace(self, cancelled=True, timed_out=self.timed_out or (timed_out and not self.cancelled))

    def inner(self) -> StepsState:
        """Return the state in which a composite action's own steps begin (CompositeActionHandler.cs).

        Their `success()` and `failure()` see the action's own steps only; a cancellation is everyone's.
        """
        return StepsState(cancelled=self.cancelled, timed_out=self.timed_out)


def status_functions(status: str) -> Mapping[str, Callable[..., Value]]:
    """Return the four status functions for a status of `success`, `failure` or `cancelled`."""

    def answering(name: str, *, answer: bool) -> Callable[..., Value]:
        def function(*given: Value) -> bool:
            if given:
                raise ExpressionError(f"`{name}` takes no arguments in a step")
            return answer

        return function

    statuses = {name: answering(name, answer=status == name) for name in ("success", "failure", "cancelled")}
    return {**statuses, "always": answering("always", answer=True)}


class Decision(Enum):
    """What to do with the step whose turn it is."""

    RUN = "run"
    SKIP = "skip"
    FAIL = "fail"
    """Its condition cannot be evaluated: the step fails without running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDecision:
    """A decision, and for `FAIL` the fault in words."""

    decision: Decision
    fault: str = ""


Condition = Callable[[StepsState], bool]
"""Evaluates a step's effective condition with the state's functions; may raise ExpressionError."""


def decide_step(state: StepsState, condition: Condition) -> StepDecision:
    """Return whether the step whose turn it is runs."""
    try:
        holds = condition(state)
    except ExpressionError as error:
        return StepDecision(decision=Decision.FAIL, fault=str(error))
    return StepDecision(decision=Decision.RUN if holds else Decision.SKIP)


def keeps_running(state: StepsState, condition: Condition) -> bool:
    """Return whether the running step goes on although the job was cancelled.

    Its condition is evaluated again with the status cancelled; a fault counts as false (StepsRunner.cs).
    """
    try:
        return condition(state.cancel())
    except ExpressionError:
        return False


def outcome_of(*, succeeded: bool, stopped: bool = False) -> Conclusion:
    """Return a step's outcome from its end.

    Args:
        succeeded: exit code 0, no failing command, no time limit.
        stopped: it was ended because the job was cancelled, whatever its exit code then was.
    """
    if stopped:
        return Conclusion.CANCELLED
    return Conclusion.SUCCESS if succeeded else Conclusion.FAILURE


def finish_step(outcome: Conclusion, *, continue_on_error: bool) -> StepResult:
    """Return the result of a step that ran. `continue-on-error` turns failure into success, nothing else."""
    forgiven = continue_on_error and outcome in {Conclusion.FAILURE, Conclusion.TIMED_OUT}
    return StepResult(outcome=outcome, conclusion=Conclusion.SUCCESS if forgiven else outcome)
