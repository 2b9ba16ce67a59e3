"""Workflows with the plan that a made-up event gives them: in words, as a graph, as data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pawl.core.diagnostics import has_errors
from pawl.core.planning.dot import plan_to_dot
from pawl.core.planning.foresight import foresee_steps
from pawl.core.planning.plan import plan_workflow
from pawl.core.planning.storage import plan_from_json, plan_to_json
from pawl.core.triggers import stub_event
from pawl.core.workflow.parse import parse_workflow
from tests.golden.conftest import Compare
from tests.golden.drawing import draw_findings

FOLDER = Path(__file__).parent / "plan"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_plans_as_its_golden_file_says(path: Path, compare: Compare) -> None:
    parsed = parse_workflow(path.read_text(encoding="utf-8"), path.name)
    assert parsed.workflow is not None
    assert not has_errors(parsed.diagnostics), parsed.diagnostics
    planned = plan_workflow(parsed.workflow, stub_event(parsed.workflow))
    plan = planned.plan
    if plan is None:
        compare(path.with_suffix(".out"), draw_findings(planned.diagnostics))
        return
    lines = [f"{plan.event.name}: {plan.trigger.outlook}: {plan.trigger.reason}", f"run: {plan.run_name}"]
    for job in plan.jobs:
        lines += ["", f"{job.key}: {job.verdict.outlook}: {job.verdict.reason}"]
        lines += [f"    {line}" for line in job.verdict.trace]
        lines += [f"  makes {each.name}" for each in job.combinations or ()]
        lines += [f"  cannot: {each}" for each in job.unsupported]
        lines += [f"  note: {each}" for each in job.notes]
        for step, verdict in zip(job.steps, foresee_steps(plan, job), strict=True):
            lines.append(f"  {step.id}: {verdict.outlook}: {verdict.reason}")
    stored = json.dumps(plan_to_json(plan), indent=1, allow_nan=False)
    compare(path.with_suffix(".out"), "\n".join([*lines, "", plan_to_dot(plan), stored, ""]))


@pytest.mark.parametrize("path", sorted((FOLDER / "earlier").glob("*.json")), ids=lambda path: path.stem)
def test_a_plan_that_an_earlier_version_stored_loads_with_all_that_it_says(path: Path) -> None:
    """A server that was updated goes on with the runs it has; `--update-golden` never writes these files."""
    stored = json.loads(path.read_bytes())
    assert _holds(plan_to_json(plan_from_json(stored)), stored)


def _holds(now: object, then: object) -> bool:
    """Return whether everything that was stored is still there; there may be more."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and _holds(now[key], then[key]) for key in then)
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(_holds, now, then))
    return now == then
