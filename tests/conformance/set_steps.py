"""Sequences of steps: which ran, how each ended, how the job ended."""

from __future__ import annotations

from typing import Any

from pawl.core.expressions import evaluate, is_truthy, parse_condition, to_value
from pawl.core.model.status import Conclusion
from pawl.core.steps.outcome import (
    FAULTY_CONDITION,
    SKIPPED,
    Condition,
    Decision,
    StepResult,
    StepsState,
    decide_step,
    finish_step,
    keeps_running,
    outcome_of,
)


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case holds, else what differed."""
    state = StepsState()
    results: dict[str, StepResult] = {}
    actual = []
    for index, step in enumerate(case["steps"]):
        result, ran, state = _run(step, state, _condition(step.get("if", ""), dict(results)))
        results[step.get("id", f"__{index}")] = result
        actual.append({"ran": ran, "outcome": str(result.outcome), "conclusion": str(result.conclusion)})
    expected = case["expect"]
    if actual != expected["steps"]:
        return f"steps {actual}"
    return None if state.conclusion == expected["job"] else f"job {state.conclusion}"


def _run(
    step: dict[str, Any], state: StepsState, condition: Condition
) -> tuple[StepResult, bool, StepsState]:
    match decide_step(state, condition).decision:
        case Decision.SKIP:
            return SKIPPED, False, state
        case Decision.FAIL:
            return FAULTY_CONDITION, False, state.after(FAULTY_CONDITION)
    stopped = False
    if step.get("cancel_requested_while_running"):
        stopped = not keeps_running(state, condition)
        state = state.cancel()
    succeeded = step.get("result", "success") == Conclusion.SUCCESS
    outcome = outcome_of(succeeded=succeeded, stopped=stopped)
    result = finish_step(outcome, continue_on_error=step.get("continue-on-error", False))
    return result, True, state.after(result)


def _condition(text: str, results: dict[str, StepResult]) -> Condition:
    steps = {
        name: {"outcome": str(result.outcome), "conclusion": str(result.conclusion)}
        for name, result in results.items()
    }

    def holds(state: StepsState) -> bool:
        condition, _ = parse_condition(text)
        value = evaluate(condition.expression, {"steps": to_value(steps)}, functions=state.functions())
        return is_truthy(value.value)

    return holds
