"""Texts of `if:`: the effective expression and whether the step runs."""

from __future__ import annotations

from typing import Any

from pawl.core.diagnostics import has_errors
from pawl.core.expressions import ExpressionError, evaluate_condition, is_truthy, parse_condition
from tests.conformance.set_expressions import context_values
from tests.conformance.set_real_expressions import hash_files, status_functions


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differed."""
    contexts = {**data["context_sets"][case["context_set"]], **case["contexts"]}
    contexts["job"] = {**contexts.get("job", {}), "status": case["status"]}
    functions = {"hashFiles": hash_files, **status_functions(case["status"])}
    condition, diagnostics = parse_condition(case["if"])
    if has_errors(diagnostics):
        return _error(case, "syntax", diagnostics[0].message)
    try:
        value = evaluate_condition(condition, context_values(contexts), functions=functions).value
    except ExpressionError as error:
        return _error(case, error.kind, error.message)
    if case.get("error"):
        return f"{value!r}, expected an error"
    found = {"run": is_truthy(value), "effective": condition.effective}
    return None if found == case["expect"] else f"{found}, expected {case['expect']}"


def _error(case: dict[str, Any], kind: str, message: str) -> str | None:
    if case.get("error") and case.get("error_kind") in (None, kind):
        return None
    return f"{kind} error: {message}, expected {case.get('error_kind') or case.get('expect')}"
