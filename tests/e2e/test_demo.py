"""`make demo`: the whole way from a push to a commit status, how it ends, and that it leaves nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiodocker
import pytest

from tests.e2e.showing import ROOT, showing

HOST = ("--executor", "host")
EXAMPLE = ROOT / "examples/demo"
STEPS = (
    r"A forge with the private repository acme/words: http://127\.0\.0\.1:\d+/acme/words\.git",
    r"\$ pawl serve --data \S+ --port \d+",
    r"The server answers at http://127\.0\.0\.1:\d+",
    r"\$ pawl project add acme/words --forge gitea --url \S+ .*--git-token token\.txt",
    r"The forge sends its webhooks to http://127\.0\.0\.1:\d+/webhooks/gitea/acme/words",
    r"\$ git push",
    r"Run 1 of Demo, for [0-9a-f]{12}, on host",
    r". check: Copied \d+ files of acme/words at [0-9a-f]{12}",
    r". test \(latin, lapidem\): \d+ words, longest: lapidem",
    r"Run 1: success",
    r"From `git push` to the first log line: \d+\.\d\d s; to the first of a step: \d+\.\d\d s\.",
)
"""What is told in this order; the forge speaks between them as it happens."""


def test_the_demo_goes_from_a_push_to_a_status_and_leaves_nothing(tmp_path: Path) -> None:
    with showing(tmp_path, *HOST) as shown:
        assert shown.end() == 0, shown.told
        lines = [line[10:] for line in shown.told.splitlines()]
        steps = [line for line in lines if any(re.match(step, line) for step in STEPS)]
        assert [bool(re.match(step, line)) for step, line in zip(STEPS, steps, strict=True)] == [True] * len(
            STEPS
        )
        statuses = [line for line in lines if line.startswith("Commit status at the forge: pawl/Demo: ")]
        assert ": pending, " in statuses[0]
        assert ": success, " in statuses[-1]
        assert any(re.search(r"its signed webhook was answered 202 in \d+ ms", line) for line in lines)
        assert "No container engine is used: jobs run on this machine itself, with no isolation." in lines
        assert "\x1b" not in shown.told, "plain where it is no terminal"
        shown.assert_nothing_is_left()


def test_ctrl_c_in_the_middle_of_the_run_ends_all(tmp_path: Path) -> None:
    with showing(tmp_path, *HOST) as shown:
        shown.wait_for("Run 1 of Demo")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 128 + signal.SIGINT
        assert "Ended, and everything that was started is gone." in shown.told
        assert "Traceback" not in shown.told
        shown.assert_nothing_is_left()


@pytest.fixture
async def engine() -> AsyncIterator[aiodocker.Docker]:
    try:
        async with aiodocker.Docker() as found:
            await found.images.inspect("pawl/busybox:test")
            yield found
    except (aiodocker.DockerError, OSError, ValueError) as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no container engine with the image: {error}")


async def containers_in(folder: Path, engine: aiodocker.Docker) -> list[str]:
    """Return the containers that have files of a folder."""
    told = await engine._query_json("containers/json", params={"all": "true"})
    return [
        each["Id"]
        for each in told
        if any(mount.get("Source", "").startswith(f"{folder}/") for mount in each["Mounts"])
    ]


@pytest.mark.engine
async def test_ctrl_c_in_the_middle_of_a_container_leaves_none(
    tmp_path: Path, engine: aiodocker.Docker
) -> None:
    project = project_that_counts_by("echo counting >&2; sleep 600\n", tmp_path)
    with showing(tmp_path, "--executor", "docker", project=project) as shown:
        shown.wait_for(": counting")
        before = await containers_in(shown.folder, engine)
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 128 + signal.SIGINT
        assert before, "it ran in a container"
        assert await containers_in(shown.folder, engine) == []
        shown.assert_nothing_is_left()


def test_kept_it_goes_on_until_somebody_ends_it(tmp_path: Path) -> None:
    with showing(tmp_path, *HOST, "--keep") as shown:
        shown.wait_for("git commit --allow-empty")
        (folder,) = shown.folder.glob("pawl-demo-*")
        asked = subprocess.run(
            [Path(sys.executable).with_name("pawl"), "deliveries", "show", "1"],
            env={**os.environ, "PAWL_DATA": str(folder / "data")},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "acme/words" in asked.stdout
        shown.process.send_signal(signal.SIGTERM)
        assert shown.end() == 128 + signal.SIGTERM
        shown.assert_nothing_is_left()


def project_that_counts_by(script: str, tmp_path: Path) -> Path:
    """Return the example with another script for counting."""
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("runs"))
    (project / "count.sh").write_text(script)
    return project


def test_a_run_that_fails_fails_the_demo_and_its_commit(tmp_path: Path) -> None:
    project = project_that_counts_by("echo 'no words, longest: none'\n", tmp_path)
    with showing(tmp_path, *HOST, project=project) as shown:
        assert shown.end() == 1, shown.told
        assert "Run 1: failure" in shown.told
        last = [line for line in shown.told.splitlines() if "Commit status at the forge" in line][-1]
        assert "pawl/Demo: failure, " in last
        shown.assert_nothing_is_left()
