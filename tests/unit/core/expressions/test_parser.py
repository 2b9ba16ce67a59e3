"""Text to tree: grammar, places, limits."""

from __future__ import annotations

import pytest

from pawl.core.diagnostics import Position, Span
from pawl.core.expressions import Limits, parse_expression
from pawl.core.expressions.nodes import Comparison, Logical, Not


def fault(text: str) -> tuple[str, Span, str]:
    expression, diagnostics = parse_expression(text)
    assert expression is None
    (diagnostic,) = diagnostics
    return diagnostic.code, diagnostic.span, diagnostic.message


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("!a == b", "!a == b"),
        ("!(a == b)", "!(a == b)"),
        ("a || b && c", "a || (b && c)"),
        ("(a || b) && c", "(a || b) && c"),
        ("a && b && c", "a && b && c"),
        ("(a && b) && (c && d)", "a && b && c && d"),
        ("a < b == c", "(a < b) == c"),
        ("a == b < c", "a == (b < c)"),
        ("1 < 2 < 3", "(1.0 < 2.0) < 3.0"),
        ("a.b[0].*['c-d']['e f']", "a.b[0.0].*.c-d['e f']"),
        ("a[*].b", "a.*.b"),
        ("f ( x , g() )", "f(x, g())"),
        ("a. b .c", "a.b.c"),
        ("'it''s'", "'it''s'"),
        ("a == !b", "a == !b"),
        ("a.true.null", "a.true.null"),
        ("   ", "null"),
    ],
)
def test_precedence_and_shape(text: str, printed: str) -> None:
    expression, diagnostics = parse_expression(text)
    assert diagnostics == ()
    assert expression is not None
    again, _ = parse_expression(printed)
    assert again is not None
    assert expression.root == again.root


def test_not_binds_tighter_than_comparison() -> None:
    expression, _ = parse_expression("!a == b")
    assert expression is not None
    assert isinstance(expression.root, Comparison)
    assert isinstance(expression.root.left, Not)


def test_a_chain_is_one_node_whose_span_covers_its_groups() -> None:
    expression, _ = parse_expression("(a && b) && c")
    assert expression is not None
    assert isinstance(expression.root, Logical)
    assert len(expression.root.operands) == 3
    assert (expression.root.start, expression.root.end) == (0, 13)


@pytest.mark.parametrize(
    ("text", "span", "message"),
    [
        ("a ==", Span.at(1, 5, 0), "the expression ends where a value was expected"),
        ("a b", Span.at(1, 3), "unexpected `b`: expected an operator or the end"),
        ("a.", Span.at(1, 3, 0), "the expression ends where a property name or `*` was expected"),
        ("a.1", Span.at(1, 3), "unexpected `1`: expected a property name or `*`"),
        ("(a", Span.at(1, 1), "`(` is not closed"),
        ("a)", Span.at(1, 2), "unexpected `)`: nothing is open that it would close"),
        ("a[1)", Span.at(1, 4), "unexpected `)`: nothing is open that it would close"),
        ("(a, b)", Span.at(1, 3), "unexpected `,`: only the arguments of a call are separated by it"),
        ("a[*.b]", Span.at(1, 4), "unexpected `.`: expected `]`"),
        ("f(a,)", Span.at(1, 5), "unexpected `)`: expected a value"),
        ("'x", Span.at(1, 1, 2), "the string is not closed: expected `'`"),
        ("'x'.y", Span.at(1, 4), "unexpected `.`: expected an operator or the end"),
        ("1 + 1", Span.at(1, 3), "unexpected `+`: expected an operator or the end"),
        ("\n  a b", Span.at(2, 5), "unexpected `b`: expected an operator or the end"),
    ],
)
def test_a_fault_says_what_was_found_and_expected(text: str, span: Span, message: str) -> None:
    assert fault(text) == ("expression-syntax", span, message)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a = b", "did you mean `==`?"),
        ("a & b", "did you mean `&&`?"),
        ('a == "b"', "strings stand in single quotes"),
    ],
)
def test_usual_slips_get_a_hint(text: str, hint: str) -> None:
    _, (diagnostic,) = parse_expression(text)
    assert diagnostic.hint == hint


def test_places_count_from_the_start_given() -> None:
    _, (diagnostic,) = parse_expression("  a b", start=Position(7, 11))
    assert diagnostic.span == Span.at(7, 15)


def test_a_caller_may_map_offsets_itself() -> None:
    _, (diagnostic,) = parse_expression("  a b", locate=lambda offset: Position(offset, 1))
    assert diagnostic.span == Span(Position(4, 1), Position(5, 1))


def test_length_counts_without_blanks_around() -> None:
    within = "'" + "x" * 20_998 + "'"
    assert parse_expression(f"  {within}  ")[1] == ()
    assert fault(within + " || a")[0] == "expression-too-long"


@pytest.mark.parametrize("form", ["!{}", "a[{}]", "f({})", "({} == 1)"])
def test_depth_has_a_limit(form: str) -> None:
    text = "a"
    for _ in range(49):
        text = form.format(text)
    assert parse_expression(text)[1] == ()
    assert fault(form.format(text))[0] == "expression-too-deep"


def test_parentheses_do_not_count_as_depth() -> None:
    assert parse_expression("(" * 3000 + "a" + ")" * 3000)[1] == ()


def test_long_chains_do_not_count_as_depth() -> None:
    expression, _ = parse_expression(" && ".join("a" * 4000))
    assert expression is not None
    assert expression.root.depth == 2


def test_limits_may_be_tightened() -> None:
    assert parse_expression("a.b.c", limits=Limits(depth=2))[1][0].code == "expression-too-deep"
    assert parse_expression("a.b.c", limits=Limits(length=4))[1][0].code == "expression-too-long"
