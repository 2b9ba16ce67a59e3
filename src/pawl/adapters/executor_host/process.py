"""One process on this machine, its output in two files, its end told by the kernel."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pawl.adapters.executor_host.marks import Mark, signal_marked
from pawl.ports.executor import Exit

_SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL}


class HostProcess:
    """A process in a session of its own."""

    def __init__(self, stdout: Path, stderr: Path, mark: Mark) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._mark = mark
        self._child: subprocess.Popen[bytes] | None = None
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    @property
    def stdout(self) -> Path:
        """Return the file its standard output goes to."""
        return self._stdout

    @property
    def stderr(self) -> Path:
        """Return the file its standard error goes to."""
        return self._stderr

    def start(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        """Start it; a program that cannot be started has ended when this returns."""
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            try:
                self._child = subprocess.Popen(
                    list(argv),
                    cwd=cwd,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                self._ended.set_result(_not_started(error, argv, cwd))
                return
        stand_back(self._child.pid)
        self._watch(self._child)

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        loop = asyncio.get_running_loop()
        try:
            handle = os.pidfd_open(child.pid)
        except (AttributeError, OSError):
            # No pidfd (macOS, an old kernel): a thread waits in its stead.
            threading.Thread(target=self._watch_in_thread, args=(loop, child), daemon=True).start()
            return

        def collect() -> None:
            loop.remove_reader(handle)
            os.close(handle)
            self._finish(child.wait())

        loop.add_reader(handle, collect)

    def _watch_in_thread(self, loop: asyncio.AbstractEventLoop, child: subprocess.Popen[bytes]) -> None:
        code = child.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._finish, code)

    def _finish(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(Exit(code=code) if code >= 0 else Exit(code=128 - code, signal=-code))

    async def wait(self) -> Exit:
        """Return how it ended. Cancelling the wait does not stop the process."""
        return await asyncio.shield(self._ended)

    async def signal(self, name: str) -> None:
        """Send INT, TERM or KILL to its process group, and to descendants that have left the group.

        Nothing when it has ended: what it left running belongs to the job, whose `close` ends it.
        """
        if self._child is None or self._ended.done():
            return
        number = _SIGNALS[name]
        group = self._child.pid
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)

        def outside(mark: Mark) -> bool:
            return mark == self._mark

        await asyncio.to_thread(signal_marked, outside, number, skip_group=group)

    def kill_group(self) -> None:
        """Kill what is left of its process group, also when it has itself ended."""
        if self._child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)


def stand_back(pid: int) -> None:
    """Give a new session the niceness of this process: Linux shares time out between sessions first."""
    niceness = os.nice(0)
    if niceness > 0:
        with suppress(OSError):  # only some kernels group by session, and they may say: not so often
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness), "ascii")


def _not_started(error: OSError | ValueError, argv: Sequence[str], cwd: str) -> Exit:
    """Return the shell's code and a reason for a process that could not be started."""
    if isinstance(error, ValueError):  # a NUL byte in an argument or variable
        return Exit(code=126, reason=f"the process cannot be started: {error}")
    if error.filename == cwd and argv[0] != cwd:
        return Exit(code=126, reason=f"the working directory {cwd} cannot be entered: {error.strerror}")
    if isinstance(error, FileNotFoundError):
        return Exit(code=127, reason=f"the program {argv[0]} was not found")
    return Exit(code=126, reason=f"the program {argv[0]} cannot be run: {error.strerror}")
