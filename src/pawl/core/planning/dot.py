"""The plan's graph in Graphviz's language, for `pawl plan --dot`."""

from __future__ import annotations

from pawl.core.model.plan import Outlook, Plan, PlannedJob

_STYLES = {
    Outlook.RUNS: 'color="#1a7f37"',
    Outlook.SKIPPED: 'color="#6e7781", fontcolor="#6e7781", style="rounded,dashed"',
    Outlook.DECIDED_LATER: 'color="#9a6700"',
}


def plan_to_dot(plan: Plan) -> str:
    """Return a digraph: a box for each job, an arrow from each need to what needs it."""
    lines = [
        f"digraph {_quoted(plan.name)} {{",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded", fontname="sans-serif"];',
    ]
    lines += [
        f"  {_quoted(job.key)} [label={_quoted(_label(job))}, {_STYLES[_outlook(job)]}];" for job in plan.jobs
    ]
    lines += [f"  {_quoted(need)} -> {_quoted(job.key)};" for job in plan.jobs for need in job.needs]
    return "\n".join([*lines, "}", ""])


def _outlook(job: PlannedJob) -> Outlook:
    return job.verdict.outlook


def _label(job: PlannedJob) -> str:
    count = len(job.combinations) if job.combinations is not None and job.matrix is not None else None
    if count is not None:
        return f"{job.key}\n{count} {'job' if count == 1 else 'jobs'}"
    return f"{job.key}\nmatrix known later" if job.matrix is not None else job.key


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", "\\n")
    return f'"{escaped}"'
