from __future__ import annotations

import pytest

from pawl.core.workflow.compose import compose
from pawl.core.workflow.fields import has_expression, number_of, text_of, texts_of


def texts(text: str) -> list[str]:
    return [found.text for found in texts_of(compose(text).root)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("[a, 1.50, true, ~, [x]]", ["a", "1.5", "true"]),
        ("\"${{ 'a' }}\"", ["a"]),
        ("\"${{ 'it''s' }}\"", ["it's"]),
        ("\"${{ 'a' == 'b' }}\"", ["${{ 'a' == 'b' }}"]),
        ("\"${{ '' }}\"", [""]),
        ('"${{ a }}"', ["${{ a }}"]),
        ("{a: b}", []),
        ("", []),
    ],
)
def test_texts_are_what_github_reads(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_nothing_is_no_text() -> None:
    assert text_of(None) is None


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5.0), ("0.5", 0.5), ("'5'", None), ("true", None), ("[5]", None)]
)
def test_only_numbers_are_numbers(text: str, number: float | None) -> None:
    assert number_of(compose(text).root) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", False), ("['${{ a }}']", True), ("{a: {'${{ insert }}': b}}", True), ("{a: [1]}", False)],
)
def test_an_expression_is_found_anywhere(text: str, expected: bool) -> None:
    assert has_expression(compose(text).root) is expected
