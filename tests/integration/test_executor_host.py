"""The host executor when Pawl itself is killed, and what it refuses."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from pawl.adapters.executor_host import HostExecutor
from pawl.core.model.errors import UsageError
from pawl.ports.executor import ImageRef, ProcessSpec, SandboxSpec, ServiceSpec

_PAWL = """
import asyncio, sys
from pathlib import Path
from pawl.adapters.executor_host import HostExecutor
from pawl.ports.executor import ProcessSpec, SandboxSpec

async def main():
    folder = Path(sys.argv[1])
    sandbox = await HostExecutor().open(SandboxSpec(name="orphaned", owner=sys.argv[2], folder=folder), print)
    script = "echo $$ > pid; (setsid sleep 300 & echo $! > daemon); while :; do sleep 0.1; done"
    process = await sandbox.run(ProcessSpec(id="step", argv=["sh", "-c", script]))
    await process.wait()

asyncio.run(main())
"""


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


async def _until(condition: object, what: str) -> None:
    for _ in range(2000):
        if condition():  # type: ignore[operator]  # a function of the test's
            return
        await asyncio.sleep(0.005)
    pytest.fail(f"after 10 s still not: {what}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for sub in ("workspace", "temp", "files", "actions"):
        (tmp_path / sub).mkdir()
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")
async def test_processes_of_a_killed_pawl_are_found_and_ended_by_the_next(folder: Path) -> None:
    owner = f"pawl1/test killed-{os.getpid()}/x/x/1/1"
    pawl = await asyncio.create_subprocess_exec(sys.executable, "-c", _PAWL, str(folder), owner)
    made = [folder / "workspace" / "pid", folder / "workspace" / "daemon"]
    await _until(lambda: all(path.exists() and path.read_text().strip() for path in made), "the step runs")
    pids = [int(path.read_text()) for path in made]
    pawl.send_signal(signal.SIGKILL)
    await pawl.wait()
    assert all(map(_is_running, pids))
    executor = HostExecutor()
    assert await executor.sweep(lambda other: other != owner, dry_run=True) == ("processes of orphaned",)
    assert all(map(_is_running, pids))
    assert await executor.sweep(lambda other: other != owner) == ("processes of orphaned",)
    await _until(lambda: not any(map(_is_running, pids)), "all ended")


async def test_the_environment_is_clean(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "of the user's shell")
    sandbox = await HostExecutor().open(SandboxSpec(name="clean", owner="test", folder=folder), print)
    process = await sandbox.run(ProcessSpec(id="env", argv=["env"]))
    await process.wait()
    names = {line.partition("=")[0] for line in process.stdout.read_text().splitlines()}
    await sandbox.close()
    assert "MY_SECRET" not in names
    assert {"PATH", "HOME", "TMPDIR", "LANG"} <= names


@pytest.mark.parametrize(
    "changes",
    [
        {"job_container": True, "image": ImageRef(name="x")},
        {"services": (ServiceSpec(name="db", image=ImageRef(name="x")),)},
        {"network": "none"},
    ],
)
async def test_what_needs_containers_is_refused_with_a_mend(folder: Path, changes: dict[str, object]) -> None:
    spec = SandboxSpec(name="refused", owner="test", folder=folder, **changes)  # type: ignore[arg-type]  # test data
    with pytest.raises(UsageError) as caught:
        await HostExecutor().open(spec, print)
    assert "--executor docker" in (caught.value.hint or "")


async def test_a_docker_action_is_refused_with_a_mend(folder: Path) -> None:
    sandbox = await HostExecutor().open(SandboxSpec(name="refused", owner="test", folder=folder), print)
    with pytest.raises(UsageError, match="docker action alpine"):
        await sandbox.run(ProcessSpec(id="a", argv=[], image=ImageRef(name="alpine")))
    await sandbox.close()
