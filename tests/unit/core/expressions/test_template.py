"""Scalars with `${{ }}`."""

from __future__ import annotations

import pytest

from pawl.core.diagnostics import Position, Span
from pawl.core.expressions import ExpressionError, Limits, Untrusted, parse_template, render
from pawl.core.expressions.template import template_expression


def test_parts_and_their_places() -> None:
    template, diagnostics = parse_template("a ${{ x }}${{ 'y' }} b")
    assert diagnostics == ()
    assert [part if isinstance(part, str) else part.expression.text for part in template.parts] == [
        "a ",
        "x",
        "'y'",
        " b",
    ]
    assert [(part.start, part.end) for part in template.embedded] == [(2, 10), (10, 20)]
    assert template.expression == "format('a {0}{1} b', x, 'y')"


def test_a_single_expression_keeps_its_type() -> None:
    template, _ = parse_template("${{ x }}")
    assert template.is_single_expression
    assert render(template, {"x": 1.0}) == 1.0
    spaced, _ = parse_template("${{ x }} ")
    assert render(spaced, {"x": 1.0}) == "1 "


def test_plain_text_stays() -> None:
    template, _ = parse_template("{{ x }} $ {{ y }} }}")
    assert (template.has_expressions, template.expression) == (False, None)
    assert render(template, {}) == "{{ x }} $ {{ y }} }}"
    assert render(parse_template("")[0], {}) == ""


@pytest.mark.parametrize("text", ["${{ '}}' }}", "${{ 'it''s }}' }}", "${{ 'a' }}", "${{ '${{' }}"])
def test_braces_in_quotes_do_not_close(text: str) -> None:
    template, diagnostics = parse_template(text)
    assert diagnostics == ()
    assert template.is_single_expression


def test_every_fault_is_found_with_its_place() -> None:
    _, diagnostics = parse_template("x ${{ a b }} ${{ }} ${{ c( }} ${{ open", start=Position(4, 10))
    assert [(item.span.start, item.code) for item in diagnostics] == [
        (Position(4, 18), "expression-syntax"),
        (Position(4, 23), "expression-syntax"),
        (Position(4, 36), "expression-syntax"),
        (Position(4, 40), "expression-syntax"),
    ]


def test_an_open_quote_is_named_as_the_reason() -> None:
    _, (diagnostic,) = parse_template("${{ 'a }}")
    assert diagnostic.hint == "`}}` inside single quotes does not close"


def test_a_block_scalar_maps_its_own_offsets() -> None:
    text = "one\ntwo ${{ a b }}\n"
    _, (diagnostic,) = parse_template(text, locate=lambda offset: Position(100, offset))
    assert diagnostic.span == Span(Position(100, 14), Position(100, 15))
    _, (counted,) = parse_template(text)
    assert counted.span == Span.at(2, 11)


def test_the_whole_counts_against_the_length() -> None:
    expression = "${{ 1 }}"
    overhead = len("format('{0}', 1)")
    assert parse_template("x" * (21_000 - overhead) + expression)[1] == ()
    _, (diagnostic,) = parse_template("x" * (21_001 - overhead) + expression)
    assert diagnostic.code == "expression-too-long"
    assert parse_template("x" * 100_000)[1] == ()


def test_text_around_costs_one_level_of_depth() -> None:
    deep = "!" * 49 + "a"
    assert parse_template(f"${{{{ {deep} }}}}")[1] == ()
    assert parse_template(f"${{{{ {deep} }}}} x")[1][0].code == "expression-too-deep"


def test_taint_passes_through() -> None:
    template, _ = parse_template("echo ${{ title }}")
    assert isinstance(render(template, {"title": Untrusted("x")}), Untrusted)
    assert not isinstance(render(template, {"title": "x"}), Untrusted)


def test_all_parts_share_one_budget() -> None:
    template, _ = parse_template("${{ a }}${{ a }}")
    with pytest.raises(ExpressionError, match="characters"):
        render(template, {"a": "x" * 10}, limits=Limits(characters=15))
    calls, _ = parse_template("${{ contains(a, 'y') }} ${{ contains(a, 'y') }}")
    with pytest.raises(ExpressionError, match="steps"):
        render(calls, {"a": "x" * 1000}, limits=Limits(steps=8))


def test_the_equivalent_expression_knows_the_places_of_its_parts() -> None:
    template, _ = parse_template("ab ${{ x }} cd ${{ y.z }}", start=Position(2, 1))
    whole = template_expression(template)
    assert whole is not None
    assert whole.locate(whole.text.index("x,")) == Position(2, 8)
    assert whole.locate(whole.text.index("y.z")) == Position(2, 20)


def test_many_quotes_take_linear_time() -> None:
    text = "${{ " + "'' " * 100_000
    _, diagnostics = parse_template(text + "}}")
    assert diagnostics[0].code == "expression-too-long"
