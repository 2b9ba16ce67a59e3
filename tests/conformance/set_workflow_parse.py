"""The official parser's own test files: rejected ones with lines of faults, accepted ones with meaning."""

from __future__ import annotations

from typing import Any

from pawl.core.diagnostics import Severity
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.syntax import Condition, Job, Workflow


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the same lines are at fault, or when jobs, needs, ids and conditions are the same.

    Where the data gives no lines, any fault will do.
    """
    usual, options = Limits(), case["options"]
    size, depth = options.get("max-file-size", usual.size), options.get("max-depth", usual.depth)
    limits = Limits(size=size, depth=depth)
    parsed = parse_workflow(case["workflow"], called=case["files"], limits=limits)
    errors = [found for found in parsed.diagnostics if found.severity is Severity.ERROR]
    ours = sorted({found.span.start.line for found in errors})
    expected = case["expect"].get("errors", [])
    lines = sorted({fault["line"] for fault in expected if fault["line"] is not None})
    if (lines and lines != ours) or bool(errors) != bool(expected):
        shown = [f"{found.span.start} {found.code}: {found.message}" for found in errors]
        return f"expected {expected}; ours: {shown}"
    if "template" not in case["expect"] or parsed.workflow is None:
        return None
    return _difference(case["expect"]["template"], parsed.workflow)


def _difference(template: dict[str, Any], workflow: Workflow) -> str | None:
    official = [_official_job(job) for job in template["jobs"]]
    ours = [_our_job(job) for job in workflow.jobs.values()]
    return None if official == ours else f"expected {official}; ours: {ours}"


def _official_job(job: dict[str, Any]) -> tuple[object, ...]:
    steps = [(step["id"], _plain(step["if"])) for step in job.get("steps", [])]
    return _plain(job["id"]), [_plain(need) for need in job.get("needs", [])], _plain(job["if"]), steps


def _our_job(job: Job) -> tuple[object, ...]:
    steps = [(step.common.id, _effective(step.common.condition)) for step in job.steps]
    return job.key, [need.text for need in job.needs], _effective(job.condition), steps


def _effective(condition: Condition | None) -> str:
    return condition.effective if condition else "success()"


def _plain(token: Any) -> Any:
    """Return the value of a token: a text as it is or with its place, or an expression."""
    return token.get("expr", token.get("lit")) if isinstance(token, dict) else token
