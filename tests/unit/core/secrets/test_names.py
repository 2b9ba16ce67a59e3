"""How secrets and variables may be called, and what they may hold."""

from __future__ import annotations

import pytest

from pawl.core.secrets.names import MAX_BYTES, environment_fault, folded, name_fault, value_fault


@pytest.mark.parametrize("name", ["TOKEN", "token", "_x", "A1", "a" * 100, "NOT_GITHUB_"])
def test_a_name_is_letters_digits_and_underscores(name: str) -> None:
    assert name_fault(name) == ""


@pytest.mark.parametrize(
    "name", ["", "1A", "A-B", "A B", "A=B", "É", "\u017f", "a" * 101, "A\n", "GITHUB_TOKEN", "github_x"]
)
def test_what_github_refuses_as_a_name_is_refused(name: str) -> None:
    assert name_fault(name)


def test_case_does_not_count() -> None:
    assert folded("Deploy_Key") == folded("DEPLOY_KEY") == "DEPLOY_KEY"


@pytest.mark.parametrize("value", ["abcd", "ü1€", "a\nbcd", "x" * MAX_BYTES, "  abcd\n"])
def test_a_secret_of_four_bytes_can_be_kept(value: str) -> None:
    assert value_fault(value, secret=True) == ""


@pytest.mark.parametrize("value", ["", "abc", "z  \n ", "üa", "x" * (MAX_BYTES + 1), "ab\0cd", "abcd\ud800"])
def test_what_cannot_be_masked_or_handed_over_is_refused_without_being_told(value: str) -> None:
    fault = value_fault(value, secret=True)
    assert fault
    assert len(value.strip()) < 2 or value.strip() not in fault


def test_a_variable_may_be_short() -> None:
    assert value_fault("", secret=False) == value_fault("1", secret=False) == ""
    assert value_fault("x" * (MAX_BYTES + 1), secret=False)


def test_an_environment_has_a_name_that_can_be_written() -> None:
    assert environment_fault("production / eu") == ""
    assert all(map(environment_fault, ["", " a", "a\n", "a,b", "a'b", "x" * 256]))
