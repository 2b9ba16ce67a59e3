"""Filter patterns against a reference: Python's own engine, on patterns too short to hang it."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.workflow.patterns import Pattern, check_pattern

PIECES = {
    "a": "a",
    "b": "b",
    "/": "/",
    ".": r"\.",
    "a?": "a?",
    "b+": "b+",
    "*": "[^/]*",
    "**": ".*",
    "**/": "(?:.+/)?",
    "[ab]": "[ab]",
    "[a-c]+": "[a-c]+",
    r"\*": r"\*",
}


def reference(pieces: list[str]) -> re.Pattern[str]:
    """Return the pattern as act's workflow_pattern.go writes it."""
    return re.compile("".join(PIECES[piece] for piece in pieces), re.DOTALL)


def unambiguous(pieces: list[str]) -> bool:
    """Return whether joining the pieces keeps them what they are."""
    text = "".join(pieces)
    return "***" not in text and not any(
        first.endswith("*") and first != r"\*" and second[:1] in "*/" for first, second in pairwise(pieces)
    )


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(sorted(PIECES)), max_size=6).filter(unambiguous), st.text("abc/.*", max_size=8)
)
def test_matching_agrees_with_the_reference(pieces: list[str], name: str) -> None:
    expected = reference(pieces).fullmatch(name) is not None
    assert Pattern("".join(pieces)).matches(name) is expected


@settings(max_examples=200)
@given(st.text("ab*?+[]-!\\/.\n\r é", max_size=30), st.text("ab/.é\n", max_size=30))
def test_any_text_is_a_pattern_or_has_problems(text: str, name: str) -> None:
    assert Pattern(text).matches(name) in {True, False}
    for kind in ("ref", "path"):
        for problem in check_pattern(text, kind):
            assert 0 <= problem.offset <= len(text)
            assert problem.message
