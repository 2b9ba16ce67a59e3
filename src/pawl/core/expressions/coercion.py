"""How values of different kinds meet: text, numbers, truth, equality, order (language.md rules 1-5, 13)."""

from __future__ import annotations

import math

from pawl.core.expressions.text_rules import fold_case, format_number, parse_number
from pawl.core.expressions.values import ArrayValue, ObjectValue, Value


def to_text(value: Value) -> str:
    """Return the string form (language.md rule 13; actions/runner EvaluationResult.ConvertToString)."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return format_number(value)
        case ArrayValue():
            return "Array"
        case ObjectValue():
            return "Object"


def to_number(value: Value) -> float:
    """Return the number a value stands for, NaN if none (actions/runner EvaluationResult.ConvertToNumber)."""
    match value:
        case None:
            return 0.0
        case bool() | float():
            return float(value)
        case str():
            return parse_number(value)
        case ArrayValue() | ObjectValue():
            return math.nan


def is_truthy(value: Value) -> bool:
    """Return whether `if` would go on: not for null, false, 0, -0, NaN and '' (language.md rule 5)."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return bool(value) or isinstance(value, ArrayValue | ObjectValue)


def is_primitive(value: Value) -> bool:
    """Return whether the value is neither array nor object."""
    return not isinstance(value, ArrayValue | ObjectValue)


def equal(left: Value, right: Value) -> bool:
    """Return what `left == right` gives (actions/runner EvaluationResult.AbstractEqual)."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right or (len(left) == len(right) and fold_case(left) == fold_case(right))
    if isinstance(left, ArrayValue | ObjectValue) or isinstance(right, ArrayValue | ObjectValue):
        return left is right
    # Unlike kinds, or both numbers, booleans or null: all compare as numbers.
    return to_number(left) == to_number(right)


def less(left: Value, right: Value) -> bool:
    """Return what `left < right` gives (actions/runner EvaluationResult.AbstractLessThan)."""
    if isinstance(left, str) and isinstance(right, str):
        return _less_text(fold_case(left), fold_case(right))
    if isinstance(left, ArrayValue | ObjectValue) or isinstance(right, ArrayValue | ObjectValue):
        return False
    if left is None and right is None:
        return False
    return to_number(left) < to_number(right)


def _less_text(left: str, right: str) -> bool:
    if left.isascii() or right.isascii():
        return left < right
    # .NET compares UTF-16 units; that differs from code points beyond the basic plane.
    return left.encode("utf-16-be", "surrogatepass") < right.encode("utf-16-be", "surrogatepass")
