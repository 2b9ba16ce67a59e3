"""JSON text as toJSON writes and fromJSON reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from pawl.core.expressions.coercion import to_text
from pawl.core.expressions.failure import ExpressionError
from pawl.core.expressions.limits import Limits
from pawl.core.expressions.values import ArrayValue, ObjectValue, Untrusted, Value, to_value

_ESCAPED = re.compile('[\\x00-\\x1f"\\\\\\x85\\u2028\\u2029\\ud800-\\udfff]')
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_STRUCTURE = re.compile(r'"|\\.|[\[\]{},]', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_HIGH, _LOW, _LAST = 0xD800, 0xDC00, 0xDFFF
_DEEPEST_INDENT = 2 * 200
_SURROGATE = re.compile("[\ud800-\udfff]")


def write_json(value: Value, write: Callable[[str], None], indent: int = 0) -> None:
    """Write `value` piece by piece: two blanks a level, line feeds between.

    Source: actions/runner Functions/ToJson.cs; strings are escaped as Newtonsoft.Json does. Recursion is
    bounded.
    """
    if indent > _DEEPEST_INDENT:
        raise ExpressionError(f"toJSON: nested deeper than {_DEEPEST_INDENT // 2} levels")
    match value:
        case ArrayValue() | ObjectValue() if not value:
            write("[]" if isinstance(value, ArrayValue) else "{}")
        case ArrayValue():
            opening = "["
            for item in value:
                write(f"{opening}\n{' ' * (indent + 2)}")
                write_json(item, write, indent + 2)
                opening = ","
            write(f"\n{' ' * indent}]")
        case ObjectValue():
            opening = "{"
            for key, item in value.items():
                write(f"{opening}\n{' ' * (indent + 2)}{_quoted(key)}: ")
                write_json(item, write, indent + 2)
                opening = ","
            write(f"\n{' ' * indent}}}")
        case str():
            write(_quoted(value))
        case None:
            write("null")
        case _:
            write(to_text(value))


def _quoted(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def read_json(text: str, limits: Limits) -> Value:
    """Return the value that JSON `text` stands for; untrusted when the text is.

    Strict JSON as actions/runner Functions/JsonParser.cs reads it: no comments, trailing commas, NaN.

    Raises:
        ExpressionError: the text is no JSON, is nested too deeply, or holds too many values.
    """
    _check_size(text, limits)
    try:
        data = json.loads(text, parse_int=float, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ExpressionError(f"fromJSON: not valid JSON: {_reason(error)}") from None
    return to_value(data, untrusted=isinstance(text, Untrusted))


def _check_size(text: str, limits: Limits) -> None:
    depth = elements = 0
    quoted = False
    if _SURROGATE.search(text) or _has_half_pair(text):
        raise ExpressionError("fromJSON: the text holds half a surrogate pair")
    for match in _STRUCTURE.finditer(text):
        mark = match.group()
        if mark == '"':
            quoted = not quoted
        elif quoted or mark[0] == "\\":
            continue
        elif mark in "[{":
            depth += 1
            elements += 1
            if depth > limits.data_depth:
                raise ExpressionError(f"fromJSON: nested deeper than {limits.data_depth} levels")
        elif mark in "]}":
            depth -= 1
        else:
            elements += 1
        if elements > limits.elements:
            raise ExpressionError(f"fromJSON: more than {limits.elements:,} values")


def _has_half_pair(text: str) -> bool:
    """Return whether an escaped surrogate stands alone; such a text could not be written as UTF-8."""
    low_expected_at = None
    for match in _ESCAPE.finditer(text):
        unit = int(match[1], 16) if match[1] else 0
        is_low = _LOW <= unit <= _LAST
        if is_low != (match.start() == low_expected_at):
            return True
        low_expected_at = match.end() if _HIGH <= unit < _LOW else None
        if low_expected_at is not None and text[low_expected_at : low_expected_at + 1] != "\\":
            return True
    return False


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error)
