"""What the steps of one job, or of one composite action, know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.expressions import ObjectValue, Value
from pawl.core.model.plan import PlannedStep
from pawl.core.steps.outcome import StepResult, StepsState
from pawl.engine.execution.steps.end import StepEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPlace:
    """The action whose steps these are: inside path, and its name and ref where it comes from elsewhere."""

    path: str
    repository: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefaults:
    """`defaults.run`, of the job and the workflow together."""

    shell: str | None = None
    working_directory: str | None = None


@dataclass(slots=True, kw_only=True)
class Scope:
    """A sequence of steps as it goes on. Belongs to the one sequence that runs it.

    Attributes:
        fixed: the contexts that stay the same for all its steps; `github` without what belongs to one step.
        overrides: environment set by the steps around a composite action, over GITHUB_ENV.
        action: the composite action, or None for a job's own steps.
        depth: how many actions this is nested in.
        path: ids of the steps around this, for names of files.
        state: success so far, or not.
        parent: the scope of the step around this, None for a job's own steps.
        failure, exit_code: of the first of its steps that failed it.
    """

    fixed: Mapping[str, Value]
    overrides: Mapping[str, str] = field(default_factory=dict)
    defaults: RunDefaults = RunDefaults()
    action: ActionPlace | None = None
    depth: int = 0
    path: tuple[str, ...] = ()
    state: StepsState = field(default_factory=StepsState)
    parent: Scope | None = None
    failure: str = ""
    exit_code: int | None = None
    _results: dict[str, Value] = field(default_factory=dict)

    @property
    def is_inner(self) -> bool:
        """Return whether these are the steps of an action."""
        return self.action is not None

    @property
    def job_status(self) -> str:
        """Return `job.status`: that of the outermost scope."""
        return self.state.job_status if self.parent is None else self.parent.job_status

    def steps_value(self) -> ObjectValue:
        """Return the `steps` context as it stands."""
        return ObjectValue(self._results)

    def record(self, step: PlannedStep, result: StepResult, end: StepEnd) -> None:
        """Remember how a step ended; its outputs keep their marks of distrust."""
        if not self.state.failed and self.state.after(result).failed:
            self.failure, self.exit_code = end.reason, end.exit_code
        self.state = self.state.after(result)
        view: dict[str, Value] = {
            "outputs": ObjectValue(dict(end.outputs)),
            "outcome": result.outcome.as_result,
            "conclusion": result.conclusion.as_result,
        }
        if step.has_own_id:
            self._results[step.id] = ObjectValue(view)
