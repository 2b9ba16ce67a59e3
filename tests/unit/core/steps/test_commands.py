"""Workflow commands: what each line means, and what a step may not do by them."""

from __future__ import annotations

import pytest

from pawl.core.steps.annotations import Annotation, AnnotationLevel
from pawl.core.steps.commands import (
    MAX_LINE,
    AddMask,
    AddMatcher,
    AddPath,
    Command,
    CommandParser,
    Debug,
    Echo,
    EndGroup,
    Group,
    Rejected,
    RemoveMatcher,
    ResumeCommands,
    SaveState,
    SetEnv,
    SetOutput,
    StopCommands,
    parse_line,
)


def command_in(line: bytes | str, parser: CommandParser | None = None) -> Command | None:
    return (parser or CommandParser()).feed(line)[1]


UNSECURE = CommandParser.for_env({"ACTIONS_ALLOW_UNSECURE_COMMANDS": "True"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"::set-output name=x::a%0Ab", SetOutput("x", "a\nb")),
        (b"::save-state NAME=x::y", SaveState("x", "y")),
        (b"::add-mask::s3cret", AddMask("s3cret")),
        (b"::group::Tests", Group("Tests")),
        (b"::endgroup::ignored", EndGroup()),
        (b"::debug::text", Debug("text")),
        (b"::echo:: ON ", Echo(on=True)),
        (b"::add-matcher::.github/eslint.json", AddMatcher(".github/eslint.json")),
        (b"::remove-matcher owner=eslint::", RemoveMatcher("eslint", None)),
        (b"::remove-matcher::eslint.json", RemoveMatcher(None, "eslint.json")),
        (b"time ##[group]Tests", Group("Tests")),
        (b"nothing here", None),
        (b"text ::group::x", None),
        (b"::no-such::x", None),
        (b"::group", None),
        (b"\xff\xfe ::group::x", None),
    ],
)
def test_a_line_means_a_command_or_is_text(line: bytes, expected: Command | None) -> None:
    assert command_in(line) == expected


@pytest.mark.parametrize("line", [b"::set-env name=A::b", b"::add-path::/bin"])
def test_unsecure_commands_fail_unless_they_are_allowed(line: bytes) -> None:
    refused = command_in(line)

    assert isinstance(refused, Rejected)
    assert refused.fails
    assert command_in(line, UNSECURE) in (SetEnv("A", "b"), AddPath("/bin"))


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        (b"::set-output::x", True),
        (b"::echo::maybe", True),
        (b"::add-path::", True),
        (b"::set-env name=node_OPTIONS::x", False),
        (b"::add-mask::  ", False),
        (b"::add-matcher::", False),
        (b"::remove-matcher::", False),
        (b"::remove-matcher owner=a::b", False),
        (b"::stop-commands::", True),
        (b"::stop-commands::Group", True),
    ],
)
def test_a_command_that_cannot_be_done_says_whether_it_fails_the_step(line: bytes, fails: bool) -> None:
    refused = command_in(line, UNSECURE)

    assert isinstance(refused, Rejected)
    assert refused.fails is fails


def test_nothing_is_a_command_between_stop_and_its_token() -> None:
    parser, stopped = CommandParser().feed(b"::stop-commands::TokenAB")
    parser, inside = parser.feed(b"::set-output name=x::y")
    parser, wrong = parser.feed(b"::tokena::")
    parser, resumed = parser.feed(b"##[TOKENAB]")
    _, after = parser.feed(b"::set-output name=x::y")

    assert stopped == StopCommands("TokenAB", mask=True)
    assert (inside, wrong) == (None, None)
    assert resumed == ResumeCommands()
    assert after == SetOutput("x", "y")


def test_annotations_keep_their_place() -> None:
    found = command_in(b"::error file=a.py,line=3,endLine=2,title=T%3A::bad")

    assert isinstance(found, Annotation)
    assert found.level is AnnotationLevel.ERROR
    assert dict(found.properties) == {"file": "a.py", "title": "T:"}


def test_property_names_ignore_case_and_the_last_value_wins() -> None:
    raw = parse_line("::warning File=a,file=b,line==3::x")

    assert raw is not None
    assert dict(raw.properties) == {"File": "b", "line": "3"}


def test_a_giant_line_is_text() -> None:
    assert command_in(b"::debug::" + b"x" * MAX_LINE) is None
