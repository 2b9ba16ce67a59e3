"""The values of the language and their way from and to plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

from pawl.core.expressions.failure import ExpressionError
from pawl.core.expressions.limits import DEFAULT_LIMITS
from pawl.core.expressions.text_rules import fold_case, format_number


class Untrusted(str):
    """A string that an outsider controls (architecture.md M8).

    Strings computed from it by an expression are Untrusted too; Python's own string methods forget it.
    """

    __slots__ = ()


class ArrayValue(Sequence["Value"]):
    """An immutable array; equal to itself only."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[Value] = ()) -> None:
        self._items: tuple[Value, ...] = tuple(items)

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Value, ...]: ...
    def __getitem__(self, index: int | slice) -> Value | tuple[Value, ...]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._items)!r})"


class FilteredArray(ArrayValue):
    """What `.*` gives: a later index applies to each element (actions/runner Operators/Index.cs)."""

    __slots__ = ()


class ObjectValue(Mapping[str, "Value"]):
    """An immutable, ordered object; equal to itself only.

    Look-up ignores letter case unless it is case-sensitive, as `env` is on Linux; of keys that differ in
    letter case only, the first stays.
    """

    __slots__ = ("_by_folded", "_items", "case_sensitive")

    def __init__(
        self, items: Mapping[str, Value] | Iterable[tuple[str, Value]] = (), *, case_sensitive: bool = False
    ) -> None:
        self._items: dict[str, Value] = dict(items)
        self.case_sensitive = case_sensitive
        self._by_folded: dict[str, Value] = {}
        if not case_sensitive:
            self._drop_doubles()

    def _drop_doubles(self) -> None:
        folded = self._by_folded
        doubles = []
        for key, value in self._items.items():
            name = fold_case(key)
            if name in folded:
                doubles.append(key)
            else:
                folded[name] = value
        for key in doubles:
            del self._items[key]

    def __getitem__(self, key: str) -> Value:
        items = self._items
        if key in items or self.case_sensitive:
            return items[key]
        return self._by_folded[fold_case(key)]

    def look_up(self, key: str) -> Value:
        """Return the value of `key`, None when there is none."""
        value = self._items.get(key)
        if value is None and not self.case_sensitive:
            return self._by_folded.get(fold_case(key))
        return value

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        return key in self._items or (not self.case_sensitive and fold_case(key) in self._by_folded)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"ObjectValue({self._items!r})"


Value = None | bool | float | str | ArrayValue | ObjectValue


def to_value(data: object, *, untrusted: bool = False, case_sensitive: bool = False) -> Value:
    """Return the value that plain data stands for, deep.

    Args:
        data: None, bool, int, float, str, list, tuple, mapping, or a Value.
        untrusted: mark each string, keys included, as controlled by an outsider.
        case_sensitive: of the outermost object only.

    Raises:
        ExpressionError: `data` is nested deeper than 100 levels.
        TypeError: `data` holds anything else.
    """
    return _to_value(data, untrusted, case_sensitive, DEFAULT_LIMITS.data_depth)


def _to_value(data: object, untrusted: bool, case_sensitive: bool, levels: int) -> Value:
    if levels < 0:
        raise ExpressionError(f"the value is nested deeper than {DEFAULT_LIMITS.data_depth} levels")
    match data:
        case None | bool() | float():
            return data
        case str():
            return Untrusted(data) if untrusted else data
        case int():
            return _to_float(data)
        case ObjectValue() | ArrayValue() if not (untrusted or case_sensitive):
            return data
        case Mapping():
            pairs = ((str(key), _to_value(item, untrusted, False, levels - 1)) for key, item in data.items())
            named = ((Untrusted(key) if untrusted else key, item) for key, item in pairs)
            return ObjectValue(named, case_sensitive=case_sensitive)
        case list() | tuple() | ArrayValue():
            return ArrayValue(_to_value(item, untrusted, False, levels - 1) for item in data)
        case _:
            raise TypeError(f"{type(data).__name__} is no value of the expression language")


def _to_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def to_plain(value: Value) -> object:
    """Return JSON-able data: whole numbers as int, NaN and the infinities as their names."""
    match value:
        case None | bool():
            return value
        case float():
            if not math.isfinite(value):
                return format_number(value)
            return int(value) if value.is_integer() else value
        case str():
            return str(value)
        case ArrayValue():
            return [to_plain(item) for item in value]
        case ObjectValue():
            return {str(key): to_plain(item) for key, item in value.items()}


def is_untrusted(value: Value) -> bool:
    """Return whether an outsider controls any string in `value`, keys included."""
    waiting: list[Value] = [value]
    while waiting:
        current = waiting.pop()
        match current:
            case Untrusted():
                return True
            case ArrayValue():
                waiting.extend(current)
            case ObjectValue():
                waiting.extend(current.keys())
                waiting.extend(current.values())
            case _:
                pass
    return False


def keep_trust(text: str, untrusted: bool) -> str:
    """Return `text`, marked when it was computed from something that an outsider controls."""
    return Untrusted(text) if untrusted else text
