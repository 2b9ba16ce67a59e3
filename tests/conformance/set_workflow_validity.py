"""Workflow files with the verdict of the official parser: accepted or not."""

from __future__ import annotations

from typing import Any

from pawl.core.diagnostics import Severity
from pawl.core.workflow.parse import parse_workflow


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when Pawl accepts or rejects the file as the official parser does."""
    parsed = parse_workflow(case["workflow"])
    errors = [found for found in parsed.diagnostics if found.severity is Severity.ERROR]
    accepts = case["official"]["accepts"]
    if accepts is None or accepts == (not errors):
        return None
    shown = [f"{found.span.start} {found.code}: {found.message}" for found in errors]
    return f"official: {case['official']}; ours: {shown}"
