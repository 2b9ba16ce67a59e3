from __future__ import annotations

import math

import pytest

from pawl.core.workflow.scalars import BOOLEAN, FLOAT, INTEGER, NULL, STRING, resolve, resolve_tagged


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("NULL", None),
        ("nuLL", "nuLL"),
        ("True", True),
        ("tRue", "tRue"),
        ("yes", "yes"),
        ("on", "on"),
        ("010", 10),
        ("0o10", 8),
        ("0xfF", 255),
        ("0b1", "0b1"),
        ("-5", -5),
        ("+5", 5),
        ("1_000", "1_000"),
        ("3.10", 3.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-", "-"),
        (".", "."),
        ("+", "+"),
        ("-.INF", -math.inf),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("123456789012345678901", 123456789012345678901.0),
        ("0x" + "f" * 300, math.inf),
    ],
)
def test_a_plain_scalar_follows_the_core_schema(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(float(resolve(".nan") or 0))


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("1", STRING, "1"),
        ("x", "!", "x"),
        ("", NULL, None),
        ("true", BOOLEAN, True),
        ("0x1", INTEGER, 1),
        ("1", FLOAT, 1),
        ("1.5", FLOAT, 1.5),
    ],
)
def test_an_explicit_tag_is_obeyed(text: str, tag: str, value: object) -> None:
    assert resolve_tagged(text, tag) == value


@pytest.mark.parametrize(
    ("text", "tag"), [("yes", BOOLEAN), ("1.5", INTEGER), ("true", INTEGER), ("x", NULL)]
)
def test_a_text_that_does_not_fit_its_tag_is_refused(text: str, tag: str) -> None:
    with pytest.raises(ValueError, match=text):
        resolve_tagged(text, tag)


@pytest.mark.parametrize("tag", [NULL, BOOLEAN, INTEGER, FLOAT])
def test_a_quoted_text_can_only_be_a_string(tag: str) -> None:
    with pytest.raises(ValueError, match="300"):
        resolve_tagged("300", tag, quoted=True)
    assert resolve_tagged("300", STRING, quoted=True) == "300"
