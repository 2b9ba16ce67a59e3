"""The commands of the README before anything is set up: what they say, and how they end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_without_a_target_lists_what_there_is() -> None:
    told = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    listed = {line.split()[0] for line in told.splitlines() if line and not line.startswith("make[")}
    wanted = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert wanted is not None
    assert listed - {"make:"} == set(wanted[1].split())


def test_every_program_that_make_calls_is_there() -> None:
    named = set(re.findall(r"\btools/[\w./]+", MAKEFILE))
    assert {name for name in named if not (ROOT / name).is_file()} == set()
    assert len(named) >= 7


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("old", "error: PYTHON names {path}, which is no Python 3.11 or newer."),
        ("nothing", "error: PYTHON names {path}, which is no Python 3.11 or newer."),
    ],
)
def test_a_python_that_is_named_and_does_not_do_is_refused(named: str, said: str, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho 'Python 3.9.2'\nexit 1\n")
    old.chmod(0o755)
    path = tmp_path / named
    done = bootstrap(tmp_path / "venv", PYTHON=str(path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == said.format(path=path)
    assert not (tmp_path / "venv").exists()


def test_without_any_python_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = bootstrap(tmp_path / "venv", PATH=str(tmp_path / "bin"))
    assert done.returncode == 2
    assert "error: Pawl needs Python 3.11 or newer, and none was found." in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def bootstrap(venv: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools/bootstrap"), str(venv)],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **environment},
    )
