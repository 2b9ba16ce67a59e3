"""Planning a workflow text in tests."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from pawl.core.diagnostics import has_errors
from pawl.core.model.events import Event
from pawl.core.model.plan import Plan
from pawl.core.planning.plan import Planned, plan_workflow
from pawl.core.workflow.parse import parse_workflow

PUSH = Event(name="push")
EMPTY: Mapping[str, str] = {}


def planned(
    jobs: str,
    event: Event = PUSH,
    *,
    on: str = "push",
    top: str = "",
    inputs: Mapping[str, str] = EMPTY,
    variables: Mapping[str, str] = EMPTY,
) -> Planned:
    """Return what planning says about a workflow with these `jobs:`; a job without steps gets one."""
    text = f"on: {on}\n{top}\njobs:\n{textwrap.indent(textwrap.dedent(jobs).strip(), '  ')}\n"
    parsed = parse_workflow(text)
    assert parsed.workflow is not None, parsed.diagnostics
    assert not has_errors(parsed.diagnostics), parsed.diagnostics
    return plan_workflow(parsed.workflow, event, inputs=inputs, variables=variables)


def plan_for(jobs: str, event: Event = PUSH, **more: object) -> Plan:
    """Return the plan of a workflow that has one."""
    result = planned(jobs, event, **more)  # type: ignore[arg-type]  # handed on as they are
    assert result.plan is not None, result.diagnostics
    return result.plan


def job(key: str, *lines: str) -> str:
    """Return one job with further lines of YAML."""
    more = "".join(f"  {line}\n" for line in lines)
    return f"{key}:\n  runs-on: ubuntu-latest\n{more}  steps: [{{run: 'true'}}]\n"
