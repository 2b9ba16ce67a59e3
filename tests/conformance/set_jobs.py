"""Graphs of jobs: what each job's `needs.<id>.result` is and how the run ends; by the real lifecycle."""

from __future__ import annotations

import json
from typing import Any

from pawl.core.lifecycle import (
    JobFinished,
    JobResolved,
    JobSkipped,
    JobStarted,
    JobUnresolvable,
    LifecycleEvent,
    ResolvedCombination,
    ResolveJob,
    RunStarted,
    RunState,
    StartJob,
    ancestor_results,
    apply,
    create_run,
    need_results,
)
from pawl.core.model.events import Event
from pawl.core.model.ids import JobKey
from pawl.core.model.plan import Plan
from pawl.core.model.status import Conclusion
from pawl.core.planning.plan import plan_workflow
from pawl.core.planning.resolve import resolve_job
from pawl.core.workflow.parse import parse_workflow


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case holds, else what differed."""
    parsed = parse_workflow(_file(case["jobs"]))
    if parsed.workflow is None:
        return f"not parsed: {parsed.diagnostics[0].message}"
    planned = plan_workflow(parsed.workflow, Event(name="push"))
    if planned.plan is None:
        return f"not planned: {planned.diagnostics[0].message}"
    run = _run(planned.plan, case["jobs"])
    expected = case["expect"]
    actual = {str(key): str(group.result) for key, group in run.groups.items()}
    if actual != expected["jobs"]:
        return f"jobs {actual}"
    return None if run.conclusion == expected["run"] else f"run {run.conclusion}"


def _file(jobs: dict[str, Any]) -> str:

    whole = {
        key: {
            "runs-on": "ubuntu-latest",
            "steps": [{"run": "true"}],
            **{name: job[name] for name in ("needs", "if", "continue-on-error") if name in job},
        }
        for key, job in jobs.items()
    }
    return json.dumps({"on": "push", "jobs": whole})


def _run(plan: Plan, jobs: dict[str, Any]) -> RunState:
    """Drive the lifecycle with jobs that end as the case says."""
    run = create_run(plan)
    waiting: list[LifecycleEvent] = [RunStarted()]
    while waiting:
        run, effects = apply(run, waiting.pop(0), 0.0)
        for effect in effects:
            match effect:
                case ResolveJob(key):
                    waiting.append(_resolve(plan, run, key))
                case StartJob(id=job, attempt=attempt):
                    facts = jobs[job]
                    waiting.append(JobStarted(id=job, attempt=attempt))
                    waiting.append(
                        JobFinished(
                            id=job,
                            attempt=attempt,
                            conclusion=Conclusion(facts.get("result", "success")),
                            outputs=facts.get("outputs", {}),
                        )
                    )
    return run


def _resolve(plan: Plan, run: RunState, key: JobKey) -> LifecycleEvent:
    resolution = resolve_job(
        plan.job(key), plan, needs=need_results(run, key), ancestors=ancestor_results(run, key)
    )
    if resolution.error is not None:
        return JobUnresolvable(key=key, reason=resolution.error)
    if not resolution.jobs:
        return JobSkipped(key=key, reason=resolution.verdict.reason, cancelled=resolution.cancelled)
    combinations = tuple(
        ResolvedCombination(id=job.id, continue_on_error=job.continue_on_error) for job in resolution.jobs
    )
    return JobResolved(key=key, combinations=combinations)
