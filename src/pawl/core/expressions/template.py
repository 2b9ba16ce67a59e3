"""Scalars with `${{ }}` in them (language.md rule 19; actions/languageservices template-reader.ts)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pawl.core.diagnostics import Diagnostic, Position
from pawl.core.expressions.coercion import to_text
from pawl.core.expressions.evaluate import evaluate, evaluate_within
from pawl.core.expressions.failure import ExpressionError, Locate, syntax_fault
from pawl.core.expressions.limits import DEFAULT_LIMITS, Limits
from pawl.core.expressions.locate import locate_from, pieced, shifted
from pawl.core.expressions.nodes import Expression
from pawl.core.expressions.parser import parse_expression
from pawl.core.expressions.run import Function, Run
from pawl.core.expressions.text_rules import BLANKS
from pawl.core.expressions.values import Untrusted, Value, keep_trust

OPEN = "${{"
CLOSE = "}}"
_START = Position(1, 1)
_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One `${{ }}` of a template.

    Attributes:
        expression: what stands between the braces.
        start, end: offsets of `${{` and just after `}}` in the template's text.
    """

    expression: Expression
    start: int
    end: int


Part = str | Embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A scalar taken apart.

    Attributes:
        text: as written.
        parts: literal texts (never empty, never two in a row) and expressions, in order.
        locate: maps an offset in `text` to its place in the file.
    """

    text: str
    parts: tuple[Part, ...]
    locate: Locate

    @property
    def embedded(self) -> tuple[Embedded, ...]:
        """The expressions with their places."""
        return tuple(part for part in self.parts if isinstance(part, Embedded))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions in order."""
        return tuple(part.expression for part in self.embedded)

    @property
    def has_expressions(self) -> bool:
        """Whether anything is to be evaluated."""
        return any(isinstance(part, Embedded) for part in self.parts)

    @property
    def is_single_expression(self) -> bool:
        """Whether the scalar is exactly one `${{ }}` and so keeps the type of its value."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Embedded)

    @property
    def expression(self) -> str | None:
        """The text of the equivalent bare expression; None for a text without expressions."""
        if not self.has_expressions:
            return None
        if self.is_single_expression:
            return self.expressions[0].text
        return f"format({_format_literal(self)}{''.join(f', {item.text}' for item in self.expressions)})"


def parse_template(
    text: str,
    *,
    start: Position | None = None,
    locate: Locate | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Template, tuple[Diagnostic, ...]]:
    """Return the scalar taken apart, and everything that is wrong with it.

    A faulty `${{ }}` is left out of the parts, so a template with diagnostics must not be rendered.

    Args:
        text: the scalar's value.
        start: where the value begins in the file, for scalars on one line.
        locate: maps an offset in `text` to its place, for all others.
        limits: of each expression, and of the whole as one `format(...)`.
    """
    locate = locate or locate_from(start or _START, text)
    if len(text) > limits.length and text.count(OPEN) > 1:
        # Whatever stands in it, the whole is too long; taking apart a megabyte of braces would be slow.
        return Template(text=text, parts=(text,), locate=locate), (
            _too_long(text, text, limits).diagnostic(locate),
        )
    parts: list[Part] = []
    diagnostics: list[Diagnostic] = []
    offset = 0
    while (opened := text.find(OPEN, offset)) >= 0:
        if opened > offset:
            parts.append(text[offset:opened])
        closed = _closing(text, opened + len(OPEN))
        if closed is None:
            diagnostics.append(_not_closed(text, opened).diagnostic(locate))
            return Template(text=text, parts=tuple(parts), locate=locate), tuple(diagnostics)
        offset = closed + len(CLOSE)
        expression, found = _parse_inner(text, opened, closed, locate, limits)
        diagnostics.extend(found)
        if expression is not None:
            parts.append(Embedded(expression=expression, start=opened, end=offset))
    if offset < len(text):
        parts.append(text[offset:])
    template = Template(text=text, parts=tuple(parts), locate=locate)
    if not diagnostics:
        diagnostics.extend(_whole_faults(template, limits))
    return template, tuple(diagnostics)


def _closing(text: str, offset: int) -> int | None:
    """Return the offset of the `}}` that closes; one inside quotes does not."""
    close = text.find(CLOSE, offset)
    while close >= 0:
        quote = text.find("'", offset, close)
        if quote < 0:
            return close
        offset = text.find("'", quote + 1) + 1
        if offset == 0:
            return None
        if offset > close:
            close = text.find(CLOSE, offset)
    return None


def _not_closed(text: str, opened: int) -> ExpressionError:
    inner = text[opened:]
    hint = "`}}` inside single quotes does not close" if CLOSE in inner else None
    return syntax_fault("`${{` is not closed: expected `}}`", opened, len(OPEN), hint=hint)


def _parse_inner(
    text: str, opened: int, closed: int, locate: Locate, limits: Limits
) -> tuple[Expression | None, tuple[Diagnostic, ...]]:
    begin = opened + len(OPEN)
    inner = text[begin:closed]
    if not inner.strip(BLANKS):
        fault = syntax_fault("an expression was expected between `${{` and `}}`", opened, closed + 2 - opened)
        return None, (fault.diagnostic(locate),)
    return parse_expression(inner, locate=shifted(locate, begin), limits=limits)


def _whole_faults(template: Template, limits: Limits) -> list[Diagnostic]:
    """Return the findings about the scalar as the one expression that it is equivalent to."""
    whole = template.expression
    if whole is None or template.is_single_expression:
        return []
    faults: list[ExpressionError] = []
    if len(whole) > limits.length:
        faults.append(_too_long(whole, template.text, limits))
    for part in template.embedded:
        if part.expression.root.depth >= limits.depth:
            message = f"the expression is nested deeper than {limits.depth - 1} levels inside a text"
            code = "expression-too-deep"
            faults.append(syntax_fault(message, part.start, part.end - part.start, code=code))
    return [fault.diagnostic(template.locate) for fault in faults]


def _too_long(whole: str, written: str, limits: Limits) -> ExpressionError:
    message = f"text and expressions have {len(whole):,} characters; at most {limits.length:,} are allowed"
    return syntax_fault(message, 0, len(written), code="expression-too-long")


def _format_literal(template: Template) -> str:
    pieces: list[str] = []
    number = 0
    for part in template.parts:
        if isinstance(part, Embedded):
            pieces.append(f"{{{number}}}")
            number += 1
        else:
            pieces.append(part.replace("'", "''").replace("{", "{{").replace("}", "}}"))
    return f"'{''.join(pieces)}'"


def template_expression(template: Template) -> Expression | None:
    """Return the equivalent bare expression, its parts knowing their places; None without expressions."""
    text = template.expression
    if text is None or template.is_single_expression:
        return template.expressions[0] if text is not None else None
    literal = _format_literal(template)
    offset = len("format(") + len(literal)
    pieces: list[tuple[int, int, Locate]] = [(0, 0, template.locate)]
    for expression in template.expressions:
        offset += len(", ")
        pieces.append((offset, len(expression.text), expression.locate))
        offset += len(expression.text)
    whole, _ = parse_expression(
        text, locate=pieced(pieces), limits=Limits(length=len(text), depth=DEFAULT_LIMITS.depth + 1)
    )
    return whole


def render(
    template: Template,
    contexts: Mapping[str, Value],
    *,
    functions: Mapping[str, Function] = _NO_FUNCTIONS,
    limits: Limits = DEFAULT_LIMITS,
) -> Value:
    """Return the scalar's value: of any type if it is a single expression, otherwise a string.

    The string is Untrusted when any value in it is.

    Raises:
        ExpressionError: an expression cannot be evaluated, or the text grows beyond the limits.
    """
    if template.is_single_expression:
        return evaluate(
            template.expressions[0], contexts, functions=functions, limits=limits, trace=False
        ).value
    made: list[str] = []
    untrusted = False
    run = Run(contexts, functions, limits)
    for part in template.parts:
        text = part if isinstance(part, str) else to_text(evaluate_within(part.expression, run))
        run.produce(len(text))
        untrusted = untrusted or isinstance(text, Untrusted)
        made.append(text)
    return keep_trust("".join(made), untrusted)
