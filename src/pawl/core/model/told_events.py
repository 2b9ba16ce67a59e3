"""Reading events back from plain data: the other half of `run_events.to_json`."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing

from pawl.core.model import run_events
from pawl.core.model.plan import Json
from pawl.core.model.run_events import RunEvent

_KINDS: dict[str, type[RunEvent]] = {run_events.type_name(kind): kind for kind in typing.get_args(RunEvent)}


def from_json(told: Json) -> RunEvent | None:
    """Return the event that `to_json` wrote as `told`; None for one of a later version, or for no event."""
    if not isinstance(told, dict):
        return None
    try:
        kind, hints = _known(str(told["type"]))
        fields: dict[str, typing.Any] = {
            name: _value(hint, told[name]) for name, hint in hints if name in told
        }
        return kind(**fields)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@functools.cache
def _known(name: str) -> tuple[type[RunEvent], tuple[tuple[str, typing.Any], ...]]:
    """Return the kind of event with this name, and its fields with their types: finding these takes long."""
    kind = _KINDS[name]
    hints = typing.get_type_hints(kind)
    return kind, tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind))


def _value(hint: typing.Any, value: Json) -> object:
    """Return plain data as the type that a field's hint asks for."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.NewType):
        return _value(hint.__supertype__, value)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _value(arguments[0], value)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item) for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: _value(arguments[1], item) for key, item in value.items()}
    if hint is bytes:
        return str(value).encode("utf-8", "surrogatepass")
    if hint is float and isinstance(value, int):
        return float(value)
    if isinstance(hint, type) and not isinstance(value, hint):
        return hint(value)
    return value
