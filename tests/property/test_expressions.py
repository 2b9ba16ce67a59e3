"""Whatever the text: a value or an ExpressionError, a tree or diagnostics, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.diagnostics import has_errors
from pawl.core.expressions import (
    SCOPES,
    Expression,
    ExpressionError,
    Limits,
    Untrusted,
    Value,
    check_expression,
    evaluate,
    evaluate_condition,
    is_untrusted,
    parse_condition,
    parse_expression,
    parse_template,
    possibly_untrusted,
    render,
    to_plain,
    to_value,
)
from pawl.core.expressions.coercion import equal, less
from pawl.core.expressions.nodes import (
    Call,
    Comparison,
    Context,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Wildcard,
    deepest,
    print_node,
)
from pawl.core.expressions.text_rules import fold_case

FEW = Limits(steps=20_000, characters=100_000)
PIECES = [
    "github",
    "a",
    "b.c",
    "f(",
    "format(",
    "fromJSON(",
    "toJSON(",
    "join(",
    "contains(",
    "case(",
    "'{0}'",
    "'x'",
    "'",
    "''",
    "(",
    ")",
    "[",
    "]",
    "*",
    ".",
    ".*",
    ",",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    "&&",
    "||",
    "&",
    "1",
    "-1",
    "0x1f",
    "1e9",
    "NaN",
    "null",
    "true",
    " ",
    "\n",
    '"',
    "é",
    "${{",
    "}}",
    "{",
    "}",
    "'[1,{\"k\":[]}]'",
    "\x00",
    "\U0001f600",
]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
DATA = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
CONTEXTS: dict[str, Value] = {
    "github": to_value({"event": {"x": [1, {"k": "v"}]}, "token": "t"}),
    "a": to_value([1, "x", [{"c": None}], {"b": {"c": [True]}}]),
    "b": to_value({"c": {"c": "deep"}}),
}
FUNCTIONS = {"f": lambda *values: values[0] if values else None}
NAMES = st.sampled_from(["a", "github", "x-y", "_z9", "true", "Nan"])


def nodes() -> st.SearchStrategy[Node]:
    literals = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=5)).map(
        lambda value: Literal(value=value)
    )
    contexts = st.sampled_from(["a", "github", "x-y", "_z9"]).map(lambda name: Context(name=name))

    def above(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        keys = inner | st.just(Wildcard()) | NAMES.map(lambda name: Literal(value=name))
        return st.one_of(
            st.builds(lambda operand: Not(operand=operand, depth=deepest((operand,))), inner),
            st.builds(
                lambda operator, left, right: Comparison(operator=operator, left=left, right=right),
                st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
                inner,
                inner,
            ),
            st.builds(_logical, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=4)),
            st.builds(lambda operand, key: Index(operand=operand, key=key), inner, keys),
            st.builds(
                lambda name, arguments: Call(name=name, arguments=tuple(arguments)),
                st.sampled_from(["f", "format", "x-y"]),
                st.lists(inner, max_size=3),
            ),
        )

    return st.recursive(literals | contexts, above, max_leaves=12)


def _logical(operator: str, operands: list[Node]) -> Node:
    flat: list[Node] = []
    for operand in operands:
        is_same = isinstance(operand, Logical) and operand.operator == operator
        flat.extend(operand.operands if isinstance(operand, Logical) and is_same else [operand])
    return Logical(operator=operator, operands=tuple(flat))


@given(nodes())
@settings(max_examples=100, deadline=None)
def test_printing_and_parsing_gives_the_same_tree(node: Node) -> None:
    expression, diagnostics = parse_expression(print_node(node))
    assert diagnostics == ()
    assert expression is not None
    assert expression.root == node


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_tree_or_has_diagnostics(text: str) -> None:
    expression, diagnostics = parse_expression(text)
    assert (expression is None) is bool(diagnostics)
    if expression is not None:
        _check_and_evaluate(expression)


def _check_and_evaluate(expression: Expression) -> None:
    check_expression(expression, SCOPES["step-if"])
    possibly_untrusted(expression)
    try:
        evaluation = evaluate(expression, CONTEXTS, functions=FUNCTIONS, limits=FEW)
    except ExpressionError as error:
        _has_place(error)
        return
    evaluation.trace.lines()
    to_plain(evaluation.value)


def _has_place(error: ExpressionError) -> None:
    assert error.position is not None


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_template(text: str) -> None:
    template, diagnostics = parse_template(text)
    assert (
        has_errors(diagnostics)
        or "".join(part if isinstance(part, str) else text[part.start : part.end] for part in template.parts)
        == text
    )
    if not diagnostics:
        try:
            render(template, CONTEXTS, functions=FUNCTIONS, limits=FEW)
        except ExpressionError as error:
            _has_place(error)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_condition(text: str) -> None:
    condition, diagnostics = parse_condition(text)
    assert (condition.expression is None) is has_errors(diagnostics)
    if condition.expression is not None:
        try:
            evaluate_condition(
                condition, CONTEXTS, functions={**FUNCTIONS, "success": lambda: True}, limits=FEW
            )
        except ExpressionError:
            return


@given(DATA)
@settings(max_examples=150, deadline=None)
def test_json_written_is_json_read(data: Any) -> None:
    """Fifteen digits of a number are written, so the largest ones may round up to infinity."""
    written = evaluate("toJSON(x)", {"x": to_value(data)}).value
    if "NaN" in str(written) or "Infinity" in str(written) or "E+308" in str(written):
        return
    read = evaluate("fromJSON(x)", {"x": written}).value
    assert evaluate("toJSON(x)", {"x": read}).value == written


@given(DATA, TEXTS)
@settings(max_examples=200, deadline=None)
def test_no_trusted_text_holds_what_only_an_outsider_wrote(data: Any, text: str) -> None:
    """A marker from an outsider shows up in no string that is not marked."""
    hostile = to_value({"k": "\u2620", "list": ["\u2620", data]}, untrusted=True)
    contexts: dict[str, Value] = {"github": hostile, "a": hostile, "b": Untrusted("\u2620")}
    try:
        value = evaluate(text, contexts, functions=FUNCTIONS, limits=FEW).value
    except ExpressionError:
        return
    if "\u2620" in str(to_plain(value)) and "\u2620" not in text:
        assert is_untrusted(value)


@given(st.text(max_size=6), st.text(max_size=6))
@settings(max_examples=200, deadline=None)
def test_text_is_ordered(left: str, right: str) -> None:
    assert [less(left, right), equal(left, right), less(right, left)].count(True) == 1
    assert len(fold_case(left)) == len(left)


SCALARS = st.none() | st.booleans() | st.floats() | st.text(max_size=4)


@given(SCALARS, SCALARS)
@settings(max_examples=200, deadline=None)
def test_equality_is_symmetric_and_excludes_order(left: Value, right: Value) -> None:
    assert equal(left, right) is equal(right, left)
    assert not (less(left, right) and less(right, left))
    assert not (equal(left, right) and less(left, right))
