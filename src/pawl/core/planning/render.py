"""Templates in data: rendering a whole field, and giving the result the type the field needs.

Source: actions/runner, TemplateEvaluator.cs (a mapping may be one expression, `${{ insert }}` merges one) and
the Assert calls of WorkflowTemplateConverter.cs. Strings of the result keep their taint (M8).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NewType

from pawl.core.diagnostics import has_errors
from pawl.core.expressions import (
    ArrayValue,
    ExpressionError,
    ObjectValue,
    Template,
    Untrusted,
    Value,
    parse_template,
    render,
    to_text,
    to_value,
)
from pawl.core.expressions.nodes import Call, Context, walk
from pawl.core.expressions.text_rules import fold_case, format_number, parse_number
from pawl.core.model.plan import Json
from pawl.core.planning.limits import DEFAULT_LIMITS, PlanLimits

Functions = Mapping[str, Callable[..., Value]]
Contexts = Mapping[str, Value]

_OPEN = "${{"
_INSERT = "insert"
_NO_FUNCTIONS: Functions = {}

Size = NewType("Size", int)


@lru_cache(maxsize=4096)
def _template(text: str) -> Template:
    template, diagnostics = parse_template(text)
    if has_errors(diagnostics):
        raise ExpressionError(diagnostics[0].message, kind="syntax", code=diagnostics[0].code)
    return template


class _Renderer:
    """One rendering with its budget."""

    def __init__(self, contexts: Contexts, functions: Functions, limits: PlanLimits) -> None:
        self._contexts = contexts
        self._functions = functions
        self._limits = limits
        self._left = limits.rendered_bytes

    def json(self, data: Json, depth: int = 0) -> Json:
        if depth > self._limits.depth:
            raise ExpressionError(f"the data is nested deeper than {self._limits.depth} levels")
        match data:
            case str():
                return self._spent(self._text(data))
            case list():
                return self._sequence(data, depth)
            case dict():
                return self._mapping(data, depth)
            case _:
                return data

    def _text(self, text: str) -> Json:
        if _OPEN not in text:
            return text
        return plain(render(_template(text), self._contexts, functions=self._functions))

    def _spent(self, made: Json) -> Json:
        stack = [made]
        while stack:
            item = stack.pop()
            self._left -= len(item) if isinstance(item, str) else 1
            if isinstance(item, list):
                stack += item
            elif isinstance(item, dict):
                self._left -= sum(map(len, item))
                stack += item.values()
        if self._left < 0:
            most = self._limits.rendered_bytes
            raise ExpressionError(f"the expressions make more than {most:,} characters")
        return made

    def _sequence(self, data: list[Json], depth: int) -> Json:
        """Return the list; an item that is an expression and makes a list is put in item by item.

        Source: actions/runner, TemplateUnraveler.cs, SequenceItemBasicExpression.
        """
        made: list[Json] = []
        for item in data:
            value = self.json(item, depth + 1)
            if isinstance(item, str) and isinstance(value, list):
                made += value
            else:
                made.append(value)
        return made

    def _mapping(self, data: dict[str, Json], depth: int) -> Json:
        made: dict[str, Json] = {}
        for key, value in data.items():
            if _OPEN not in key:
                made[key] = self.json(value, depth + 1)
            elif _is_insert(key):
                inserted = self.json(value, depth + 1)
                if not isinstance(inserted, dict):
                    raise ExpressionError(f"`{key}` inserts a mapping, found {describe(inserted)}")
                made.update(inserted)
            else:
                name = self._text(key)
                made[as_text(name, "a key")] = self.json(value, depth + 1)
        return made


def _is_insert(key: str) -> bool:
    inner = key.strip().removeprefix(_OPEN).removesuffix("}}").strip()
    return inner == _INSERT


def render_json(
    data: Json,
    contexts: Contexts,
    *,
    functions: Functions = _NO_FUNCTIONS,
    limits: PlanLimits = DEFAULT_LIMITS,
) -> Json:
    """Return `data` with every template in it rendered, deep; strings outsiders control are `Untrusted`.

    Raises:
        ExpressionError: a template cannot be parsed or evaluated, or makes too much.
    """
    return _Renderer(contexts, functions, limits).json(data)


def plain(value: Value) -> Json:
    """Return a value as JSON-able data that keeps its taint; numbers without fraction are int."""
    match value:
        case None | bool() | str():
            return value
        case float():
            if not math.isfinite(value):
                return format_number(value)
            return int(value) if value.is_integer() else value
        case ArrayValue():
            return [plain(item) for item in value]
        case ObjectValue():
            return {key: plain(item) for key, item in value.items()}


def templates_in(data: Json) -> Iterator[str]:
    """Yield every string of `data`, keys too, that holds an expression."""
    stack = [data]
    while stack:
        match item := stack.pop():
            case str() if _OPEN in item:
                yield item
            case list():
                stack += item
            case dict():
                stack += item.keys()
                stack += item.values()
            case _:
                pass


def contexts_used(data: Json) -> frozenset[str]:
    """Return the names, in lower case, of all contexts that templates in `data` look at.

    Raises:
        ExpressionError: a template cannot be parsed.
    """
    found = set()
    for text in templates_in(data):
        if _is_insert(text):
            continue
        for expression in _template(text).expressions:
            found |= {node.name.lower() for node in walk(expression.root) if isinstance(node, Context)}
    return frozenset(found)


def functions_used(data: Json) -> frozenset[str]:
    """Return the names, in lower case, of all functions that templates in `data` call.

    Raises:
        ExpressionError: a template cannot be parsed.
    """
    found = set()
    for text in templates_in(data):
        if _is_insert(text):
            continue
        for expression in _template(text).expressions:
            found |= {
                fold_case(node.name).lower() for node in walk(expression.root) if isinstance(node, Call)
            }
    return frozenset(found)


def describe(data: Json) -> str:
    """Return what kind of data it is, with a short value."""
    match data:
        case None:
            return "nothing"
        case bool():
            return f"the boolean `{to_text(data)}`"
        case int() | float():
            return f"the number `{to_text(to_value(data))}`"
        case str():
            return f"the text `{data[:60]}{'...' if len(data) > 60 else ''}`"
        case list():
            return "a list"
        case dict():
            return "a mapping"


def as_text(data: Json, what: str) -> str:
    """Return rendered data as text as GitHub writes it; `''` for nothing. Taint is kept.

    Raises:
        ExpressionError: it is a list or a mapping.
    """
    if isinstance(data, list | dict):
        raise ExpressionError(f"{what} must be a text, found {describe(data)}")
    return data if isinstance(data, str) else to_text(to_value(data))


def as_bool(data: Json, what: str, *, default: bool = False) -> bool:
    """Return rendered data as a boolean. Nothing and empty text are the default, `true`/`false` are read.

    Raises:
        ExpressionError: it is anything else.
    """
    if data is None or data == "":
        return default
    if isinstance(data, bool):
        return data
    if isinstance(data, str) and data.strip().lower() in {"true", "false"}:
        return data.strip().lower() == "true"
    raise ExpressionError(f"{what} must be true or false, found {describe(data)}")


def as_number(data: Json, what: str, *, default: float | None = None) -> float | None:
    """Return rendered data as a finite number, in the unit of the field; nothing is the default.

    Raises:
        ExpressionError: it is no number.
    """
    if data is None or data == "":
        return default
    if isinstance(data, int | float) and not isinstance(data, bool):
        number = float(data) if abs(data) < 10**15 else math.inf
    elif isinstance(data, str) and data.strip():
        number = parse_number(data)
    else:
        number = math.nan
    if not math.isfinite(number):
        raise ExpressionError(f"{what} must be a number, found {describe(data)}")
    return number


def as_text_map(data: Json, what: str) -> dict[str, str]:
    """Return rendered data as names and texts (an `env`, a `with`), in order. Taint is kept.

    Raises:
        ExpressionError: it is no mapping, or a value is a list or a mapping.
    """
    if data is None or data == "":
        return {}
    if not isinstance(data, dict):
        raise ExpressionError(f"{what} must be a mapping, found {describe(data)}")
    return {key: as_text(value, f"`{key}` of {what}") for key, value in data.items()}


def as_text_list(data: Json, what: str) -> list[str]:
    """Return rendered data as a list of texts; one text is a list of one, nothing is an empty list.

    Raises:
        ExpressionError: it is a mapping, or an item is a list or a mapping.
    """
    if data is None or data == "":
        return []
    if not isinstance(data, list):
        return [as_text(data, what)]
    return [as_text(item, f"an item of {what}") for item in data]


def is_tainted(data: Json) -> bool:
    """Return whether an outsider controls any text in rendered data."""
    stack = [data]
    while stack:
        match item := stack.pop():
            case Untrusted():
                return True
            case list():
                stack += item
            case dict():
                stack += item.keys()
                stack += item.values()
            case _:
                pass
    return False
