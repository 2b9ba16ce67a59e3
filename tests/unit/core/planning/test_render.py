from __future__ import annotations

import math

import pytest

from pawl.core.expressions import ExpressionError, Untrusted, Value, to_value
from pawl.core.model.plan import Json
from pawl.core.planning.limits import PlanLimits
from pawl.core.planning.render import (
    as_bool,
    as_number,
    as_text,
    as_text_list,
    as_text_map,
    contexts_used,
    is_tainted,
    render_json,
    templates_in,
)

CONTEXTS: dict[str, Value] = {
    "vars": to_value({"n": 3, "list": [1, "a"], "map": {"k": "v"}, "text": "hi"}),
    "github": to_value({"head_ref": "evil"}, untrusted=True),
}


def test_single_expressions_keep_their_type_and_others_become_text() -> None:
    data: Json = {
        "a": "${{ vars.n }}",
        "b": "n=${{ vars.n }}",
        "c": "${{ vars.list }}",
        "d": 1.5,
        "e": "plain",
    }
    assert render_json(data, CONTEXTS) == {"a": 3, "b": "n=3", "c": [1, "a"], "d": 1.5, "e": "plain"}


def test_a_mapping_may_be_one_expression_or_have_one_inserted() -> None:
    assert render_json("${{ vars.map }}", CONTEXTS) == {"k": "v"}
    data: Json = {"before": 1, "${{ insert }}": "${{ vars.map }}", "k2": 2}
    assert render_json(data, CONTEXTS) == {"before": 1, "k": "v", "k2": 2}
    with pytest.raises(ExpressionError, match="inserts a mapping"):
        render_json({"${{ insert }}": "${{ vars.n }}"}, CONTEXTS)


@pytest.mark.parametrize(
    ("items", "rendered"),
    [
        (["x", "${{ fromJSON('[1, [2]]') }}", "y"], ["x", 1, [2], "y"]),
        (["${{ fromJSON('[]') }}"], []),
        ([["${{ fromJSON('[1]') }}"], [2]], [[1], [2]]),
        (["${{ fromJSON('{}') }}", "v${{ 1 }}"], [{}, "v1"]),
    ],
)
def test_a_list_that_an_expression_makes_is_put_into_the_list_it_stands_in(
    items: list[Json], rendered: list[Json]
) -> None:
    assert render_json(items, {}) == rendered


def test_keys_are_rendered_too() -> None:
    assert render_json({"${{ vars.text }}-x": 1}, CONTEXTS) == {"hi-x": 1}


def test_taint_survives_rendering() -> None:
    rendered = render_json({"a": "x ${{ github.head_ref }}", "b": "${{ vars.text }}"}, CONTEXTS)
    assert isinstance(rendered, dict)
    assert isinstance(rendered["a"], Untrusted)
    assert is_tainted(rendered)
    assert not is_tainted(rendered["b"])
    assert isinstance(as_text(rendered["a"], "a"), Untrusted)


def test_what_is_used_can_be_told_beforehand() -> None:
    data: Json = {"a": "${{ Vars.n }} ${{ needs.a.outputs.x }}", "b": ["no"]}
    assert contexts_used(data) == {"vars", "needs"}
    assert list(templates_in(data)) == ["${{ Vars.n }} ${{ needs.a.outputs.x }}"]


@pytest.mark.parametrize("text", ["${{", "${{ }}", "${{ nobody.x }}", "${{ vars. }}", "${{ fromJSON('') }}"])
def test_what_cannot_be_rendered_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        render_json({"a": [text]}, CONTEXTS)


def test_size_and_depth_are_limited() -> None:
    deep: Json = "x"
    for _ in range(64):
        deep = [deep]
    assert render_json(deep, {}) == deep
    with pytest.raises(ExpressionError, match="deeper"):
        render_json([deep], {})
    limits = PlanLimits(rendered_bytes=100)
    assert render_json(["x" * 100], {}, limits=limits) == ["x" * 100]
    with pytest.raises(ExpressionError, match="100 characters"):
        render_json(["x" * 60, "${{ '0123456789012345678901234567890123456789x' }}"], {}, limits=limits)


def test_booleans_are_strict_but_for_their_texts() -> None:
    assert as_bool(True, "x")
    assert as_bool("True ", "x")
    assert as_bool(None, "x", default=True)
    assert as_bool("", "x") is False
    others: list[Json] = [1, "yes", [], {}]
    for wrong in others:
        with pytest.raises(ExpressionError, match="must be true or false"):
            as_bool(wrong, "x")


def test_numbers_are_finite() -> None:
    assert as_number("1.5", "x") == 1.5
    assert as_number(2, "x") == 2.0
    assert as_number(None, "x", default=9) == 9
    others: list[Json] = [True, "ten", math.inf, math.nan, 10**400, [], "  "]
    for wrong in others:
        with pytest.raises(ExpressionError, match="must be a number"):
            as_number(wrong, "x")


def test_texts_and_lists_and_maps() -> None:
    assert as_text(None, "x") == ""
    assert as_text(1.0, "x") == "1"
    assert as_text_list("a", "x") == ["a"]
    assert as_text_list([1, True], "x") == ["1", "true"]
    assert as_text_map({"a": 1, "b": None}, "x") == {"a": "1", "b": ""}
    assert as_text_map(None, "x") == {}
    nested: list[Json] = [[[]], [{}]]
    for wrong in nested:
        with pytest.raises(ExpressionError):
            as_text_list(wrong, "x")
    no_maps: list[Json] = [{"a": []}, "text", [1]]
    for bad in no_maps:
        with pytest.raises(ExpressionError):
            as_text_map(bad, "x")
