"""The texts of `if:`."""

from __future__ import annotations

import pytest

from pawl.core.diagnostics import Position, Severity, Span
from pawl.core.expressions import SCOPES, check_expression, evaluate_condition, parse_condition

FUNCTIONS = {
    "success": lambda: True,
    "always": lambda: True,
    "failure": lambda: False,
    "cancelled": lambda: False,
}


@pytest.mark.parametrize(
    ("text", "effective"),
    [
        ("", "success()"),
        ("  ", "success()"),
        ("x", "success() && (x)"),
        ("${{ x }}", "success() && (x)"),
        ("a || b", "success() && (a || b)"),
        ("!Cancelled()", "!Cancelled()"),
        ("a[always()]", "a[always()]"),
        ("contains(x, 'always()')", "success() && (contains(x, 'always()'))"),
        ("always", "success() && (always)"),
        ("github.always", "success() && (github.always)"),
        ("${{ failure() }} x", "format('{0} x', failure())"),
        ("${{ 'false' }}", "success() && (false)"),
        ("${{ '' }}", "success()"),
    ],
)
def test_effective_expression(text: str, effective: str) -> None:
    condition, diagnostics = parse_condition(text)
    assert not [item for item in diagnostics if item.severity is Severity.ERROR]
    assert condition.effective == effective
    assert condition.expression is not None
    assert condition.expression.text == effective


def test_text_around_braces_is_always_true_and_said_so() -> None:
    condition, (warning,) = parse_condition("${{ false }} && true", start=Position(3, 9))
    assert condition.is_always_true
    assert (warning.code, warning.severity, warning.span) == (
        "condition-always-true",
        Severity.WARNING,
        Span.at(3, 9, 20),
    )
    assert evaluate_condition(condition, {}, functions=FUNCTIONS).value == "false && true"


def test_several_braces_side_by_side_may_be_empty() -> None:
    condition, (warning,) = parse_condition("${{ null }}${{ '' }}")
    assert not condition.is_always_true
    assert warning.code == "condition-always-true"
    assert evaluate_condition(condition, {}, functions=FUNCTIONS).value == ""


def test_hooks_of_actions_have_another_default() -> None:
    condition, _ = parse_condition("", implicit="always()")
    assert condition.effective == "always()"
    plain, _ = parse_condition("x", implicit="always()")
    assert plain.effective == "x"


@pytest.mark.parametrize("text", ["a ==", "${{ }}", "${{ a", "success(", "x ${{ a b }}"])
def test_faulty_conditions_have_no_expression(text: str) -> None:
    condition, diagnostics = parse_condition(text)
    assert condition.expression is None
    assert diagnostics[0].code == "expression-syntax"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("githb.x", 5),
        ("  githb.x", 7),
        ("${{ githb.x }}", 9),
        ("a ${{ githb.x }} b", 11),
        ("${{ 'githb' }}", 10),
    ],
)
def test_checks_of_the_effective_expression_point_at_the_text(text: str, column: int) -> None:
    condition, _ = parse_condition(text, start=Position(2, 5))
    assert condition.expression is not None
    (found,) = check_expression(condition.expression, SCOPES["step-if"])
    assert found.span == Span.at(2, column, len("githb"))


def test_the_implicit_guard_does_not_count_against_the_length() -> None:
    text = "'" + "x" * 20_998 + "'"
    condition, diagnostics = parse_condition(text)
    assert diagnostics == ()
    assert condition.expression is not None
