"""Shell completion, in the shells themselves where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = (
    "on: push\njobs:\n  build: {runs-on: x, steps: [run: ls]}\n  bundle: {runs-on: x, steps: [run: ls]}\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a workflow, and `pawl` on the PATH."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/release.yml").write_text(WORKFLOW)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("vali",), ["validate"]),
        (("run", "--keep"), ["--keep-on-failure"]),
        (("run", "--executor", "do"), ["docker"]),
        (("run", "re"), ["release"]),
        (("run", "release", "-j", "bu"), ["build", "bundle"]),
        (("run", "-j", "nope"), []),
        (("plan", "--event", "pull_request_t"), ["pull_request_target"]),
    ],
)
def test_bash_completes_commands_options_and_their_values(
    words: tuple[str, ...], offered: list[str], project: Path
) -> None:
    script = (
        'eval "$(pawl completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pawl_completion pawl'
    )
    command = ["bash", "-c", f'{script}; printf "%s\\n" "${{COMPREPLY[@]}}"', "bash", "pawl", *words]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (completed.stdout.split(), completed.stderr) == (offered, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(shell: str, project: Path) -> None:
    script = subprocess.run(["pawl", "completion", shell], capture_output=True, text=True, check=True).stdout
    assert "_PAWL_COMPLETE" in script
    found = shutil.which(shell)
    if found is not None:
        # `-n` reads without running. Only bash is always there; the others where a developer has them.
        subprocess.run([found, "-n"], input=script, text=True, check=True)
