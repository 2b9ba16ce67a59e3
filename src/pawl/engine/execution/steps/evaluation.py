"""Evaluating what a step says, with the contexts and functions it may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from pawl.core.diagnostics import has_errors
from pawl.core.expressions import ExpressionError, Template, Value, evaluate, is_truthy, parse_template
from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.core.planning.render import as_bool, as_number, as_text, as_text_map, render_json

Functions = Mapping[str, Callable[..., Value]]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Evaluates templates and conditions. All faults of the user's text are UsageErrors."""

    contexts: Mapping[str, Value]
    functions: Functions

    def with_contexts(self, **contexts: Value) -> Evaluator:
        """Return one in which these contexts replace those of the same name."""
        return replace(self, contexts={**self.contexts, **contexts})

    def with_functions(self, functions: Functions) -> Evaluator:
        """Return one in which these functions replace those of the same name."""
        return replace(self, functions={**self.functions, **functions})

    def condition(self, effective: str) -> tuple[bool, tuple[str, ...]]:
        """Return whether a condition holds, and its trace, a line for each sub-expression.

        Raises:
            ExpressionError: it cannot be evaluated.
        """
        evaluation = evaluate(effective, self.contexts, functions=self.functions)
        return is_truthy(evaluation.value), tuple(evaluation.trace.lines())

    def text(self, template: Json, *, where: str = "the field") -> str:
        """Return the text that a scalar stands for; Untrusted where an outsider had a hand in it.

        Raises:
            UsageError: it cannot be evaluated, or is no text.
        """
        with _as_usage_error(where):
            return as_text(self._rendered(template), f"`{where}`")

    def data(self, data: Json, *, where: str) -> Json:
        """Return plain data with every template in it evaluated; texts keep their marks of distrust.

        Raises:
            UsageError: a template cannot be evaluated, or the data is nested too deep.
        """
        with _as_usage_error(where):
            return self._rendered(data)

    def mapping(self, data: Json, *, where: str) -> dict[str, str]:
        """Return a mapping of texts (`env`, `with`), itself perhaps one expression; None is empty.

        Raises:
            UsageError: it is no mapping, or a value of it is a list or mapping.
        """
        with _as_usage_error(where):
            return as_text_map(self._rendered(data), f"`{where}`")

    def truth(self, data: Json, *, where: str) -> bool:
        """Return a boolean field; the texts `true` and `false` stand for booleans, None is false.

        Raises:
            UsageError: it is no boolean.
        """
        with _as_usage_error(where):
            return as_bool(self._rendered(data), f"`{where}`")

    def seconds(self, data: Json, *, where: str) -> float | None:
        """Return a number of minutes in seconds; None where the field is absent or not above 0.

        Zero and less set no limit (actions/runner, StepsRunner.cs).

        Raises:
            UsageError: it is no number.
        """
        with _as_usage_error(where):
            minutes = as_number(self._rendered(data), f"`{where}`")
        return minutes * 60 if minutes is not None and minutes > 0 else None

    def _rendered(self, data: Json) -> Json:
        return render_json(data, self.contexts, functions=self.functions)


@contextmanager
def _as_usage_error(where: str) -> Iterator[None]:
    try:
        yield
    except ExpressionError as error:
        raise UsageError(f"`{where}` cannot be used: {error}") from error


@lru_cache(maxsize=1024)
def template_of(text: str) -> Template:
    """Return a scalar taken apart.

    Raises:
        ExpressionError: it has a fault of syntax.
    """
    template, diagnostics = parse_template(text)
    if has_errors(diagnostics):
        raise ExpressionError(diagnostics[0].message)
    return template


async def settle(call: Callable[[], _T], *sources: Json) -> _T:
    """Return `call()`, made in a thread when a source mentions `hashFiles`, which reads the workspace."""
    if any(_mentions(source, "hashfiles") for source in sources):
        return await asyncio.to_thread(call)
    return call()


def _mentions(data: Json, word: str) -> bool:
    match data:
        case str():
            return word in data.lower()
        case list():
            return any(_mentions(item, word) for item in data)
        case dict():
            return any(_mentions(item, word) for item in data.values())
        case _:
            return False
