"""The resident shell itself, run on this machine: what it does when it cannot write."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from pawl.adapters.executor_docker.control import ControlFolder
from pawl.adapters.executor_docker.supervisor import SUPERVISOR, start_script
from pawl.ports.executor import Exit


async def test_an_exit_code_that_cannot_be_written_is_told_all_the_same(tmp_path: Path) -> None:
    """As on a full disk; here a folder is in the file's place."""
    control = ControlFolder(tmp_path / "control")
    path = str(control.path)
    shell = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", SUPERVISOR, "pawl", path, start_new_session=True
    )
    try:
        assert await control.wait_ready(20)
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        (control.path / "p0.exit").mkdir()
        for name in ("p0.out", "p0.err"):
            control.make_file(name)
        script = start_script(path, "p0", ["/bin/sh", "-c", "exit 7"], {}, str(tmp_path))
        control.make_file("p0.run", script, 0o644)
        await control.run("p0", ended.set_result)
        assert (await asyncio.wait_for(ended, 20)).code == 7
    finally:
        control.close()
        os.killpg(shell.pid, signal.SIGKILL)
        await shell.wait()
