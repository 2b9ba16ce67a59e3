"""Starting jobs' processes, and finding them again (ports.job_host)."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pawl.adapters.job_processes.handing import handed_over
from pawl.adapters.job_processes.locks import take_lock
from pawl.adapters.job_processes.places import ERR, OUT, PROCESS, WAKE
from pawl.adapters.job_processes.process import JobProcess
from pawl.adapters.job_processes.waiting import WaitingProcess, can_wait
from pawl.core.model.errors import InfrastructureError

_KEPT = frozenset({"PAWL_SANDBOX"})


class JobProcesses:
    """Runs `command FOLDER` for each attempt, in a session of its own and without the worker's secrets."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] = os.environ,
        ready: bool = False,
    ) -> None:
        """Take what to run.

        Args:
            command: program and arguments, to which the folder is added.
            environment: of the worker; what is Pawl's own in it (its token) is not handed on.
            ready: whether a process is to wait, everything imported, and a fork of it for the next job. Linux
                only.
        """
        self._command = tuple(command)
        self._environment = {
            name: value
            for name, value in environment.items()
            if name in _KEPT or not name.startswith("PAWL_")
        }
        self._keeps_ready = ready and can_wait()
        self._waiting: WaitingProcess | None = None

    def start(self, folder: Path, handed: bytes = b"") -> JobProcess:
        """Start the process of an attempt, as the port says."""
        try:
            # There when a worker before this one was killed as it started the job.
            with contextlib.suppress(FileExistsError):
                os.mkfifo(folder / WAKE, 0o600)
            try:
                lock = take_lock(folder)
            except BlockingIOError:
                return JobProcess(folder, None)  # its process lives already
        except OSError as error:
            raise _refused(folder, error) from error
        try:
            if (folder / PROCESS).exists():
                return JobProcess(folder, None)  # it has lived already
            given = handed_over(handed)
            try:
                return self._start(folder, lock, given)
            finally:
                os.close(given)
        except OSError as error:
            raise _refused(folder, error) from error
        finally:
            os.close(lock)

    def _start(self, folder: Path, lock: int, given: int) -> JobProcess:
        with (folder / OUT).open("wb") as out, (folder / ERR).open("wb") as err:
            if self._waiting is not None:
                if self._waiting.hand_over(folder, (lock, given, out.fileno(), err.fileno())):
                    return JobProcess(folder, None)
                self._dismiss()
            child = subprocess.Popen(
                [*self._command, str(folder)],
                cwd=folder,
                env=self._environment,
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
                pass_fds=(lock,),
            )
        return JobProcess(folder, child)

    def attach(self, folder: Path) -> JobProcess:
        """Return the process of a folder, as the port says."""
        try:
            return JobProcess(folder, None)
        except OSError as error:
            raise _refused(folder, error) from error

    async def make_ready(self) -> None:
        """Have one process waiting, if that was wanted."""
        if not self._keeps_ready or (self._waiting is not None and self._waiting.usable):
            return
        self._dismiss()
        try:
            self._waiting = WaitingProcess(self._command, self._environment)
        except OSError:
            self._waiting = None  # then the next start takes its time, and says what is wrong

    async def aclose(self) -> None:
        """End the process that waits."""
        self._dismiss()

    def _dismiss(self) -> None:
        if self._waiting is not None:
            self._waiting.dismiss()
            self._waiting = None


def _refused(folder: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"Cannot run the job of {folder} in a process of its own: {error.strerror or error}",
        hint="free some disk space there, or check its permissions and how many processes this user may have",
    )
