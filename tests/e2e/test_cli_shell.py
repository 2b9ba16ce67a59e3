"""A failed job's container is kept for `pawl shell`, and removed by `pawl doctor --clean`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.cli.main import main
from pawl.core.model.errors import InfrastructureError

pytestmark = pytest.mark.engine

WORKFLOW = """\
on: push
jobs:
  build:
    runs-on: pawl/busybox:test
    steps:
      - run: echo left > found; exit {code}
"""


SHELL = [sys.executable, "-m", "pawl.cli.main", "shell", "build"]


@pytest.fixture(autouse=True)
async def engine() -> None:
    found = DockerExecutor()
    try:
        await found.probe()
    except InfrastructureError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    finally:
        await found.aclose()


def shell(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(SHELL, input=script, capture_output=True, text=True, check=False, timeout=60)


def test_the_container_of_a_failed_job_is_there_until_it_is_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ci.yml").write_text(WORKFLOW.format(code=3))
    assert main(["run", "--executor", "docker", "--keep-on-failure"]) == 1
    assert "pawl shell build" in capsys.readouterr().out
    first = shell("cat found; exit 7\n")
    assert (first.stdout, first.returncode) == ("left\n", 7)
    # Not a terminal and not a pipe either: what epoll refuses.
    (tmp_path / "script").write_text("cat found; exit 8\n")
    for file, said in ((tmp_path / "script", ("left\n", 8)), (Path(os.devnull), ("", 0))):
        with file.open() as script:
            from_file = subprocess.run(
                SHELL, stdin=script, capture_output=True, text=True, timeout=60, check=False
            )
        assert (from_file.stdout, from_file.returncode) == said
    (tmp_path / ".ci.yml").write_text(WORKFLOW.format(code=0))
    assert main(["run", "--executor", "docker", "--keep-on-failure"]) == 0
    assert "pawl shell" not in capsys.readouterr().out
    assert shell("cat found\n").stdout == "left\n"
    main(["doctor", "--clean"])
    gone = shell("cat found\n")
    assert gone.returncode == 2
    assert "no run kept a container" in gone.stderr
    assert not list((tmp_path / ".pawl/runs").glob("*/work"))


def test_an_image_that_does_not_exist_ends_with_2_or_3_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ci.yml").write_text(WORKFLOW.format(code=0).replace("pawl/busybox:test", "'no such:image'"))
    assert main(["run", "--executor", "docker"]) in {1, 2, 3}
    captured = capsys.readouterr()
    assert "no such:image" in captured.out + captured.err
    assert "Traceback" not in captured.err
