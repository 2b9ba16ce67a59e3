"""Reading events back from plain data: the other half of `run_events.to_json`."""

from __future__ import annotations

import dataclasses
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
        kind = _KINDS[str(told["type"])]
        hints = typing.get_type_hints(kind)
        fields: dict[str, typing.Any] = {
            field.name: _value(hints[field.name], told[field.name])
            for field in dataclasses.fields(kind)
            if field.name in told
        }
        return kind(**fields)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


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
