"""The embedded worker: a process of its own on a private socket, started again when it dies.

It is a worker like any other. Its jobs run in processes of their own, which outlive it: the next one finds
them in its data folder and goes on with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pawl.core.model.errors import InfrastructureError
from pawl.server.locking import write_private
from pawl.server.log_lines import say

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LIVED_LONG = 60.0
"""Seconds of life after which the next death is a new trouble, not the old one."""


def worker_command(options: Sequence[str]) -> list[str]:
    """Return the command line of `pawl worker` with these options."""
    return [sys.executable, "-m", "pawl.cli.main", "--embedded", "worker", *options]


class EmbeddedWorker:
    """Keeps one worker process running until it is stopped."""

    def __init__(self, command: Sequence[str], pid_file: Path) -> None:
        """Take its command line, and where its process id is kept for the next server."""
        self._command = list(command)
        self._pid_file = pid_file
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = asyncio.Event()
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Return its process while there is one."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self) -> None:
        """Start it, and again whenever it ends, until it is stopped."""
        self._end_former()
        pause, loop = _FIRST_PAUSE, asyncio.get_running_loop()
        while not self._stopped.is_set():
            started = loop.time()
            code = await self._run_once()
            if self._stopped.is_set():
                return
            pause = _FIRST_PAUSE if loop.time() - started > _LIVED_LONG else pause
            say("embedded worker ended", logging.WARNING, code=code, again_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def stop(self, seconds: float) -> None:
        """Have it end what is about to end within some seconds, then kill it; its jobs go on."""
        self._stopped.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            self.kill()
            await process.wait()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill it at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _run_once(self) -> int:
        try:
            # A session of its own: Ctrl-C in the server's terminal is not meant for it.
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            say("embedded worker does not start", logging.ERROR, detail=str(error))
            return -1
        self.starts += 1
        with contextlib.suppress(InfrastructureError):
            write_private(self._pid_file, f"{self._process.pid} {_start_of(self._process.pid)}\n")
        say("embedded worker started", pid=self._process.pid)
        return await self._process.wait()

    def _end_former(self) -> None:
        """Kill the worker of a server that was killed: two may not have the same folder."""
        try:
            pid, start = self._pid_file.read_text("ascii").split()
            if start == _start_of(int(pid)) != "":
                os.kill(int(pid), signal.SIGKILL)
                say("a former embedded worker was ended", pid=int(pid))
        except (OSError, ValueError):
            return


def _start_of(pid: int) -> str:
    """Return when a process was started, "" when there is none: an id alone may be another's by now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
