"""What of a job this version cannot run, told before anything of it runs."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.expressions import ExpressionError
from pawl.core.model.plan import PlannedJob, PlannedStep
from pawl.core.planning.render import contexts_used
from pawl.core.steps.outcome import status_functions
from pawl.engine.execution.actions.reference import unsupported_action
from pawl.engine.execution.steps.evaluation import Evaluator

_LATER = frozenset({"steps", "env", "job"})
"""Contexts that say more while the job runs."""


def refusals(planned: PlannedJob, evaluator: Evaluator, *, has_images: bool) -> tuple[str, ...]:
    """Return why the job cannot be run, a sentence each; none when it can.

    A step that cannot be run does not matter when its condition is false for certain.

    Args:
        planned: the job.
        evaluator: with what is known before the first step; its status functions say success.
        has_images: whether the executor runs things in images.
    """
    return tuple(_refusals(planned, evaluator, has_images))


def _refusals(planned: PlannedJob, evaluator: Evaluator, has_images: bool) -> Iterator[str]:
    if planned.uses is not None:
        yield f"job `{planned.key}` calls the workflow `{planned.uses}`; calls come with a later version"
    for number, step in enumerate(planned.steps, start=1):
        reason = unsupported_step(step)
        if reason is None and not has_images and (step.uses or "").startswith("docker://"):
            reason = f"`{step.uses}` runs in a container, and the host executor has none"
        if reason is not None and not _never_runs(step, evaluator):
            yield f"job `{planned.key}`, step {number} (line {step.line}): {reason}"


def unsupported_step(step: PlannedStep) -> str | None:
    """Return why a step cannot be run by this version; None when it can."""
    if step.kind in ("parallel", "wait", "cancel") or step.background:
        word = "background" if step.background else step.kind
        return f"`{word}` steps come with a later version of Pawl"
    return None if step.uses is None or "${{" in step.uses else unsupported_action(step.uses)


def _never_runs(step: PlannedStep, evaluator: Evaluator) -> bool:
    """Return whether the step's condition is false whatever the steps before it do."""
    try:
        if contexts_used("${{ " + step.condition + " }}") & _LATER:
            return False
        return not any(
            evaluator.with_functions(status_functions(status)).condition(step.condition)[0]
            for status in ("success", "failure", "cancelled")
        )
    except ExpressionError:
        return False
