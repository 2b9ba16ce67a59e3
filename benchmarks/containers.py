"""P5 and the whole of a small run: what a step and a job cost in a container."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Missing, Row, interleaved, milliseconds, seconds
from benchmarks.project import IMAGE, has_engine, project, run
from pawl.adapters.executor_docker import DockerExecutor
from pawl.ports.executor import Executor, ImageRef, ProcessSpec, SandboxSpec

STEPS = 60


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    if not has_engine():
        why = f"no engine with {IMAGE} at DOCKER_HOST"
        return [Missing(id="P5", what="step overhead", why=why), Missing(id="run", what="pawl run", why=why)]
    return [asyncio.run(_step_overhead()), _whole_run()]


async def _step_overhead() -> Row:
    executor = DockerExecutor(os.environ["DOCKER_HOST"])
    try:
        with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder:
            ours, peer = await _steps(executor, Path(folder))
    finally:
        await executor.aclose()
    floor = seconds(lambda: subprocess.run(["/bin/true"], check=True), runs=STEPS)
    taken = milliseconds(ours)
    return Row(
        id="P5",
        what="a step that does nothing, inside a container",
        pawl=taken,
        floor=("fork and exec on the host", milliseconds(floor)),
        peer=("docker exec", milliseconds(peer)),
        target="4 ms median",
        meets=taken.median < 4,
    )


async def _steps(executor: Executor, folder: Path) -> tuple[list[float], list[float]]:
    for name in ("temp", "files", "actions", "workspace"):
        (folder / name).mkdir()
    spec = SandboxSpec(
        name=f"bench-{os.getpid()}", owner="benchmarks", folder=folder, image=ImageRef(name=IMAGE)
    )
    sandbox = await executor.open(spec, lambda _line: None)
    ours: list[float] = []
    try:
        for number in range(STEPS):
            began = time.perf_counter()
            process = await sandbox.run(ProcessSpec(id=f"step-{number}", argv=["true"]))
            assert (await process.wait()).code == 0
            ours.append(time.perf_counter() - began)
        container = sandbox.identity["id"]
        execute = ["docker", "exec", container, "true"]
        peer = seconds(lambda: subprocess.run(execute, check=True), runs=10)
    finally:
        await sandbox.close()
    return ours, peer


def _whole_run() -> Row:
    plain = ["docker", "run", "--rm", IMAGE, "true"]
    with project("true") as folder:
        ours, peer = interleaved(
            lambda: run(folder, "--executor", "docker"),
            lambda: subprocess.run(plain, check=True, capture_output=True),
            runs=7,
        )
    return Row(
        id="run",
        what="a whole `pawl run` of one step: read, plan, container, log, clean-up",
        pawl=milliseconds(ours),
        peer=("docker run --rm of the same", milliseconds(peer)),
        target="stated beside its peer",
        meets=None,
    )
