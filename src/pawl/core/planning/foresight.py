"""What can be said about a step before its job runs, for `pawl plan`."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.core.expressions import Expression, ExpressionError, Value, evaluate, is_truthy
from pawl.core.expressions.nodes import Call, Context, walk
from pawl.core.model.plan import Combination, Outlook, Plan, PlannedStep, Verdict
from pawl.core.planning.conditions import parsed_condition
from pawl.core.planning.contexts import (
    DEFAULT_FACTS,
    RunFacts,
    matrix_context,
    short_names,
    workflow_contexts,
)
from pawl.core.steps.outcome import status_functions

_AFTER = {
    (True, True): (Outlook.RUNS, "it runs whatever happened before it"),
    (True, False): (Outlook.RUNS, "it runs if all steps before it succeed"),
    (False, True): (Outlook.DECIDED_LATER, "it runs only if a step before it fails"),
    (False, False): (Outlook.SKIPPED, "its condition is false"),
}
"""By whether the condition holds after success and after failure."""


def step_contexts(
    plan: Plan, combination: Combination | None = None, facts: RunFacts = DEFAULT_FACTS
) -> dict[str, Value]:
    """Return what step conditions see that is known before the job runs.

    Args:
        plan: it is about.
        combination: of the job; None when it is not known, then `matrix` is missing.
        facts: about the run.
    """
    contexts = {**workflow_contexts(plan, facts), **short_names(plan.event)}
    if combination is not None:
        contexts["matrix"] = matrix_context(combination)
    return contexts


def foresee_step(step: PlannedStep, contexts: Mapping[str, Value]) -> Verdict:
    """Return whether a step would run, as far as `contexts` tell. Never raises.

    Args:
        step: as planned.
        contexts: from `step_contexts`; names missing here are known only when the job runs.
    """
    try:
        expression = parsed_condition(step.condition)
        unknown = _unknown(expression, contexts)
        if unknown:
            reason = f"its condition looks at `{unknown}`, which is known only when its turn comes"
            return Verdict(outlook=Outlook.DECIDED_LATER, reason=reason)
        after = [
            evaluate(expression, contexts, functions=status_functions(status))
            for status in ("success", "failure")
        ]
    except ExpressionError as error:
        reason = f"its condition cannot be evaluated: {error.message}"
        return Verdict(outlook=Outlook.DECIDED_LATER, reason=reason)
    outlook, reason = _AFTER[is_truthy(after[0].value), is_truthy(after[1].value)]
    trace = tuple(after[0].trace.lines()) if step.condition_text else ()
    return Verdict(outlook=outlook, reason=reason, trace=trace)


def _unknown(expression: Expression, contexts: Mapping[str, Value]) -> str | None:
    known = {name.lower() for name in contexts}
    for node in walk(expression.root):
        if isinstance(node, Context) and node.name.lower() not in known:
            return node.name
        if isinstance(node, Call) and node.name.lower() == "hashfiles":
            return f"{node.name}()"
    return None
