"""Scalars with `${{ }}`: the string, the kind of a single expression, the equivalent expression."""

from __future__ import annotations

from typing import Any

from pawl.core.expressions import ExpressionError, parse_template, render, to_text
from tests.conformance.set_expressions import context_values, kind_of


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differed."""
    template, diagnostics = parse_template(case["template"])
    if diagnostics:
        return None if case.get("error") else f"refused: {diagnostics[0].message}"
    try:
        value = render(template, context_values(case["contexts"]))
    except ExpressionError as error:
        return None if case.get("error") else f"error: {error}"
    if case.get("error"):
        return f"{value!r}, expected an error"
    found = {"string": to_text(value), "value_kind": kind_of(value)}
    if template.expression is not None:
        found["expression"] = template.expression
    return None if found == case["expect"] else f"{found}, expected {case['expect']}"
