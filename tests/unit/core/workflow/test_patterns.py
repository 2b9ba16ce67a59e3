from __future__ import annotations

import time

import pytest

from pawl.core.workflow.patterns import (
    MAX_LENGTH,
    Pattern,
    check_pattern,
    deciding_pattern,
    is_included,
)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("main", "main", True),
        ("main", "Main", False),
        ("main", "mainx", False),
        ("*", "a", True),
        ("*", "a/b", False),
        ("**", "a/b", True),
        ("**/README.md", "README.md", True),
        ("**/README.md", "a/b/README.md", True),
        ("**/README.md", "aREADME.md", False),
        ("docs/**", "docs/a/b", True),
        ("docs/**", "docs", False),
        ("a/**/d", "a/d", True),
        ("a/**/d", "a/b/c/d", True),
        ("a/**/d", "ad", False),
        ("x**/y", "x/y", False),
        ("**/**/z", "z", True),
        ("*.jsx?", "page.js", True),
        ("*.jsx?", "page.jsxx", False),
        ("v[0-9]+", "v10", True),
        ("v[0-9]+", "v", False),
        ("[a-c]x", "dx", False),
        ("a[.-]b", "a-b", True),
        (r"a\+b", "a+b", True),
        (r"\!bang", "!bang", True),
        ("!main", "main", True),
        (".yml", "fyml", False),
        ("a|b", "a", False),
        ("", "", True),
    ],
)
def test_a_pattern_matches_the_whole_name(pattern: str, name: str, *, expected: bool) -> None:
    assert Pattern(pattern).matches(name) is expected


def test_the_last_matching_pattern_decides() -> None:
    patterns = [Pattern(text) for text in ("releases/**", "!releases/**-alpha", "releases/9-alpha")]
    assert is_included(patterns, "releases/1")
    assert not is_included(patterns, "releases/1-alpha")
    assert is_included(patterns, "releases/9-alpha")
    assert deciding_pattern(patterns, "releases/1-alpha") == Pattern("!releases/**-alpha")
    assert deciding_pattern(patterns, "main") is None


def test_only_negative_patterns_take_nothing_in() -> None:
    assert not is_included([Pattern("!docs/**")], "src/a.py")


@pytest.mark.parametrize(
    "pattern", ["a?" * 400 + "b", "**a**a**a**a**a**b", "[a-z]+" * 100 + "!", "**/a?" * 150]
)
def test_patterns_that_make_backtracking_engines_hang_do_not(pattern: str) -> None:
    began = time.perf_counter()
    assert not Pattern(pattern).matches("a" * 4000)
    assert time.perf_counter() - began < 2


def test_ten_thousand_paths_against_twenty_patterns_stay_fast() -> None:
    paths = [f"src/package{number % 40}/module_{number}/file.py" for number in range(2000)]
    patterns = [
        Pattern(text) for text in ("**/*.md", "src/**/test_*.py", "**.js", "**/*src/**", "docs/**") * 4
    ]
    began = time.perf_counter()
    assert sum(pattern.matches(path) for path in paths for pattern in patterns) == 4 * 2000
    assert time.perf_counter() - began < 1


def test_an_acceptable_pattern_has_no_problems() -> None:
    for pattern in ("main", "v[12].[0-9]+.[0-9]+", "!a", r"\++", "feature/**", "a!?"):
        assert check_pattern(pattern, "ref") == []
        assert check_pattern(pattern, "path") == []


@pytest.mark.parametrize(
    ("pattern", "offset"),
    [
        ("", 0),
        ("!", 0),
        ("a??", 2),
        ("*+", 1),
        ("?", 0),
        ("!+", 1),
        ("[]", 0),
        ("[a-c", 0),
        ("[b-a]", 1),
        ("[0-]", 2),
    ],
)
def test_a_broken_pattern_is_an_error_at_its_place(pattern: str, offset: int) -> None:
    problems = check_pattern(pattern, "path")
    assert [(problem.offset, problem.is_error) for problem in problems] == [(offset, True)]


@pytest.mark.parametrize("pattern", ["foo/", "/foo", "foo.", "a b", "a^b", r"\d", r"\["])
def test_what_no_ref_looks_like_is_a_warning(pattern: str) -> None:
    problems = check_pattern(pattern, "ref")
    assert problems
    assert not any(problem.is_error for problem in problems)


@pytest.mark.parametrize("pattern", ["./a", "a/../b", " a", "!.", "a "])
def test_what_no_path_looks_like_is_a_warning(pattern: str) -> None:
    assert [problem.is_error for problem in check_pattern(pattern, "path")] == [False]


def test_the_length_is_limited_at_the_limit_exactly() -> None:
    assert check_pattern("a" * MAX_LENGTH, "path") == []
    (problem,) = check_pattern("a" * (MAX_LENGTH + 1), "path")
    assert problem.is_error
