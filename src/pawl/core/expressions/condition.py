"""The texts of `if:` (language.md rules 20-23; actions/languageservices if-condition.ts)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pawl.core.diagnostics import Diagnostic, Position, Severity, Span, has_errors
from pawl.core.expressions.evaluate import Evaluation, evaluate
from pawl.core.expressions.failure import Locate
from pawl.core.expressions.functions import STATUS_FUNCTIONS
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.locate import locate_from, pieced, shifted
from pawl.core.expressions.nodes import Call, Expression, Literal, walk
from pawl.core.expressions.parser import parse_expression
from pawl.core.expressions.run import Function
from pawl.core.expressions.template import OPEN, Template, parse_template, template_expression
from pawl.core.expressions.text_rules import BLANKS, fold_case
from pawl.core.expressions.values import Value

_START = Position(1, 1)
_BEFORE = "success() && ("
_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What decides whether a job or step runs.

    Attributes:
        text: as written.
        effective: the text of the expression that is really evaluated.
        expression: `effective` parsed, its parts knowing their places in the file; None when it is faulty.
        has_status_function: whether the text itself calls success, failure, cancelled or always.
        is_always_true: whether text around `${{ }}` makes it a string that is never empty.
    """

    text: str
    effective: str
    expression: Expression | None
    has_status_function: bool = False
    is_always_true: bool = False


def parse_condition(
    text: str,
    *,
    start: Position = _START,
    locate: Locate | None = None,
    implicit: str | None = "success()",
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Condition, tuple[Diagnostic, ...]]:
    """Return the condition that the value of an `if:` stands for, and what is wrong with it.

    Grammar only: names are checked by `check_expression(condition.expression, scope)`.

    Args:
        text: the value; empty stands for `implicit`.
        start: where `text` begins in the file.
        locate: maps an offset in `text` to its place, for values of several lines.
        implicit: `success()` for jobs and steps: also what must hold besides a condition without status
            function. Anything else (`always()` for pre-if and post-if) is only the default.
        limits: of the effective expression.
    """
    locate = locate or locate_from(start, text)
    if not text.strip(BLANKS):
        effective = implicit or "true"
        expression, found = parse_expression(effective, locate=lambda _: locate(0))
        return Condition(
            text=text, effective=effective, expression=expression, has_status_function=True
        ), found
    own, diagnostics, always_true = _own_expression(text, locate, limits)
    if own is None:
        return Condition(text=text, effective=text.strip(BLANKS), expression=None), diagnostics
    has_status = calls_status_function(own)
    is_guarded = not has_status and implicit == "success()"
    whole, found = _guarded(own, limits) if is_guarded else (own, ())
    condition = Condition(
        text=text,
        effective=whole.text if whole else own.text,
        expression=whole,
        has_status_function=has_status,
        is_always_true=always_true,
    )
    return condition, (*diagnostics, *found)


def _own_expression(
    text: str, locate: Locate, limits: Limits
) -> tuple[Expression | None, tuple[Diagnostic, ...], bool]:
    """Return the expression that the text alone stands for, findings, and whether it is always true."""
    if OPEN not in text:
        expression, found = parse_expression(text, locate=locate, limits=limits)
        return expression, found, False
    template, diagnostics = parse_template(text, locate=locate, limits=limits)
    if has_errors(diagnostics):
        return None, diagnostics, False
    expression = template_expression(template)
    if template.is_single_expression and expression is not None:
        return (*_unquoted(expression, limits), False)
    always_true = any(isinstance(part, str) for part in template.parts)
    return expression, (_not_a_condition(template, always_true),), always_true


def _unquoted(expression: Expression, limits: Limits) -> tuple[Expression | None, tuple[Diagnostic, ...]]:
    """Return what `${{ 'text' }}` stands for: GitHub reads it as `text`, which is the condition."""
    if not (isinstance(expression.root, Literal) and isinstance(expression.root.value, str)):
        return expression, ()
    inner = expression.root.value
    return parse_expression(inner or "success()", locate=shifted(expression.locate, 1), limits=limits)


def _not_a_condition(template: Template, always_true: bool) -> Diagnostic:
    if always_true:
        message = "this condition is always true: with text around `${{ }}` it is a string that is not empty"
    else:
        message = (
            "this condition is a string made of several `${{ }}`: it is true unless all of them are empty"
        )
    span = Span(template.locate(0), template.locate(len(template.text)))
    return Diagnostic(
        code="condition-always-true",
        message=message,
        span=span,
        severity=Severity.WARNING,
        hint="write the whole condition without `${{ }}`, or put one pair of braces around all of it",
    )


def _guarded(own: Expression, limits: Limits) -> tuple[Expression | None, tuple[Diagnostic, ...]]:
    text = f"{_BEFORE}{own.text})"
    pieces = [(0, 0, own.locate), (len(_BEFORE), len(own.text), own.locate)]
    # Only what the author wrote counts against the length.
    widened = Limits(length=limits.length + len(text) - len(own.text), depth=limits.depth)
    return parse_expression(text, locate=pieced(pieces), limits=widened)


def calls_status_function(expression: Expression) -> bool:
    """Return whether the tree, not the text, has a call to success, failure, cancelled or always."""
    return any(
        isinstance(node, Call) and fold_case(node.name) in STATUS_FUNCTIONS for node in walk(expression.root)
    )


def evaluate_condition(
    condition: Condition,
    contexts: Mapping[str, Value],
    *,
    functions: Mapping[str, Function] = _NO_FUNCTIONS,
    limits: Limits = DEFAULT_LIMITS,
) -> Evaluation:
    """Return the value of the effective expression, whose truth decides, with its trace.

    Raises:
        ExpressionError: it cannot be evaluated; for a step that fails the step (language.md rule 22).
    """
    expression = condition.expression if condition.expression is not None else condition.effective
    return evaluate(expression, contexts, functions=functions, limits=limits)
