"""Commands and command files: any bytes give a value, and what actions write is read back."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.steps.commands import CommandParser, SetOutput
from pawl.core.steps.env_files import EnvFileKind, parse_env_file, parse_path_file
from pawl.core.steps.matchers import MatcherError, parse_matcher_file

plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def escaped(text: str) -> str:
    """Return `text` as @actions/core writes it (toolkit, command.ts escapeData and escapeProperty)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


@given(plain.filter(lambda name: name.strip() == name != "" and name[0] != "="), plain)
@settings(max_examples=150, deadline=None)
def test_what_the_toolkit_writes_is_read_back(name: str, value: str) -> None:
    key = escaped(name).replace(":", "%3A").replace(",", "%2C")
    line = f"::set-output name={key}::{escaped(value)}"

    _, command = CommandParser().feed(line.encode())

    assert command == SetOutput(name, value)


@given(plain.filter(lambda name: name and not set(name) & set("=<\n\ufeff")), plain)
@settings(max_examples=150, deadline=None)
def test_a_heredoc_is_read_back(name: str, value: str) -> None:
    content = f"{name}<<ghadelimiter_1\n{value}\nghadelimiter_1\n"

    parsed = parse_env_file(content.encode(), EnvFileKind.OUTPUT)

    assert (dict(parsed.values), parsed.error) == ({name: value}, None)


@given(st.one_of(st.binary(max_size=80), st.text("::#[] =%,;a\n<EOF", max_size=60).map(str.encode)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_without_a_crash(data: bytes) -> None:
    parser = CommandParser(allow_unsecure=True)
    for line in data.split(b"\n"):
        parser, _ = parser.feed(line)
    for kind in EnvFileKind:
        parse_env_file(data, kind)
    parse_path_file(data)
    with suppress(MatcherError):
        parse_matcher_file(data)
