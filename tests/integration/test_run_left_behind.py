"""What a run leaves behind when it is stopped or killed: nothing, at the latest after the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.runs_folder.owner import is_owner_alive
from pawl.core.model.run_events import LogAppended, RunEvent
from pawl.core.model.status import Conclusion
from pawl.testing.builders import OWN_FILE, make_plan
from pawl.testing.scenarios import Scenario

STUBBORN = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap '' INT TERM
          sleep 300 & echo $! > "{pids}.child"
          echo $$ > "{pids}"; echo ready
          while :; do sleep 0.05; done
"""
DRIVER = """
import asyncio, sys
from pathlib import Path
from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.runs_folder.owner import owner_token
from pawl.testing.builders import make_plan
from pawl.testing.scenarios import Scenario
root = Path(sys.argv[1])
plan = make_plan((root / "workflow.yml").read_text())
asyncio.run(Scenario(executor=HostExecutor(), root=root, owner=owner_token()).run(plan))
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


def pids(root: Path) -> list[int]:
    return [int((root / name).read_text()) for name in ("pids", "pids.child")]


async def test_stopping_at_once_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    """Not even of a step that ignores signals and has put a child in the background."""
    scenario = Scenario(executor=HostExecutor(), root=tmp_path)

    def stop(event: RunEvent) -> None:
        if isinstance(event, LogAppended) and b"\nready" in b"\n" + event.data:
            scenario.cancellation.request("enough", at_once=True)

    scenario.told.on_event = stop

    ended = await scenario.run(make_plan(STUBBORN.format(pids=tmp_path / "pids"), path=OWN_FILE))

    assert ended.conclusion is Conclusion.CANCELLED
    assert not any(is_running(pid) for pid in pids(tmp_path))
    assert ended.left_behind == []


async def test_what_a_killed_run_left_is_gone_after_the_next(tmp_path: Path) -> None:
    (tmp_path / "workflow.yml").write_text(STUBBORN.format(pids=tmp_path / "pids"))
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DRIVER, str(tmp_path), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await until((tmp_path / "pids").exists, "the step to begin")
        await until(lambda: bool((tmp_path / "pids").read_text()), "its process id")
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        await killed.wait()
    assert any(is_running(pid) for pid in pids(tmp_path)), "the step outlives the kill of its run"

    executor = HostExecutor()
    swept = await executor.sweep(is_owner_alive)

    assert swept
    await until(lambda: not any(is_running(pid) for pid in pids(tmp_path)), "the processes to end")


async def test_the_folders_of_a_killed_run_are_gone_after_the_next_of_any_project(tmp_path: Path) -> None:
    marks, project = tmp_path, tmp_path / "project"
    project.mkdir()
    (project / ".ci.yml").write_text(STUBBORN.format(pids=marks / "pids"))
    other = tmp_path / "other"
    other.mkdir()
    (other / ".ci.yml").write_text("on: push\njobs: {b: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n")

    async def pawl(workflow: str, cwd: Path = project) -> asyncio.subprocess.Process:
        command = (sys.executable, "-c", "from pawl.cli.main import main; main()")
        quiet = asyncio.subprocess.DEVNULL
        wanted = ("run", "--executor", "host", workflow)
        environment = os.environ | {"PAWL_WORK": str(marks / "elsewhere")}
        return await asyncio.create_subprocess_exec(
            *command, *wanted, cwd=cwd, env=environment, stdout=quiet, stderr=quiet
        )

    killed = await pawl(".ci.yml")
    try:
        await until(lambda: (marks / "pids").exists() and bool((marks / "pids").read_text()), "the step")
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        await killed.wait()
    assert list((marks / "elsewhere").glob("1-*/*/workspace"))

    await (await pawl(".ci.yml", other)).wait()

    assert list((marks / "elsewhere").iterdir()) == []
    await until(lambda: not any(is_running(pid) for pid in pids(marks)), "the processes to end")
