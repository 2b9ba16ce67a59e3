"""The official parser's own test files: accepted ones, and rejected ones with the place of each fault."""

from __future__ import annotations

from typing import Any

from pawl.core.diagnostics import Severity
from pawl.core.workflow.limits import Limits
from pawl.core.workflow.parse import parse_workflow


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the same lines are at fault; without lines in the data, when there is any fault."""
    depth = case["options"].get("max-depth", Limits().depth)
    parsed = parse_workflow(case["workflow"], called=case["files"], limits=Limits(depth=depth))
    errors = [found for found in parsed.diagnostics if found.severity is Severity.ERROR]
    ours = sorted({found.span.start.line for found in errors})
    expected = case["expect"].get("errors", [])
    lines = sorted({fault["line"] for fault in expected if fault["line"] is not None})
    if (lines and lines == ours) or (not lines and bool(errors) == bool(expected)):
        return None
    shown = [f"{found.span.start} {found.code}: {found.message}" for found in errors]
    return f"expected {expected}; ours: {shown}"
