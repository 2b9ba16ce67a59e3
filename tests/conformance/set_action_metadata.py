"""Action files with the verdict of the official parser: accepted, or the lines of the faults."""

from __future__ import annotations

import re
from typing import Any

from pawl.core.diagnostics import Severity
from pawl.core.workflow.action import parse_action

_LINE = re.compile(r"\(Line: (\d+), Col: \d+\)")


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the same lines are at fault (where the data gives lines)."""
    parsed = parse_action(case["action"])
    errors = [found for found in parsed.diagnostics if found.severity is Severity.ERROR]
    official = case["official"]["errors"]
    expected = {int(line) for fault in official for line in _LINE.findall(fault)}
    lines = {found.span.start.line for found in errors}
    if bool(errors) != case["official"]["accepts"] and (not expected or expected == lines):
        return None
    shown = [f"{found.span.start} {found.code}: {found.message}" for found in errors]
    return f"official: {official}; ours: {shown}"
