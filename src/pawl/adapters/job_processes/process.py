"""One job's process as its worker sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path

from pawl.adapters.job_processes.inside import STOP_SIGNAL
from pawl.adapters.job_processes.locks import is_locked
from pawl.adapters.job_processes.places import PROCESS, STOP, WAKE, read_json, write_json
from pawl.core.model.errors import InfrastructureError

_PAUSE = 0.01
_MUCH = 65_536
_REAPED_WITHIN = 5.0

_left: list[subprocess.Popen[bytes]] = []
"""Children that go on though nobody watches them: kept, so that the system is told when they have ended."""


class JobProcess:
    """Knows the process by its folder (ports.job_host.HostedJob)."""

    def __init__(self, folder: Path, child: subprocess.Popen[bytes] | None) -> None:
        """Watch the folder's process; `child` when it is this worker's own.

        Raises:
            OSError: the folder cannot be read.
        """
        self._folder = folder
        self._child = child
        self._asked: tuple[str, bool] | None = None
        # For reading and writing: so it has no end when the job has none open.
        self._wake = os.open(folder / WAKE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def running(self) -> bool:
        """Return whether its process lives."""
        if self._child is not None:
            self._child.poll()
        return is_locked(self._folder)

    def ask_to_stop(self, reason: str, *, at_once: bool) -> None:
        """Ask it to stop, as the port says."""
        if self._asked is not None and (self._asked[1] or not at_once):
            return
        reason = self._asked[0] if self._asked is not None else reason
        try:
            write_json(self._folder / STOP, {"reason": reason, "at_once": at_once})
        except OSError as error:
            raise InfrastructureError(f"Cannot ask the job of {self._folder} to stop: {error}") from error
        self._asked = (reason, at_once)
        self._signal(STOP_SIGNAL, group=False)

    async def changed(self, seconds: float) -> None:
        """Return when there is something new, as the port says."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.add_reader(self._wake, woken.set)
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return
        finally:
            loop.remove_reader(self._wake)
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._wake, _MUCH)) == _MUCH:
                pass

    async def kill(self) -> None:
        """End its process for good, as the port says."""
        while self.running:
            # A process that has just been started may not have said its id yet.
            self._signal(signal.SIGKILL, group=True)
            await asyncio.sleep(_PAUSE)

    def let_go(self) -> None:
        """Stop watching it."""
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1
        child, self._child = self._child, None
        if child is None:
            return
        if not is_locked(self._folder):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_REAPED_WITHIN)  # its last instructions
        _left[:] = [each for each in (*_left, child) if each.poll() is None]

    def _signal(self, number: signal.Signals, *, group: bool) -> None:
        pid = self._child.pid if self._child is not None else read_json(self._folder / PROCESS).get("pid")
        # Its lock is held, so the id is still its own; its group has the id of the process that began it.
        if isinstance(pid, int) and pid > 1 and self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                (os.killpg if group else os.kill)(pid, number)
