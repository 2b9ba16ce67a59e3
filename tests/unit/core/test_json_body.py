from __future__ import annotations

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.model.json_body import MAX_DEPTH, MAX_VALUES, parse_json


def test_json_is_read() -> None:
    told = parse_json('{"a": [1, -2.5, true, null, "é\\u00e9\\ud83d\\ude00"]}'.encode())
    assert told == {"a": [1, -2.5, True, None, "éé😀"]}


def test_a_number_may_be_long_and_a_text_of_digits_longer() -> None:
    assert parse_json(b"[" + b"9" * 100 + b"]") == [int("9" * 100)]
    assert parse_json(b'["' + b"9" * 5000 + b'", 7]') == ["9" * 5000, 7]


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_has_a_limit(depth: int) -> None:
    body = b"[" * depth + b"]" * depth
    if depth <= MAX_DEPTH:
        assert parse_json(body)
    else:
        with pytest.raises(UsageError, match=f"more than {MAX_DEPTH} lists"):
            parse_json(body)


def test_brackets_in_texts_are_not_counted() -> None:
    text = "[{" * 200 + '\\"' + "[" * 200
    assert parse_json(f'["{text}"]'.encode())
    assert parse_json(b"[" + b"[]," * 500 + b"[]]")
    escaped = r'"\\", "\"[{", "[\\\"[", "\n", "\u005b"'.replace("[", "[" * 100)
    assert len(parse_json(f"[{escaped}]".encode())) == 5  # type: ignore[arg-type]  # it is a list


@pytest.mark.parametrize("more", [0, 1])
def test_the_number_of_values_has_a_limit(more: int) -> None:
    body = b"[" + b"0," * (MAX_VALUES - 1 + more) + b"0]"
    if more:
        with pytest.raises(UsageError, match=f"more than {MAX_VALUES} values"):
            parse_json(body)
    else:
        assert parse_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"9" * 101,
        b"0." + b"1" * 100,
        b'"\xff"',
        b"'a'",
        b"{}x",
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="not JSON"):
        parse_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'["a", {"b": "x\\ud800"}]',
        b'"\\uDFFF"',
        b'{"a": ["\\udc00\\ud800"]}',
    ],
)
def test_a_text_with_a_nul_or_half_a_character_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match=r"holds the character U\+"):
        parse_json(body)


@pytest.mark.parametrize("body", [b'"\\\\u0000"', b'"\\\\ud800"', b'"\\ud83d\\ude00"'])
def test_a_text_that_only_looks_so_is_read(body: bytes) -> None:
    assert parse_json(body)
