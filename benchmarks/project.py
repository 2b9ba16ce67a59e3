"""A throw-away project to run `pawl` in, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IMAGE = "pawl/busybox:test"
PAWL = [str(Path(sys.executable).with_name("pawl"))]


@contextmanager
def project(script: str, *, settings: str = "") -> Iterator[Path]:
    """Yield the folder of a project with one job of one step that runs `script`."""
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as name:
        folder = Path(name)
        workflow = folder / ".github/workflows/bench.yml"
        workflow.parent.mkdir(parents=True)
        steps = [{"name": "work", "run": script}]
        jobs = {"bench": {"runs-on": "ubuntu-latest", "steps": steps}}
        workflow.write_text(json.dumps({"on": "push", "jobs": jobs}), "utf-8")
        (folder / "pawl.toml").write_text(f'[labels]\nubuntu-latest = "{IMAGE}"\n{settings}', "utf-8")
        yield folder


def has_engine() -> bool:
    """Return whether an engine with the test image answers at DOCKER_HOST."""
    if not os.environ.get("DOCKER_HOST"):
        return False
    command = ["docker", "image", "inspect", IMAGE]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `pawl run` in `folder` and return what it printed.

    Raises:
        RuntimeError: the run failed.
    """
    result = subprocess.run([*PAWL, "run", *options], cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stdout[-2000:] + result.stderr[-2000:])
    return result


def peak_memory(folder: Path, *options: str) -> int:
    """Return the most resident bytes `pawl run` had, its output thrown away."""
    process = subprocess.Popen(
        [*PAWL, "run", *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"pawl run ended with {process.returncode}")
    return usage.ru_maxrss * 1024
