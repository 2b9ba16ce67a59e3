"""What `x.*`, `x.name` and `x[key]` give (actions/runner Operators/Index.cs)."""

from __future__ import annotations

import math

from pawl.core.expressions.coercion import is_primitive, to_number, to_text
from pawl.core.expressions.run import Run
from pawl.core.expressions.values import ArrayValue, FilteredArray, ObjectValue, Value

_LARGEST_INDEX = 2**31 - 1


def elements(run: Run, value: Value) -> Value:
    """Return what `value.*` gives (language.md rule 11)."""
    if isinstance(value, FilteredArray):
        nested = [item for item in value if not is_primitive(item)]
        run.spend(len(value))
        return FilteredArray(found for item in nested for found in _members(run, item))
    return FilteredArray(_members(run, value))


def _members(run: Run, value: Value) -> list[Value]:
    members: list[Value] = []
    if isinstance(value, ObjectValue):
        members = list(value.values())
    elif isinstance(value, ArrayValue):
        members = list(value)
    run.spend(len(members))
    return members


def element(run: Run, value: Value, key: Value) -> Value:
    """Return what `value[key]` gives (language.md rules 10 and 11)."""
    looks = 1 + (len(key) >> 6 if isinstance(key, str) else 0)
    run.spend(looks)
    if isinstance(value, FilteredArray):
        run.spend(looks * len(value))
        return FilteredArray(found for item in value for found in _found(item, key))
    return next(iter(_found(value, key)), None)


def _found(value: Value, key: Value) -> tuple[Value, ...]:
    """Return the one member of `value` under `key`, or nothing."""
    if isinstance(value, ObjectValue):
        name = to_text(key) if is_primitive(key) else None
        return (value[name],) if name is not None and name in value else ()
    if isinstance(value, ArrayValue):
        index = to_number(key)
        if math.isnan(index) or index < 0 or index > _LARGEST_INDEX or math.floor(index) >= len(value):
            return ()
        return (value[math.floor(index)],)
    return ()
