"""Problem matchers: several of them, colours, annotations, and expressions that would take for ever."""

from __future__ import annotations

import json

import pytest

from pawl.core.steps.annotations import AnnotationLevel
from pawl.core.steps.matcher_regex import MAX_LINE, RegexError, compile_regex
from pawl.core.steps.matchers import MAX_FILE, MatcherError, Matching, parse_matcher_file, strip_ansi

TSC = r"^([^\s].*)[\(:](\d+)[,:](\d+)(?:\):\s+|\s+-\s+)(error|warning|info)\s+(TS\d+)\s*:\s*(.*)$"
ESLINT = r"^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$"
DOTNET = (
    r"^([^\s].*)\((\d+)(?:,\d+|,\d+,\d+)?\):\s+(error|warning)\s+([a-zA-Z]+(?<!MSB)\d+):\s*(.*?)\s+\[(.*?)\]$"
)


def matcher_file(owner: str, *patterns: dict[str, object], severity: str = "") -> bytes:
    matcher = {"owner": owner, "severity": severity, "pattern": list(patterns)}
    return json.dumps({"problemMatcher": [matcher]}).encode()


def matching(*files: bytes) -> Matching:
    running = Matching()
    for file in files:
        running.add(parse_matcher_file(file))
    return running


TSC_FILE = matcher_file(
    "tsc", {"regexp": TSC, "file": 1, "line": 2, "column": 3, "severity": 4, "code": 5, "message": 6}
)


def test_a_coloured_line_becomes_an_annotation() -> None:
    found = matching(TSC_FILE).feed(
        "\x1b[96msrc/a.ts\x1b[0m:\x1b[93m4\x1b[0m:\x1b[93m07\x1b[0m - error TS2322 : no"
    )

    assert found is not None
    assert (found.level, found.message) == (AnnotationLevel.ERROR, "no")
    assert dict(found.properties) == {"file": "src/a.ts", "line": "4", "col": "7", "code": "TS2322"}


def test_a_severity_that_is_not_known_is_no_problem() -> None:
    assert matching(TSC_FILE).feed("a.ts:4:7 - info TS1: no") is None


def test_a_file_is_joined_to_the_folder_of_its_project() -> None:
    running = matching(
        matcher_file("net", {"regexp": r"^(\S+) (\S+) (.*)$", "file": 1, "fromPath": 2, "message": 3})
    )

    found = running.feed("a.cs src/app/app.csproj broken")

    assert found is not None
    assert found.properties["file"] == "src/app/a.cs"


def test_a_match_resets_the_other_matchers() -> None:
    two_lines = matcher_file(
        "two", {"regexp": "^file (.*)$", "file": 1}, {"regexp": "^problem (.*)$", "message": 1}
    )
    running = matching(two_lines, matcher_file("one", {"regexp": "^!(.*)$", "message": 1}))

    found = [running.feed(line) for line in ("file a", "!x", "problem y", "file b", "problem z")]

    assert [item and item.message for item in found] == [None, "x", None, None, "z"]


def test_a_matcher_takes_the_place_of_one_with_its_owner_and_can_be_removed() -> None:
    running = matching(
        matcher_file("a", {"regexp": "^1(.*)$", "message": 1}),
        matcher_file("A", {"regexp": "^2(.*)$", "message": 1}),
    )

    assert running.feed("1x") is None
    assert running.feed("2x") is not None
    running.remove("a")
    assert not running.active


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"problemMatcher": {}}',
        b'{"problemMatcher": [1]}',
        b'{"problemMatcher": [{"owner": "a", "pattern": []}]}',
        b'{"problemMatcher": [{"owner": "a", "pattern": [{"regexp": "(", "message": 1}]}]}',
        b'{"problemMatcher": [{"owner": "a", "pattern": [{"regexp": "(.)", "message": true}]}]}',
        b'{"problemMatcher": [{"owner": "a", "severity": "bad", "pattern": [{"message": 0}]}]}',
        b"[" * 100_000,
        b" " * (MAX_FILE + 1),
    ],
)
def test_a_faulty_file_is_refused_with_a_message(raw: bytes) -> None:
    with pytest.raises(MatcherError):
        parse_matcher_file(raw)


@pytest.mark.parametrize(
    "text",
    [
        r"(a+)+b",
        r"(a|a)*b",
        r"(a|ab)*c",
        r"(.*)*x",
        r"(\w+\s?)+$",
        r"(x+x+)+y",
        r"(?=(a+)+b)",
        r"(?:a?){50}b",
    ],
)
def test_an_expression_that_can_take_exponential_time_is_refused(text: str) -> None:
    with pytest.raises(RegexError):
        compile_regex(text)


@pytest.mark.parametrize(
    "text", [r"\1", r"a**", "(", ")", "[a", r"[z-a]", r"a{3,1}", r"\p{L}", "(" * 40, "a\\"]
)
def test_what_is_not_valid_or_not_supported_is_refused(text: str) -> None:
    with pytest.raises(RegexError):
        compile_regex(text)


@pytest.mark.parametrize(
    ("text", "line", "groups"),
    [
        (ESLINT, "a.js: line 1, col 2, Error - bad (rule)", ("a.js", "1", "2", "Error", "bad", "rule")),
        (DOTNET, "a.cs(1,2): error CS1: bad [x.csproj]", ("a.cs", "1", "error", "CS1", "bad", "x.csproj")),
        (r"^(?<a>x)(y)(?<b>z)$", "xyz", ("y", "x", "z")),
        (r"^[\]\[&|~-]+([^\d\s]+)$", "][&|~-ab", ("ab",)),
        (r"(?i)^ERROR\x3a (\u0061+)$", "error: aa", ("aa",)),
        (r"^(a)|(b)$", "b", ("", "b")),
        (r"^\d{2,3}:(.{0,2})$", "123:ab", ("ab",)),
    ],
)
def test_groups_are_numbered_as_in_dotnet(text: str, line: str, groups: tuple[str, ...]) -> None:
    found = compile_regex(text).match(line)

    assert found is not None
    assert found[1:] == groups


def test_a_line_that_would_cost_too_much_does_not_match() -> None:
    regex = compile_regex(r"^(.*)a(.*)a(.*)a(.*)b$")

    assert regex.match("a" * 20 + "b") is not None
    assert regex.match("a" * 4000 + "b") is None
    assert compile_regex("^(.*)$").match("x" * (MAX_LINE + 1)) is None


def test_escape_sequences_are_taken_out() -> None:
    assert strip_ansi("\x1b[1;31merr\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b(") == "err link \x1b("
