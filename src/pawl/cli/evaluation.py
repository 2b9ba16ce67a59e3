"""Evaluating what somebody typed: a bare expression or a text with `${{ }}`, in contexts made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pawl.cli.local_event import read_payload
from pawl.core.diagnostics import Diagnostic, Position, has_errors
from pawl.core.expressions import (
    Expression,
    ExpressionError,
    ObjectValue,
    Value,
    evaluate,
    parse_expression,
    parse_template,
    to_value,
)
from pawl.core.expressions.template import template_expression
from pawl.core.model.events import Event
from pawl.core.planning.conditions import job_functions
from pawl.core.planning.contexts import github_context, inputs_context, short_names, vars_context

_EMPTY = ("env", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value with how it came about."""

    value: Value
    lines: tuple[str, ...]
    traces: object


def read_contexts(file: Path | None, event: Event, variables: Mapping[str, str]) -> dict[str, Value]:
    """Return the contexts of a run of `event`; those in `file` replace the made-up ones of the same name.

    Raises:
        UsageError: the file cannot be read or holds no JSON object.
    """
    contexts: dict[str, Value] = {name: ObjectValue({}) for name in _EMPTY}
    inputs = dict(event.inputs)
    contexts |= {
        "github": github_context(event, path="workflow.yml", name="workflow", inputs=inputs),
        "inputs": inputs_context(inputs),
        "vars": vars_context(variables),
        **short_names(event),
    }
    given = read_payload(file) if file else {}
    return contexts | {name: to_value(data) for name, data in given.items()}


def evaluate_text(text: str, contexts: Mapping[str, Value]) -> tuple[Found | None, tuple[Diagnostic, ...]]:
    """Return the value of an expression or template, or None with what is wrong with it."""
    expression, diagnostics = _parse(text)
    if expression is None or has_errors(diagnostics):
        return None, diagnostics
    functions = job_functions({}, cancelled=False)
    try:
        evaluation = evaluate(expression, contexts, functions=functions)
    except ExpressionError as error:
        return None, (error.diagnostic(lambda offset: Position(1, offset + 1)),)
    lines = tuple(evaluation.trace.lines())
    return Found(value=evaluation.value, lines=lines, traces=evaluation.trace.to_plain()), diagnostics


def _parse(text: str) -> tuple[Expression | None, tuple[Diagnostic, ...]]:
    if "${{" not in text:
        return parse_expression(text)
    template, diagnostics = parse_template(text, start=Position(1, 1))
    return template_expression(template), diagnostics
