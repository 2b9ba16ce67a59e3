"""Where the work of one step is done: everything about it that was decided before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pawl.core.model.plan import PlannedStep
from pawl.core.steps.outcome import StepResult, StepsState
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.steps.command_files import CommandFiles
from pawl.engine.execution.steps.end import StepEnd
from pawl.engine.execution.steps.evaluation import Evaluator
from pawl.engine.execution.steps.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlace:
    """One step about to do its work.

    Attributes:
        env: the `env` context, its own `env` included; values may be Untrusted.
        own_env: what of it the step itself sets.
        log: where its output goes.
        stop: asked when the step is to end early; never asked for a step that outlives a cancellation.
    """

    step: PlannedStep
    scope: Scope
    evaluator: Evaluator
    env: Mapping[str, str]
    own_env: Mapping[str, str]
    files: CommandFiles
    log: StepLog
    stop: Cancellation


RunInner = Callable[[Sequence[PlannedStep], Scope, StepPlace], Awaitable[StepsState]]
"""Runs the steps of a composite action within the step that uses it."""


class Teller(Protocol):
    """Tells the world how a step goes. One a step."""

    def skipped(self, name: str, reason: str, trace: tuple[str, ...]) -> None:
        """Say that it will not run."""

    def started(self, name: str) -> StepLog:
        """Say that it begins, and return its log."""

    def finished(self, name: str, result: StepResult, end: StepEnd, trace: tuple[str, ...]) -> None:
        """Say how it ended."""
