"""Values, their way from and to plain data, and their taint."""

from __future__ import annotations

import math

import pytest

from pawl.core.expressions import (
    ArrayValue,
    ExpressionError,
    ObjectValue,
    Untrusted,
    is_truthy,
    is_untrusted,
    to_plain,
    to_text,
    to_value,
)
from pawl.core.expressions.coercion import less
from pawl.core.expressions.text_rules import fold_case, format_number, parse_number


def test_plain_data_goes_there_and_back() -> None:
    data = {"a": [1, 2.5, True, None, "x"], "b": {"C": {}}}
    assert to_plain(to_value(data)) == data


def test_numbers_become_doubles() -> None:
    assert to_value(3) == 3.0
    assert isinstance(to_value(3), float)
    assert to_value(10**400) == math.inf
    assert to_plain(to_value([math.nan, math.inf])) == ["NaN", "Infinity"]


def test_look_up_ignores_letter_case_unless_told_otherwise() -> None:
    assert ObjectValue({"Foo": 1.0})["FOO"] == 1
    sensitive = to_value({"Foo": 1, "FOO": 2}, case_sensitive=True)
    assert isinstance(sensitive, ObjectValue)
    assert (sensitive["Foo"], sensitive["FOO"], "foo" in sensitive) == (1, 2, False)


def test_of_keys_alike_the_first_stays() -> None:
    value = to_value({"a": None, "A": 2})
    assert isinstance(value, ObjectValue)
    assert dict(value) == {"a": None}


def test_arrays_and_objects_equal_themselves_only() -> None:
    one, other = ArrayValue([1.0]), ArrayValue([1.0])
    assert one == one  # noqa: PLR0124  identity is the point
    assert one != other
    assert ObjectValue() != ObjectValue()


def test_deep_data_is_refused() -> None:
    data: object = 1
    for _ in range(100):
        data = [data]
    to_value(data)
    with pytest.raises(ExpressionError, match="deeper than 100"):
        to_value([data])


def test_only_plain_data_becomes_a_value() -> None:
    with pytest.raises(TypeError, match="object is no value"):
        to_value(object())


def test_untrusted_data_is_marked_deeply() -> None:
    value = to_value({"a": [{"b": "x"}], "n": 1}, untrusted=True)
    assert isinstance(value, ObjectValue)
    assert isinstance(value["a"][0]["b"], Untrusted)  # type: ignore[index,call-overload]  # nested
    assert is_untrusted(value)
    assert not is_untrusted(value["n"])
    assert not is_untrusted(to_value({"a": ["x"]}))
    assert is_untrusted(to_value({"only the key": 1}, untrusted=True))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        (" \u00a0", 0),
        ("1.", 1),
        (".5", 0.5),
        ("+1e2", 100),
        ("0x10", 16),
        ("0o17", 15),
        ("-Infinity", -math.inf),
        ("+Infinity", math.inf),
        ("1e999", math.inf),
        ("0x7fffffff", 2147483647),
        ("0xffffffff", -1),
        ("0o37777777777", -1),
        ("0x0000000001", 1),
    ],
)
def test_texts_that_are_numbers(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "1e",
        ".",
        "0x",
        "0X1",
        "-0x1",
        "0b1",
        "1_0",
        "\u0661",
        "infinity",
        "NaN",
        "1 2",
        "0x1ffffffff",
        "0o8",
        "\x1c1",
    ],
)
def test_texts_that_are_no_numbers(text: str) -> None:
    assert math.isnan(parse_number(text))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-0.0, "0"),
        (3.10, "3.1"),
        (1e15, "1E+15"),
        (123456789012345.0, "123456789012345"),
        (1e-5, "1E-05"),
        (0.0001, "0.0001"),
        (1 / 3, "0.333333333333333"),
        (1e100, "1E+100"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_numbers_as_text(number: float, text: str) -> None:
    assert format_number(number) == text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("straße", "STRAßE"),
        ("\u0131", "\u0131"),
        ("\u017f", "\u017f"),
        ("ς", "Σ"),
        ("ᾳ", "ᾼ"),
        ("ŉ", "ŉ"),
        ("é", "É"),
    ],
)
def test_case_folds_character_by_character(text: str, folded: str) -> None:
    assert fold_case(text) == folded


def test_text_order_is_that_of_utf16_units() -> None:
    assert less("\U00010000", "\uffff")
    assert not less("\uffff", "\U00010000")
    assert less("a", "B")


def test_text_forms() -> None:
    data: list[object] = [None, True, 2, "x", [1], {}]
    assert [to_text(to_value(item)) for item in data] == ["", "true", "2", "x", "Array", "Object"]


def test_truth() -> None:
    truthy: list[object] = [[], {}, "false", -1]
    falsy: list[object] = [None, False, 0, -0.0, math.nan, ""]
    assert [is_truthy(to_value(item)) for item in truthy] == [True] * 4
    assert [is_truthy(to_value(item)) for item in falsy] == [False] * 6
