"""What a rule looks at, and the two ways it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pawl.core.diagnostics import Diagnostic, Severity, Span
from pawl.core.workflow.expressions_in import ExpressionChecks
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.nodes import Mapping as MappingNode
from pawl.core.workflow.syntax import Job, ParallelStep, Step, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A workflow under check.

    Attributes:
        root: the tree it was built from.
        expressions: the templates and conditions found sound in it.
    """

    workflow: Workflow
    root: MappingNode
    limits: Limits
    expressions: ExpressionChecks

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs in the file's order."""
        return tuple(self.workflow.jobs.values())


def steps_of(job: Job) -> Iterator[Step]:
    """Yield every step of a job in order, those inside `parallel` after it."""
    waiting = list(reversed(job.steps))
    while waiting:
        step = waiting.pop()
        yield step
        if isinstance(step, ParallelStep):
            waiting.extend(reversed(step.steps))


def error(code: str, message: str, span: Span, hint: str | None = None) -> Diagnostic:
    """Return a fault that keeps the workflow from running."""
    return Diagnostic(code=code, message=message, span=span, hint=hint)


def warning(code: str, message: str, span: Span, hint: str | None = None) -> Diagnostic:
    """Return something that is allowed and probably not meant, or not safe."""
    return Diagnostic(code=code, message=message, span=span, hint=hint, severity=Severity.WARNING)
