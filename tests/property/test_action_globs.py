"""Globs: bounded and total on any pattern, and in agreement with a plain reading of the rules."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.model.errors import UsageError
from pawl.core.steps.hashfiles import match_hashfiles

names = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name.strip("."))
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
parts = st.one_of(
    names, st.just("**"), st.text("ab.*?", min_size=1, max_size=4).filter(lambda text: text.strip("."))
)
patterns = st.lists(parts, min_size=1, max_size=4).map("/".join)


def as_regex(pattern: str) -> str:
    """Return the pattern as a regular expression on `/`-terminated parts, the plain way."""
    regex = ""
    for part in pattern.split("/"):
        if part == "**":
            regex += "(?:[^/]+/)*"
        else:
            inside = "".join({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in part)
            regex += f"(?=[^/]){inside}/"
    return f"{regex}(?:[^/]+/)*"


@given(patterns, st.lists(paths, max_size=8, unique=True))
@settings(max_examples=200, deadline=None)
def test_one_pattern_selects_what_the_plain_reading_does(pattern: str, tree: list[str]) -> None:
    expected = {path for path in tree if re.fullmatch(as_regex(pattern), path + "/")}

    assert set(match_hashfiles([pattern], tree)) == expected


@given(st.lists(st.text(max_size=30), max_size=4), st.lists(paths, max_size=5, unique=True))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_pattern_or_refused(texts: list[str], tree: list[str]) -> None:
    try:
        found = match_hashfiles(texts, tree)
    except UsageError:
        return
    assert set(found) <= set(tree)


def test_many_stars_cost_little() -> None:
    pattern = "/".join(["**", "*a" * 99 + "b"] * 20)

    assert match_hashfiles([pattern], ["/".join(["a" * 200] * 20)]) == []
