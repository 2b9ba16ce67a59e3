"""How steps are named and spoken of."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.expressions import ObjectValue
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import PlannedStep
from pawl.core.planning.variables import substitute
from pawl.core.steps.outcome import StepResult, StepsState
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.evaluation import Evaluator

_NAME_LENGTH = 200


def display_name(step: PlannedStep, evaluator: Evaluator | None = None) -> str:
    """Return a step's name: as given, else `Run` and its first line or action (runner ActionRunner.cs).

    Without an evaluator, or where a template fails, the name is as written.
    """
    written = _written_name(step)
    if evaluator is None:
        return written
    env = evaluator.contexts.get("env")
    if step.name is not None and "${{" not in written and isinstance(env, ObjectValue):
        # Requirement L5; a `$` in a name that is made of a script is the script's.
        texts = {name: value for name, value in env.items() if isinstance(value, str)}
        return substitute(written, texts)[:_NAME_LENGTH]
    try:
        # On one line: a name may come from a commit's message.
        return " ".join(evaluator.text(written, where="name").split())[:_NAME_LENGTH] or step.id
    except UsageError:
        return written


def _written_name(step: PlannedStep) -> str:
    if step.name is not None and str(step.name).strip():
        return str(step.name)[:_NAME_LENGTH]
    match step.kind:
        case "run":
            first = next(iter((step.run or "").strip().splitlines()), "")
            return f"Run {first}"[:_NAME_LENGTH]
        case "uses":
            return f"Run {step.uses}"[:_NAME_LENGTH]
        case _:
            return step.kind


def skip_reason(step: PlannedStep, state: StepsState) -> str:
    """Return why a step whose condition was false did not run, one sentence."""
    if step.condition_text is not None:
        return f"its condition is false: {step.condition_text.strip()}"
    if state.cancelled:
        return "the job was cancelled"
    return "an earlier step failed"


@dataclass(frozen=True, slots=True)
class InnerTeller:
    """Tells of a step of a composite action: in the log of the step that uses it."""

    log: StepLog

    def skipped(self, name: str, reason: str, trace: tuple[str, ...]) -> None:
        """Say nothing: the runner does not either."""

    def started(self, name: str) -> StepLog:  # noqa: ARG002 - its header says what it runs
        """Return the log of the step around it."""
        return self.log

    def finished(self, name: str, result: StepResult, end: StepEnd, trace: tuple[str, ...]) -> None:
        """Say nothing: the failure is in the log already."""
