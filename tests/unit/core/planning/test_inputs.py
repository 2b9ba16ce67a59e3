from __future__ import annotations

from pawl.core.diagnostics import Span
from pawl.core.model.plan import Json
from pawl.core.planning.inputs import MAX_CHARACTERS, type_inputs
from pawl.core.workflow.nodes import Scalar
from pawl.core.workflow.syntax import Input, Text

AT = Span.at(1, 1)


def declared(
    name: str,
    kind: str = "string",
    *,
    required: bool = False,
    default: Json = None,
    options: tuple[str, ...] = (),
) -> Input:
    node = None
    if default is not None and not isinstance(default, list | dict):
        node = Scalar(value=default, text=str(default), place=(1, 1, 1, 2))
    return Input(name=Text(name, AT), type=kind, required=required, default=node, options=options)


def test_texts_become_what_is_declared() -> None:
    inputs = [
        declared("s"),
        declared("b", "boolean"),
        declared("n", "number"),
        declared("c", "choice", options=("x", "y")),
    ]
    typed = type_inputs(inputs, {"S": "1", "b": "TRUE", "n": "2.5", "c": "y"})
    assert typed.problems == ()
    assert typed.values == {"s": "1", "b": True, "n": 2.5, "c": "y"}


def test_what_is_not_given_has_its_default_or_is_empty() -> None:
    inputs = [
        declared("s", default="d"),
        declared("b", "boolean"),
        declared("n", "number", default="3"),
        declared("c", "choice", options=("x", "y")),
        declared("e", "environment"),
    ]
    assert type_inputs(inputs, {}).values == {"s": "d", "b": False, "n": 3, "c": "x", "e": ""}


def test_a_default_that_does_not_fit_is_taken_as_it_is() -> None:
    given = [declared("c", "choice", default="x", options=("a", "b")), declared("n", "number", default="abc")]
    assert type_inputs(given, {}).values == {"c": "x", "n": "abc"}


def test_the_default_of_a_text_is_a_text() -> None:
    given = [declared("s", default=True), declared("c", "choice", default=3, options=("3", "4"))]
    assert type_inputs(given, {}).values == {"s": "true", "c": "3"}


def test_a_required_input_with_a_default_need_not_be_given() -> None:
    typed = type_inputs([declared("s", required=True, default="d")], {})
    assert (typed.values, typed.problems) == ({"s": "d"}, ())


def test_everything_wrong_is_told_at_once_with_how_to_mend_it() -> None:
    inputs = [
        declared("version", required=True),
        declared("b", "boolean"),
        declared("n", "number"),
        declared("c", "choice", options=("x", "y")),
    ]
    problems = type_inputs(inputs, {"b": "yes", "n": "many", "c": "z", "versoin": "1"}).problems
    assert [message for message, _ in problems] == [
        "input `version` is required and was not given",
        "input `b` must be true or false, found `yes`",
        "input `n` must be a number, found `many`",
        "input `c` must be one of `x`, `y`; found `z`",
        "there is no input `versoin`; the workflow declares `version`, `b`, `n`, `c`",
    ]
    assert problems[-1][1] == "did you mean `version`?"


def test_numbers_that_are_none_are_refused() -> None:
    for text in ("", " ", "NaN", "Infinity", "1e999"):
        assert type_inputs([declared("n", "number")], {"n": text}).problems


def test_the_size_is_limited_exactly() -> None:
    assert type_inputs([declared("s")], {"s": "x" * MAX_CHARACTERS}).problems == ()
    assert type_inputs([declared("s")], {"s": "x" * (MAX_CHARACTERS + 1)}).problems
