from __future__ import annotations

import pytest

from pawl.core.model.plan import Json
from pawl.engine.execution.environment import (
    SharedEnvironment,
    matrix_variables,
    parse_env_lines,
    step_environment,
    system_variables,
)

NOTHING = SharedEnvironment(variables={})


def test_what_pawl_sets_cannot_be_taken_over_but_ci_can() -> None:
    system = {"CI": "true", "GITHUB_SHA": "abc", "RUNNER_OS": "Linux"}

    env = step_environment(
        system, {"CI": "false", "GITHUB_SHA": "x", "RUNNER_OS": "x", "GITHUB_MINE": "m"}, NOTHING, "/bin"
    )

    assert env == {"CI": "false", "GITHUB_SHA": "abc", "RUNNER_OS": "Linux", "GITHUB_MINE": "m"}


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, "/b:/a:/usr/bin"), ({"PATH": "/mine"}, "/b:/a:/mine"), ({"PATH": ""}, "/b:/a:/usr/bin")],
)
def test_added_folders_come_before_path(own: dict[str, str], expected: str) -> None:
    shared = NOTHING.with_folders(["/a"]).with_folders(["/b"])

    assert step_environment({}, own, shared, "/usr/bin")["PATH"] == expected


def test_path_is_left_alone_when_nobody_adds_to_it() -> None:
    assert "PATH" not in step_environment({}, {}, NOTHING, "/usr/bin")


def test_a_folder_added_again_moves_to_the_front() -> None:
    assert NOTHING.with_folders(["/a", "/b"]).with_folders(["/a"]).folders == ("/a", "/b")


def test_context_properties_become_variables_when_they_are_known() -> None:
    variables = system_variables({"sha": "1", "token": "secret", "actor": None}, {"os": "Linux"}, {})

    assert variables == {
        "CI": "true", "GITHUB_ACTIONS": "true", "PAWL": "true", "GITHUB_SHA": "1", "RUNNER_OS": "Linux",
    }  # fmt: skip


def test_matrix_values_are_variables_by_axis() -> None:
    matrix: dict[str, Json] = {
        "node-version": 20.0,
        "os": {"name": "deb", "arm": False},
        "list": [1],
        "none": None,
        "f": 1.5,
    }

    assert matrix_variables(matrix) == {
        "MATRIX_NODE_VERSION": "20",
        "MATRIX_OS_NAME": "deb",
        "MATRIX_OS_ARM": "false",
        "MATRIX_NONE": "",
        "MATRIX_F": "1.5",
    }


def test_an_env_file_is_read_as_it_stands() -> None:
    text = "# comment\n\nA=1\nexport B='two words'\nC=\"$A\"\nnot a line\n1X=2\nE==\n"

    assert parse_env_lines(text) == ({"A": "1", "B": "two words", "C": "$A", "E": "="}, [6, 7])
