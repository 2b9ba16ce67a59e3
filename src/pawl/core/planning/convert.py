"""From the syntax tree to the plan's values: the same facts, without places, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, assert_never

from pawl.core.model.ids import JobKey
from pawl.core.model.plan import Json, PlannedJob, PlannedStep, Verdict
from pawl.core.workflow.nodes import Node, Scalar, to_json
from pawl.core.workflow.syntax import (
    CancelStep,
    Condition,
    Job,
    ParallelStep,
    RunStep,
    Step,
    StepCommon,
    Text,
    UsesStep,
    WaitStep,
    Workflow,
)


def plan_job(workflow: Workflow, job: Job, *, ancestors: Sequence[JobKey], verdict: Verdict) -> PlannedJob:
    """Return a job as planned, but for what follows from its matrix and what is unsupported."""
    strategy = job.strategy
    defaults, outer = job.defaults, workflow.defaults
    env_file = job.env_file or workflow.env_file
    return PlannedJob(
        key=job.key,
        line=job.key_span.start.line,
        verdict=verdict,
        needs=tuple(dict.fromkeys(JobKey(need.text) for need in job.needs)),
        ancestors=tuple(ancestors),
        name=_text(job.name),
        condition=_effective(job.condition),
        condition_text=_written(job.condition),
        matrix=to_json(strategy.matrix) if strategy else None,
        fail_fast=_or(strategy.fail_fast if strategy else None, default=True),
        max_parallel=to_json(strategy.max_parallel) if strategy else None,
        runs_on=to_json(job.runs_on),
        container=to_json(job.container),
        services=to_json(job.services),
        env=to_json(job.env),
        default_shell=_text(defaults.shell or outer.shell),
        default_working_directory=_text(defaults.working_directory or outer.working_directory),
        outputs=to_json(job.outputs),
        timeout_minutes=to_json(job.timeout_minutes),
        cancel_timeout_minutes=to_json(job.cancel_timeout_minutes),
        continue_on_error=_or(job.continue_on_error, default=False),
        environment=to_json(job.environment),
        concurrency=to_json(job.concurrency),
        permissions=_or_outer(job.permissions, workflow.permissions),
        steps=tuple(plan_step(step) for step in job.steps),
        uses=job.call.uses.text if job.call else None,
        with_=to_json(job.call.with_) if job.call else None,
        secrets=to_json(job.call.secrets) if job.call else None,
        artifacts=_texts(job.artifacts),
        env_file=env_file.text if env_file else None,
        retry=job.retry,
        priority=job.priority if job.priority is not None else workflow.priority,
    )


def plan_step(step: Step) -> PlannedStep:
    """Return a step as planned, and those inside it. How deep steps nest is bounded by the parser."""
    match step:
        case RunStep():
            return replace(
                _common(step.common, "run"),
                run=step.run.text,
                shell=_text(step.shell),
                working_directory=_text(step.working_directory),
            )
        case UsesStep():
            return replace(_common(step.common, "uses"), uses=step.uses.text, with_=to_json(step.with_))
        case ParallelStep():
            return replace(_common(step.common, "parallel"), steps=tuple(map(plan_step, step.steps)))
        case WaitStep():
            return replace(_common(step.common, "wait"), targets=_texts(step.targets))
        case CancelStep():
            return replace(_common(step.common, "cancel"), targets=_texts(step.targets))
        case _:
            assert_never(step)


def _common(common: StepCommon, kind: Literal["run", "uses", "parallel", "wait", "cancel"]) -> PlannedStep:
    return PlannedStep(
        id=common.id,
        has_own_id=common.has_own_id,
        kind=kind,
        line=common.span.start.line,
        name=_text(common.name),
        condition=_effective(common.condition),
        condition_text=_written(common.condition),
        env=to_json(common.env),
        continue_on_error=_or(common.continue_on_error, default=False),
        timeout_minutes=to_json(common.timeout_minutes),
        background=common.background,
    )


def _text(scalar: Scalar | None) -> str | None:
    return None if scalar is None or scalar.value is None else scalar.text


def _texts(texts: Sequence[Text]) -> tuple[str, ...]:
    return tuple(each.text for each in texts)


def _effective(condition: Condition | None) -> str:
    return condition.effective if condition else "success()"


def _written(condition: Condition | None) -> str | None:
    return condition.source.text if condition else None


def _or(node: Node | None, *, default: bool) -> Json:
    data = to_json(node)
    return default if data is None else data


def _or_outer(own: Node | None, outer: Node | None) -> Json:
    return to_json(own if own is not None else outer)
