"""Every project of examples/ runs: on the host, or in containers where it asks for them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pawl.cli.main import main
from pawl.cli.project import Project

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROJECTS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())


def _needs_containers(project: Path) -> bool:
    files = Project(project).workflow_files()
    return any(
        re.search(r"^ +(?:services|container):", path.read_text("utf-8"), re.MULTILINE) for path in files
    )


ON_HOST = [project for project in PROJECTS if not _needs_containers(project)]
IN_CONTAINERS = [project for project in PROJECTS if _needs_containers(project)]


def _copy(project: Path, target: Path) -> Path:
    shutil.copytree(project, target, ignore=shutil.ignore_patterns("runs"))
    subprocess.run(["git", "init", "-q", "-b", "main", str(target)], check=True)
    return target


@pytest.fixture
def pawl(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs a command in a folder, in this process, and returns its exit code."""
    for name in [name for name in os.environ if name.startswith("PAWL_")]:
        monkeypatch.delenv(name)

    def run(folder: Path, *arguments: str) -> int:
        monkeypatch.chdir(folder)
        return main(arguments)

    return run


@pytest.mark.parametrize("project", ON_HOST, ids=lambda path: path.name)
def test_an_example_runs_on_the_host(project: Path, tmp_path: Path, pawl: Callable[..., int]) -> None:
    folder = _copy(project, tmp_path / project.name)
    for workflow in Project(folder).workflow_files():
        assert pawl(folder, "run", "--executor", "host", str(workflow)) == 0


@pytest.mark.engine
@pytest.mark.parametrize("project", IN_CONTAINERS, ids=lambda path: path.name)
def test_an_example_runs_in_containers(project: Path, tmp_path: Path, pawl: Callable[..., int]) -> None:
    if "DOCKER_HOST" not in os.environ:
        assert not os.environ.get("CI"), "CI is set and there is no container engine"
        pytest.skip("no container engine; tools/engine/start brings one up")
    folder = _copy(project, tmp_path / project.name)
    for workflow in Project(folder).workflow_files():
        assert pawl(folder, "run", "--executor", "docker", str(workflow)) == 0


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_an_example_has_no_faults_and_stands_in_the_index(project: Path, pawl: Callable[..., int]) -> None:
    assert pawl(project, "validate") == 0
    assert f"({project.name}/README.md)" in (EXAMPLES / "README.md").read_text("utf-8")
