"""A process in a job's container, started by its resident shell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from pawl.adapters.executor_docker.control import ControlFolder
from pawl.ports.executor import Exit


def explain(program: str, cwd: str) -> dict[str, str]:
    """Return the reasons that ID.why stands for."""
    return {
        "cwd": f"the working directory {cwd} cannot be entered",
        "program": f"the program {program} was not found",
        "lost": "the shell that waits for the process was killed: a step may have killed its parent",
    }


class ShellProcess:
    """Its output is in two files of the control folder, which the container writes."""

    def __init__(self, control: ControlFolder, identity: str, program: str, cwd: str) -> None:
        self._control = control
        self._id = identity
        self._reasons = explain(program, cwd)
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    @property
    def stdout(self) -> Path:
        """Return the file its standard output grows in. The container can put anything there."""
        return self._control.path / f"{self._id}.out"

    @property
    def stderr(self) -> Path:
        """Return the same for standard error."""
        return self._control.path / f"{self._id}.err"

    async def start(self, script: bytes) -> None:
        """Hand the script to the container's shell.

        Raises:
            InfrastructureError: it takes none.
        """
        self._control.make_file(f"{self._id}.out")
        self._control.make_file(f"{self._id}.err")
        self._control.make_file(f"{self._id}.run", script, 0o644)
        await self._control.run(self._id, self.end)

    def end(self, how: Exit) -> None:
        """Take how it ended; the first says it."""
        if self._ended.done():
            return
        if how.code in (126, 127, 137) and how.reason is None:
            why = self._control.read_answer(f"{self._id}.why") or ""
            how = replace(how, reason=self._reasons.get(why))
        self._ended.set_result(how)

    async def wait(self) -> Exit:
        """Return how it ended. Cancelling the wait does not stop the process."""
        return await asyncio.shield(self._ended)

    async def signal(self, name: str) -> None:
        """Send INT, TERM or KILL to the process and all its descendants; nothing when it has ended.

        Raises:
            InfrastructureError: the container's shell takes no requests.
        """
        if name not in ("INT", "TERM", "KILL"):
            raise ValueError(f"{name} is not a signal that is sent to steps")
        if not self._ended.done():
            await self._control.request("signal", self._id, name)


class EndedProcess:
    """A process that could not be started."""

    def __init__(self, stdout: Path, stderr: Path, how: Exit) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._how = how

    @property
    def stdout(self) -> Path:
        """Return an empty file."""
        return self._stdout

    @property
    def stderr(self) -> Path:
        """Return an empty file."""
        return self._stderr

    async def wait(self) -> Exit:
        """Return why."""
        return self._how

    async def signal(self, name: str) -> None:
        """Do nothing."""
