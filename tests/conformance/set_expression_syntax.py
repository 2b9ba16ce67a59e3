"""Grammar only: must the text parse or not."""

from __future__ import annotations

from typing import Any

from pawl.core.expressions import parse_expression


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differed."""
    expression, diagnostics = parse_expression(case["expr"])
    if (expression is not None) is case["valid"]:
        return None
    return f"parsed: {expression}, expected valid={case['valid']}; {[item.message for item in diagnostics]}"
