"""GITHUB_ENV and its like: what is read, and what fails the step."""

from __future__ import annotations

import pytest

from pawl.core.steps.env_files import (
    MAX_FILE,
    EnvFileKind,
    check_summary,
    extend_path,
    parse_env_file,
    parse_path_file,
)


def test_values_before_a_fault_are_kept() -> None:
    parsed = parse_env_file(b"A=1\nbroken\nB=2\n", EnvFileKind.ENV)

    assert dict(parsed.values) == {"A": "1"}
    assert parsed.error is not None
    assert "line 2" in parsed.error


@pytest.mark.parametrize(
    "content",
    [b"=x\n", b"A<<\nx\n", b"<<EOF\nEOF\n", b"A<<EOF\nx", b"A<<EOF\nx\n", b"A<<EOF\nx\n EOF"],
)
def test_a_malformed_file_is_an_error(content: bytes) -> None:
    assert parse_env_file(content, EnvFileKind.OUTPUT).error is not None


def test_env_names_differ_by_case_and_output_names_do_not() -> None:
    content = b"a=1\nA=2\n"

    assert dict(parse_env_file(content, EnvFileKind.ENV).values) == {"a": "1", "A": "2"}
    assert dict(parse_env_file(content, EnvFileKind.STATE).values) == {"a": "2"}


def test_node_options_is_refused_without_failing() -> None:
    parsed = parse_env_file(b"Node_Options<<E\n--require x\nE\nB=2\n", EnvFileKind.ENV)

    assert (dict(parsed.values), parsed.refused, parsed.error) == ({"B": "2"}, ("Node_Options",), None)


def test_a_file_over_the_limit_is_an_error_and_sets_nothing() -> None:
    parsed = parse_env_file(b"A=1\n" + b"B=" + b"x" * MAX_FILE, EnvFileKind.ENV)

    assert (dict(parsed.values), parsed.error is None) == ({}, False)
    assert parse_path_file(b"x" * (MAX_FILE + 1)).error is not None


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert dict(parse_env_file(b"A=\xff\n", EnvFileKind.ENV).values) == {"A": "\ufffd"}


def test_the_last_folder_comes_first_and_one_that_is_there_moves() -> None:
    folders = extend_path(("/b", "/a"), parse_path_file(b"/c\r\n\n/a\n").folders)

    assert folders == ("/a", "/c", "/b")


def test_a_summary_over_the_limit_is_refused() -> None:
    assert check_summary(b"x" * MAX_FILE) is None
    assert "1024 KiB" in (check_summary(b"x" * (MAX_FILE + 1)) or "")
