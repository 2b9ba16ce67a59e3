"""What can be said of a step before anything ran: for `pawl plan` and `pawl why`."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.model.plan import Plan, PlannedJob, PlannedStep, Verdict
from pawl.core.planning.foresight import foresee_steps
from pawl.engine.execution.steps.telling import display_name


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutlook:
    """A planned step with its verdict. `number` counts from 1."""

    number: int
    name: str
    step: PlannedStep
    verdict: Verdict


def step_outlooks(plan: Plan, job: PlannedJob) -> tuple[StepOutlook, ...]:
    """Return the outlook of each step, should the job run and no step before it fail."""
    verdicts = foresee_steps(plan, job)
    return tuple(
        StepOutlook(number=number, name=display_name(step), step=step, verdict=verdict)
        for number, (step, verdict) in enumerate(zip(job.steps, verdicts, strict=True), start=1)
    )
