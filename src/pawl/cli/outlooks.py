"""What can be said of a step before anything ran: for `pawl plan` and `pawl why`."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.expressions import ExpressionError, Value
from pawl.core.model.plan import Combination, Outlook, Plan, PlannedJob, PlannedStep, Verdict
from pawl.core.planning.conditions import evaluate_job_condition
from pawl.core.planning.contexts import combination_contexts, job_contexts
from pawl.core.planning.render import contexts_used
from pawl.core.steps.outcome import status_functions
from pawl.engine.execution.steps.telling import display_name

_ONE = Combination(index=0, total=1, name="")
_KNOWN = frozenset({"github", "inputs", "vars"})
_OF_A_COMBINATION = frozenset({"matrix", "strategy"})
_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutlook:
    """A planned step with its verdict. `number` counts from 1."""

    number: int
    name: str
    step: PlannedStep
    verdict: Verdict


def step_outlooks(plan: Plan, job: PlannedJob) -> tuple[StepOutlook, ...]:
    """Return the outlook of each step, should the job run and no step before it fail."""
    return tuple(
        StepOutlook(number=number, name=display_name(step), step=step, verdict=_foresee(plan, job, step))
        for number, step in enumerate(job.steps, start=1)
    )


def _foresee(plan: Plan, job: PlannedJob, step: PlannedStep) -> Verdict:
    if step.condition_text is None:
        return Verdict(outlook=Outlook.RUNS, reason="it has no condition")
    known = _KNOWN | (_OF_A_COMBINATION if job.combinations is not None else frozenset())
    unknown = sorted(contexts_used("${{ " + step.condition + " }}") - known)
    if unknown:
        named = " and ".join(f"`{name}`" for name in unknown)
        return Verdict(outlook=Outlook.DECIDED_LATER, reason=f"its condition looks at {named}")
    try:
        return _certain(plan, job, step)
    except ExpressionError as error:
        return Verdict(outlook=Outlook.DECIDED_LATER, reason=f"it cannot be told: {error.message}")


def _certain(plan: Plan, job: PlannedJob, step: PlannedStep) -> Verdict:
    outer = job_contexts(plan, job.key, {})
    combinations = job.combinations or (_ONE,)
    holding = []
    trace: tuple[str, ...] = ()
    for combination in combinations:
        inner = combination_contexts(combination, fail_fast=True, max_parallel=None)
        contexts = {**outer, **inner}
        outcome = evaluate_job_condition(step.condition, contexts, status_functions("success"))
        trace = trace or outcome.lines
        if outcome.holds:
            holding.append(combination)
    if len(holding) == len(combinations):
        return Verdict(outlook=Outlook.RUNS, reason="its condition is true", trace=trace)
    if holding:
        names = ", ".join(each.name for each in holding[:_NAMES_SHOWN])
        more = f" and {len(holding) - _NAMES_SHOWN} more" if len(holding) > _NAMES_SHOWN else ""
        return Verdict(outlook=Outlook.RUNS, reason=f"its condition is true in {names}{more} only")
    return _not_on_success(step, [outer | _contexts_of(each) for each in combinations], trace)


def _contexts_of(combination: Combination) -> dict[str, Value]:
    return combination_contexts(combination, fail_fast=True, max_parallel=None)


def _not_on_success(step: PlannedStep, contexts: list[dict[str, Value]], trace: tuple[str, ...]) -> Verdict:
    for status, reason in (("failure", "a step before it fails"), ("cancelled", "the job is cancelled")):
        functions = status_functions(status)
        if any(evaluate_job_condition(step.condition, each, functions).holds for each in contexts):
            return Verdict(outlook=Outlook.DECIDED_LATER, reason=f"it runs only if {reason}", trace=trace)
    return Verdict(outlook=Outlook.SKIPPED, reason="its condition is false", trace=trace)
