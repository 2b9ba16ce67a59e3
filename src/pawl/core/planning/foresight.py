"""What can be said of a job's steps before anything ran (requirement L13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pawl.core.expressions import Expression, ExpressionError, Value, evaluate, is_truthy
from pawl.core.expressions.nodes import Call, Context, walk
from pawl.core.model.plan import Combination, Outlook, Plan, PlannedJob, PlannedStep, Verdict
from pawl.core.planning.conditions import parsed_condition
from pawl.core.planning.contexts import (
    DEFAULT_FACTS,
    RunFacts,
    combination_contexts,
    short_names,
    workflow_contexts,
)
from pawl.core.steps.outcome import status_functions

_OTHERWISE = (("failure", "a step before it fails"), ("cancelled", "the job is cancelled"))
_NAMES_SHOWN = 3


def foresee_steps(plan: Plan, job: PlannedJob, facts: RunFacts = DEFAULT_FACTS) -> tuple[Verdict, ...]:
    """Return the verdict of each step, should the job run and no step before it fail. Never raises.

    Where the combinations are known, their values count; what is known only when a step's turn comes (`env`,
    `steps`, `needs`, files) makes its verdict come later.
    """
    outer = {**workflow_contexts(plan, facts), **short_names(plan.event)}
    seen: _Seen = [
        (each, {**outer, **combination_contexts(each, fail_fast=True, max_parallel=None)})
        for each in job.combinations or ()
    ]
    seen = seen or [(None, outer)]
    return tuple(_foresee(step, seen) for step in job.steps)


_Seen = Sequence[tuple[Combination | None, Mapping[str, Value]]]


def _foresee(step: PlannedStep, seen: _Seen) -> Verdict:
    if step.condition_text is None or not step.condition_text.strip():
        return Verdict(outlook=Outlook.RUNS, reason="it has no condition")
    try:
        expression = parsed_condition(step.condition)
        unknown = _unknown(expression, seen[0][1])
        if unknown:
            return Verdict(outlook=Outlook.DECIDED_LATER, reason=f"its condition looks at {unknown}")
        return _known(expression, seen)
    except ExpressionError as error:
        return Verdict(outlook=Outlook.DECIDED_LATER, reason=f"it cannot be told: {error.message}")


def _known(expression: Expression, seen: _Seen) -> Verdict:
    first = evaluate(expression, seen[0][1], functions=status_functions("success"))
    trace = tuple(first.trace.lines())
    holding = [each for each, contexts in seen if _holds(expression, contexts, "success")]
    if len(holding) == len(seen):
        return Verdict(outlook=Outlook.RUNS, reason="its condition is true", trace=trace)
    if holding:
        names = ", ".join(f"`{each.name}`" for each in holding[:_NAMES_SHOWN] if each is not None)
        more = f" and {len(holding) - _NAMES_SHOWN} more" if len(holding) > _NAMES_SHOWN else ""
        return Verdict(outlook=Outlook.RUNS, reason=f"its condition is true in {names}{more} only")
    for status, reason in _OTHERWISE:
        if any(_holds(expression, contexts, status) for _, contexts in seen):
            return Verdict(outlook=Outlook.DECIDED_LATER, reason=f"it runs only if {reason}", trace=trace)
    return Verdict(outlook=Outlook.SKIPPED, reason="its condition is false", trace=trace)


def _holds(expression: Expression, contexts: Mapping[str, Value], status: str) -> bool:
    return is_truthy(evaluate(expression, contexts, functions=status_functions(status), trace=False).value)


def _unknown(expression: Expression, contexts: Mapping[str, Value]) -> str:
    """Return what the expression uses that is not known yet, in words; empty when there is nothing."""
    known = {name.lower() for name in contexts}
    found = []
    for node in walk(expression.root):
        if isinstance(node, Context) and node.name.lower() not in known:
            found.append(f"`{node.name}`")
        if isinstance(node, Call) and node.name.lower() == "hashfiles":
            found.append(f"`{node.name}`")
    return " and ".join(dict.fromkeys(found))
