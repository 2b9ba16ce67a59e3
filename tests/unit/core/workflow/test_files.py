"""The same rule finds workflows in a folder and in a commit."""

from __future__ import annotations

import pytest

from pawl.core.workflow.files import is_workflow_path, workflows_in_order


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/a.yml",
        ".github/workflows/.b.yaml",
        ".pawl/workflows/c d.yml",
        ".ci.yml",
        ".ci.yaml",
        ".ci/x.yaml",
    ],
)
def test_a_workflow_is_known_by_its_path(path: str) -> None:
    assert is_workflow_path(path)


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/below/a.yml",
        "below/.github/workflows/a.yml",
        ".github/a.yml",
        ".github/workflows/a.YML",
        ".github/workflows/a.json",
        ".ci",
        "x.ci.yml",
        ".ci.yml/a",
        "",
    ],
)
def test_another_file_is_none(path: str) -> None:
    assert not is_workflow_path(path)


def test_they_are_ordered_by_place_then_name() -> None:
    wanted = (
        ".github/workflows/b.yml",
        ".github/workflows/a.yaml",
        ".pawl/workflows/a.yml",
        ".ci.yml",
        ".ci/a.yml",
    )
    assert workflows_in_order((*reversed(wanted), "README.md")) == wanted
