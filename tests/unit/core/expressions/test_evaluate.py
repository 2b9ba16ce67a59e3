"""Evaluation: binding of names, laziness, functions, budgets, errors with places, traces."""

from __future__ import annotations

from typing import Any

import pytest

from pawl.core.diagnostics import Position
from pawl.core.expressions import (
    ExpressionError,
    Limits,
    Untrusted,
    Value,
    evaluate,
    is_untrusted,
    parse_expression,
    to_plain,
    to_value,
)


def value_of(text: str, limits: Limits | None = None, **contexts: Any) -> object:
    values = {name: to_value(data) for name, data in contexts.items()}
    return to_plain(evaluate(text, values, limits=limits or Limits()).value)


def fault_of(text: str, limits: Limits | None = None, **contexts: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        value_of(text, limits, **contexts)
    return caught.value


@pytest.mark.parametrize(
    "text", ["nope", "false && nope.x", "true || f()", "case(true, 1, nope)", "contains(1)"]
)
def test_unknown_names_and_wrong_arity_are_errors_before_anything_is_evaluated(text: str) -> None:
    assert fault_of(text).kind == "syntax"


def test_names_ignore_letter_case() -> None:
    assert evaluate("GitHub.REF", {"github": to_value({"ref": "x"})}).value == "x"
    assert evaluate("Success()", {}, functions={"success": lambda: True}).value is True


def test_functions_get_values() -> None:
    seen: list[tuple[Value, ...]] = []

    def hash_files(*patterns: Value) -> Value:
        seen.append(patterns)
        return "0" * 64

    assert evaluate("hashFiles('a', 1)", {}, functions={"hashFiles": hash_files}).value == "0" * 64
    assert seen == [("a", 1.0)]


def test_an_error_of_a_function_gets_the_place_of_its_call() -> None:
    def refuse() -> Value:
        raise ExpressionError("no")

    expression, _ = parse_expression("true && refuse()", start=Position(3, 5))
    assert expression is not None
    with pytest.raises(ExpressionError, match="no") as caught:
        evaluate(expression, {}, functions={"refuse": refuse})
    assert caught.value.position == Position(3, 13)


def test_the_same_text_elsewhere_reports_its_own_place() -> None:
    for line in (1, 9):
        expression, _ = parse_expression("fromJSON('{')", start=Position(line, 1))
        assert expression is not None
        with pytest.raises(ExpressionError) as caught:
            evaluate(expression, {})
        assert caught.value.position == Position(line, 1)


@pytest.mark.parametrize(
    "text",
    [
        "false && fromJSON('{')",
        "true || fromJSON('{')",
        "case(true, 1, fromJSON('{'))",
        "contains(o, fromJSON('{'))",
        "format('x', fromJSON('{'))",
        "join(s, fromJSON('{'))",
        "startsWith(o, fromJSON('{'))",
    ],
)
def test_what_is_not_needed_is_not_evaluated(text: str) -> None:
    value_of(text, o={}, s="x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.*.b", [1, 2]),
        ("a[*].b[0]", []),
        ("(a.*.b)[0]", []),
        ("o.*.b", [3]),
        ("a.*.*", [1, 2, "s"]),
        ("n.*", []),
        ("s.*", []),
        ("a[1].b", 2),
        ("a['1'].b", 2),
        ("a[1.9].b", 2),
        ("a[-1]", None),
        ("a[9]", None),
        ("a['x']", None),
        ("a[o]", None),
        ("o[a]", None),
        ("o['P'].b", 3),
        ("s.x", None),
        ("n.x.y", None),
        ("a[true].b", 2),
        ("a[null].b", 1),
        ("a[2147483648]", None),
        ("a[Infinity]", None),
        ("a.*.c.d", []),
        ("t.*.*[0]", [[1]]),
    ],
)
def test_indexing(text: str, expected: object) -> None:
    contexts: dict[str, Any] = {
        "a": [{"b": 1}, {"b": 2}, {"c": "s"}],
        "o": {"p": {"b": 3}},
        "n": None,
        "s": "text",
        "t": [[[[1]]]],
    }
    assert value_of(text, **contexts) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("format('{0}{1}{0}', 'a', 'b')", "aba"),
        ("format('{{{0}}}', 1)", "{1}"),
        ("format('{0:}', 1)", "1"),
        ("format('{00}', 1)", "1"),
        (f"format('{{{'0' * 5000}}}', 1)", "1"),
        ("format('{{0}}', 1)", "{0}"),
        ("format('')", ""),
        ("join(a, '-')", "1-x-Array"),
        ("join(a)", "1,x,Array"),
        ("join(a, o)", "1,x,Array"),
        ("join('x', 'y')", "x"),
        ("join(o)", ""),
        ("toJSON(o)", '{\n  "k": "\\u0085\\u2028<é\\u0001\\n"\n}'),
        ("toJSON(a)", '[\n  1,\n  "x",\n  []\n]'),
        ('fromJSON(\'{"a":1,"A":2,"a":3}\').a', 3),
        ("fromJSON('1e999')", "Infinity"),
        ("contains('Hello', 'LL')", True),
        ("contains(a, 'X')", True),
        ("contains(a, '1')", True),
        ("contains(o, 'k')", False),
        ("endsWith('aß', 'SS')", False),
        ("case(false, 1, true, 2, 3)", 2),
        ("contains(123, 2)", True),
        ("startsWith(null, '')", True),
    ],
)
def test_functions(text: str, expected: object) -> None:
    assert value_of(text, a=[1, "x", []], o={"k": "\x85\u2028<é\x01\n"}) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format('{0')", "invalid at character 1"),
        ("format('}')", "invalid at character 1"),
        ("format('a{x}', 1)", "character 2"),
        ("format('{1}', 1)", "has no argument"),
        ("format('{256}', 1)", "invalid"),
        ("format('{0:x}', 1)", "specifiers"),
        ("format('{0:}}', 1)", "invalid"),
        ("format('{-1}', 1)", "invalid"),
        ("format('{9999999999999999}', 1)", "invalid"),
        (f"format('{{{'9' * 5000}}}', 1)", "invalid"),
        ("fromJSON('')", "not valid JSON"),
        ("fromJSON('[1,]')", "not valid JSON"),
        ("fromJSON('NaN')", "no JSON number"),
        ("fromJSON('[1] // c')", "not valid JSON"),
        ("fromJSON('\"\\ud800\"')", "surrogate"),
        ("case(1, 2, 3)", "true or false"),
    ],
)
def test_errors_of_functions(text: str, message: str) -> None:
    error = fault_of(text)
    assert (error.kind, error.offset) == ("evaluation", 0)
    assert message in error.message


def test_produced_text_has_a_limit() -> None:
    text = "'xxxxxxxxxx'"
    for _ in range(10):
        text = f"format('{{0}}{{0}}{{0}}{{0}}', {text})"
    assert "characters of text" in fault_of(text).message
    at_limit = Limits(characters=20)
    assert value_of("format('{0}{0}', s)", at_limit, s="x" * 10) == "x" * 20
    assert "characters of text" in fault_of("format('{0}{0}', s)", at_limit, s="x" * 11).message
    assert "characters of text" in fault_of("join(a)", at_limit, a=["x" * 10, "y" * 10]).message
    assert "characters of text" in fault_of("toJSON(a)", at_limit, a=["x" * 20]).message


def test_work_has_a_limit() -> None:
    few = Limits(steps=50)
    assert value_of("contains(a, 1)", few, a=[0] * 40) is False
    assert "steps" in fault_of("contains(a, 1)", few, a=[0] * 60).message
    assert "steps" in fault_of("a.*", few, a=[0] * 60).message
    assert "steps" in fault_of("a.*.b.c", few, a=[{}] * 40).message
    assert "steps" in fault_of("contains(s, 'b')", few, s="a" * 20_000).message
    assert "steps" in fault_of("s == t", few, s="a" * 20_000, t="b").message


def test_json_read_has_limits() -> None:
    assert value_of("fromJSON(s)", s="[" * 100 + "]" * 100) is not None
    assert "deeper than 100" in fault_of("fromJSON(s)", s="[" * 101 + "]" * 101).message
    assert "deeper" in fault_of("fromJSON(s)", s="[" * 1_000_000).message
    assert value_of("fromJSON(s)", Limits(elements=3), s="[1,2,3]") == [1, 2, 3]
    assert "more than 3 values" in fault_of("fromJSON(s)", Limits(elements=3), s="[1,2,3,4]").message


@pytest.mark.parametrize(
    ("text", "untrusted"),
    [
        ("u", True),
        ("s", False),
        ("u || s", True),
        ("s && u", True),
        ("s || u", False),
        ("format('{0}', u)", True),
        ("format(u)", True),
        ("format('{0}', s, u)", False),
        ("join(o.a)", True),
        ("toJSON(o)", True),
        ("toJSON(t)", False),
        ("fromJSON(toJSON(o)).a[0]", True),
        ("case(u == 'x', s, u)", True),
        ("o.a[0]", True),
        ("o.*[0]", True),
        ("join(t.a, u)", True),
        ("fromJSON(j).k", True),
        ("fromJSON(j)", True),
        ("u == 'x'", False),
        ("contains(u, 'x')", False),
    ],
)
def test_taint_follows_the_text(text: str, untrusted: bool) -> None:
    contexts = {
        "u": Untrusted("x; rm -rf /"),
        "j": Untrusted('{"k": "v"}'),
        "s": "safe",
        "o": to_value({"a": ["x", "y"]}, untrusted=True),
        "t": to_value({"a": ["x", "y"]}),
    }
    assert is_untrusted(evaluate(text, contexts).value) is untrusted


def test_the_trace_holds_what_was_evaluated() -> None:
    contexts = {"github": to_value({"ref": "main"}), "matrix": to_value({"os": "X", "n": [1]})}
    trace = evaluate(
        "github.ref == 'main' && (matrix.os != 'x' || matrix.n) || never", {**contexts, "never": None}
    ).trace
    assert trace.lines() == [
        "github.ref == 'main' && (matrix.os != 'x' || matrix.n) || never  =>  an array of 1",
        "  github.ref == 'main' && (matrix.os != 'x' || matrix.n)  =>  an array of 1",
        "    github.ref == 'main'  =>  true",
        "      github.ref  =>  'main'",
        "    (matrix.os != 'x' || matrix.n)  =>  an array of 1",
        "      matrix.os != 'x'  =>  false",
        "        matrix.os  =>  'X'",
        "      matrix.n  =>  an array of 1",
    ]


def test_the_trace_is_plain_data_too() -> None:
    trace = evaluate("!a", {"a": "x"}).trace
    assert trace.to_plain() == {
        "text": "!a",
        "value": "false",
        "truthy": False,
        "parts": [{"text": "a", "value": "'x'", "truthy": True, "parts": []}],
    }


@pytest.mark.parametrize(
    "text", ["format('{0}', secrets.t)", "github['TOKEN']", "Secrets.t || 1", "toJSON(secrets)"]
)
def test_the_trace_hides_secrets(text: str) -> None:
    contexts = {"secrets": to_value({"t": "hunter2"}), "github": to_value({"token": "hunter2"})}
    evaluation = evaluate(text, contexts)
    assert "hunter2" in str(evaluation.value)
    assert "hunter2" not in str(evaluation.trace.lines())


def test_the_trace_shows_truth_of_secrets_and_keys_in_brackets() -> None:
    lines = evaluate("secrets[k] != ''", {"secrets": to_value({"t": "x"}), "k": "t"}).trace.lines()
    assert lines == ["secrets[k] != ''  =>  true", "  secrets[k]  =>  '***'", "    k  =>  't'"]


def test_no_trace_when_none_is_wanted() -> None:
    assert evaluate("a", {"a": 1.0}, trace=False).trace.lines() == []
    assert evaluate("1", {}).trace.to_plain() is None


def test_a_wrong_number_of_arguments_has_a_place() -> None:
    expression, _ = parse_expression("true && FORMAT()")
    assert expression is not None
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, {})
    assert str(caught.value.position) == "1:9"
