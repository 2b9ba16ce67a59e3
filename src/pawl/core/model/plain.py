"""Frozen dataclasses as plain JSON-able data and back, exactly, read off their type annotations.

Numbers that JSON lacks (not a number, the infinities) are written as `{"$number": "nan"}`; a mapping of the
user's own that looks like that is written as `{"$mapping": [[key, value], ...]}`, so nothing is lost.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json

T = TypeVar("T")

_FREE = {"Json", "dict[str, Json]", "Mapping[str, object]"}
"""Annotations whose values are data of the user's own, kept as they are."""

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
"""Types of most values, told first: plans and states are written many times in a run."""

_NUMBER = "$number"
_MAPPING = "$mapping"


def to_plain(value: object) -> Json:
    """Return a dataclass, or anything its fields may hold, as plain data."""
    if type(value) in _AS_THEY_ARE:
        return value  # type: ignore[return-value]  # - its type says that it is
    match value:
        case Enum():
            return str(value.value)
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case float():
            return value if math.isfinite(value) else {_NUMBER: str(value)}
        case list() | tuple():
            return [to_plain(item) for item in value]
        case frozenset():
            return [*sorted(str(item) for item in value)]
        case Mapping():
            return _mapping_to_plain(value)
        case _ if dataclasses.is_dataclass(value):
            kind: Any = type(value)
            return {plain: to_plain(getattr(value, name)) for plain, name in _plain_names(kind)}
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be stored")


@lru_cache(maxsize=256)
def _plain_names(kind: Any) -> tuple[tuple[str, str], ...]:
    """Return the fields of a dataclass: how each is stored, and its name."""
    return tuple((_plain_name(field.name), field.name) for field in dataclasses.fields(kind))


def _plain_name(field: str) -> str:
    """Return a field's name without the underscore that keeps it from being a Python keyword (`with_`)."""
    return field.rstrip("_")


def _mapping_to_plain(value: Mapping[Any, object]) -> Json:
    if _NUMBER in value or _MAPPING in value:
        return {_MAPPING: [[str(key), to_plain(item)] for key, item in value.items()]}
    return {str(key): to_plain(item) for key, item in value.items()}


def from_plain(kind: type[T], data: Json, where: str, *, strict: bool = True) -> T:
    """Return the dataclass `kind` that `to_plain` made `data` of.

    Args:
        kind: a dataclass.
        data: what was stored.
        where: what it is, for the message.
        strict: whether a field that `kind` lacks is an error; else it is left out, at every level.

    Raises:
        UsageError: the data does not have that shape.
    """
    try:
        hashable: Any = kind
        value = _reader(hashable, strict)(data)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(f"this is not a stored {where}: {error}") from error
    if not isinstance(value, kind):
        raise UsageError(f"this is not a stored {where}")
    return value


def _free(data: Any) -> Any:
    """Return data of the user's own."""
    if isinstance(data, list):
        return [_free(item) for item in data]
    if isinstance(data, dict):
        if set(data) == {_NUMBER}:
            return float(data[_NUMBER])
        if set(data) == {_MAPPING}:
            return {key: _free(item) for key, item in data[_MAPPING]}
        return {key: _free(item) for key, item in data.items()}
    return data


@lru_cache(maxsize=256)
def _reader(kind: Any, strict: bool) -> Callable[[Any], Any]:
    """Return the function that reads a value of the annotation `kind`."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_reader(kind, strict)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType or origin is typing.Union:
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        read = _reader(inner, strict)
        return lambda data: None if data is None else read(data)
    if origin is tuple:
        read = _reader(arguments[0], strict)
        return lambda data: tuple(read(item) for item in _checked(list, data))
    if origin is frozenset:
        return lambda data: frozenset(_checked(list, data))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        read_key, read_item = _reader(arguments[0], strict), _reader(arguments[1], strict)
        return lambda data: {read_key(key): read_item(item) for key, item in _pairs(data)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _scalar_reader(kind)


def _scalar_reader(kind: Any) -> Callable[[Any], Any]:
    kind = getattr(kind, "__supertype__", kind)
    if typing.get_origin(kind) is typing.Literal:
        allowed = typing.get_args(kind)
        return lambda data: allowed[allowed.index(data)]
    if kind is float:
        return lambda data: _free(data) if isinstance(data, dict) else float(data)
    return lambda data: _checked(kind, data)


def _pairs(data: Any) -> list[tuple[Any, Any]]:
    if isinstance(data, dict) and set(data) == {_MAPPING}:
        return [(key, item) for key, item in data[_MAPPING]]
    return list(_checked(dict, data).items())


def _checked(kind: Any, data: Any) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise TypeError(f"expected {kind.__name__}, found {type(data).__name__}")
    return data


def _dataclass_reader(kind: type, strict: bool) -> Callable[[Any], Any]:
    annotations = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    names = {_plain_name(name): name for name in annotations}
    readers: dict[str, Callable[[Any], Any]] = {
        name: _free for name, annotation in annotations.items() if annotation in _FREE
    }

    def read(data: Any) -> Any:
        if len(readers) < len(annotations):
            # Only now, because a class may hold itself.
            hints = typing.get_type_hints(kind)
            missing = annotations.keys() - readers.keys()
            readers.update({name: _reader(hints[name], strict) for name in missing})
        found = _checked(dict, data)
        unknown = found.keys() - names.keys()
        if unknown and strict:
            raise ValueError(f"unknown field {min(unknown)}")
        known = ((names[name], item) for name, item in found.items() if name in names)
        return kind(**{name: readers[name](item) for name, item in known})

    return read
