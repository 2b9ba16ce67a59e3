"""Bare expressions: kind and value, or the class of the error."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from pawl.core.expressions import ArrayValue, ExpressionError, ObjectValue, Value, evaluate, to_value

Functions = Mapping[str, Callable[..., Value]]


def check(case: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return None when the case passes, else what differed."""
    return difference(case, case["contexts"], {})


def difference(case: dict[str, Any], contexts: dict[str, Any], functions: Functions) -> str | None:
    """Evaluate the case's expression and return what differed."""
    try:
        value = evaluate(case["expr"], context_values(contexts), functions=functions).value
    except ExpressionError as error:
        if not case.get("error"):
            return f"error: {error}"
        wanted = case.get("error_kind")
        return None if wanted in (None, error.kind) else f"{error.kind} error, expected {wanted}: {error}"
    if case.get("error"):
        return f"{value!r}, expected an error"
    expected = case["expect"]
    if kind_of(value) != expected["kind"]:
        return f"{kind_of(value)}, expected {expected['kind']}"
    return None if same(value, expected["value"]) else f"{value!r}, expected {expected['value']!r}"


def context_values(contexts: dict[str, Any]) -> dict[str, Value]:
    """Return the contexts of a case; `env` minds letter case, as on Linux."""
    return {
        name: to_value(value, case_sensitive=name == "env" and isinstance(value, dict))
        for name, value in contexts.items()
    }


def kind_of(value: Value) -> str:
    """Return the kind of a value as the data names it."""
    match value:
        case None:
            return "Null"
        case bool():
            return "Boolean"
        case float():
            return "Number"
        case str():
            return "String"
        case ArrayValue():
            return "Array"
        case ObjectValue():
            return "Object"


def same(value: Value, expected: Any) -> bool:
    """Return whether a value is deeply what the data says."""
    match value:
        case float():
            if isinstance(expected, dict):
                expected = float(expected["$num"])
            both_nan = math.isnan(value) and math.isnan(expected)
            return both_nan or (type(expected) is not bool and value == expected)
        case ArrayValue():
            pairs = zip(value, expected, strict=False)
            return len(value) == len(expected) and all(same(one, other) for one, other in pairs)
        case ObjectValue():
            if list(value) != list(expected):
                return False
            return all(same(item, expected[key]) for key, item in value.items())
        case _:
            return type(value) is type(expected) and value == expected
