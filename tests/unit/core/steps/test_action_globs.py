"""Globs of hashFiles and artifacts: what is selected, in which order, under which names."""

from __future__ import annotations

from hashlib import sha256

import pytest

from pawl.core.model.errors import UsageError
from pawl.core.steps.action_globs import MAX_PATTERN, MAX_PATTERNS
from pawl.core.steps.artifact_globs import select_artifact
from pawl.core.steps.hashfiles import hash_of, match_hashfiles, parse_hashfiles

TREE = [
    "b.txt", "a.txt", "dist/app.js", "dist/app.js.map", "dist/.env", "dist-x/y", ".next/static/x.js",
    "src/a/1.py", "src/a.py", "src/a/.hidden/2.py", "x]y", "é.txt", "back\\slash",
]  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.txt"], ["a.txt", "b.txt", "é.txt"]),
        (["src"], ["src/a/.hidden/2.py", "src/a/1.py", "src/a.py"]),
        (["src/**/*.py"], ["src/a/.hidden/2.py", "src/a/1.py", "src/a.py"]),
        (["src/**.py"], ["src/a.py"]),
        (["b.txt\na.txt"], ["b.txt", "a.txt"]),
        (["a.txt/"], []),
        (["a.txt/**"], ["a.txt"]),
        (["[]x]*"], ["x]y"]),
        (["[[:alpha:]].txt"], ["a.txt", "b.txt", "é.txt"]),
        (["[!a-b].txt"], ["é.txt"]),
        (["[b-a].txt"], []),
        (["[a].txt"], ["a.txt"]),
        (["back\\\\slash"], ["back\\slash"]),
        (["# comment", "", " a.txt "], ["a.txt"]),
        (["**", "!src", "!dist*", "!.next"], ["a.txt", "b.txt", "back\\slash", "x]y", "é.txt"]),
        (["!!a.txt"], ["a.txt"]),
        (["/workspace/a.txt", "./b.txt", "/elsewhere/*", "~/*"], ["a.txt", "b.txt"]),
        (["/**/a.txt"], ["a.txt"]),
        (["[", "a["], []),
    ],
)
def test_patterns_select_as_actions_glob_does(patterns: list[str], expected: list[str]) -> None:
    assert match_hashfiles(patterns, TREE) == expected


@pytest.mark.parametrize(
    "pattern",
    ["../x", "a/../b", "a/./b", "/./a", "!", "! !", "x" * (MAX_PATTERN + 1), "a\n" * (MAX_PATTERNS + 1)],
)
def test_a_pattern_that_is_not_valid_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        match_hashfiles([pattern], TREE)


def test_the_hash_is_over_the_digests_and_empty_without_files() -> None:
    digests = [sha256(b"a").digest(), sha256(b"b").digest()]

    assert hash_of(digests) == sha256(b"".join(digests)).hexdigest()
    assert hash_of([]) == ""


def test_the_first_argument_may_be_the_option() -> None:
    call = parse_hashfiles(["--Follow-Symbolic-Links", "a"])

    assert (call.patterns, call.follow_links) == (("a",), True)
    with pytest.raises(UsageError):
        parse_hashfiles(["--other"])


@pytest.mark.parametrize(
    ("patterns", "root", "names"),
    [
        (["dist"], "/workspace/dist", ["app.js", "app.js.map"]),
        (["dist/app.js"], "/workspace/dist", ["app.js"]),
        (["dist/app.*"], "/workspace/dist", ["app.js", "app.js.map"]),
        (["dist", "!**/*.map"], "/workspace/dist", ["app.js"]),
        (["dist/app.js", "src/*.py"], "/workspace", ["dist/app.js", "src/a.py"]),
        (["src/a", "src/a.py"], "/workspace/src", ["a/1.py", "a.py"]),
        ([".next"], "/workspace/.next", []),
        ([".next/static"], "/workspace/.next/static", ["x.js"]),
        ([], "/", []),
    ],
)
def test_names_in_an_artifact_start_from_what_the_patterns_share(
    patterns: list[str], root: str, names: list[str]
) -> None:
    selection = select_artifact(patterns, TREE)

    assert selection.root == root
    assert [file.name for file in selection.files] == names


def test_hidden_files_are_taken_when_asked_for() -> None:
    selection = select_artifact(["dist"], TREE, include_hidden=True)

    assert [file.name for file in selection.files] == [".env", "app.js", "app.js.map"]
