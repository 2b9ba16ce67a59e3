"""Whether this worker is fit to take jobs: room on its disk, and an executor that answers."""

from __future__ import annotations

import os
from pathlib import Path

from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import Executor

_PROBE_EVERY = 30.0
_PROBE_ILL_EVERY = 3.0


def disk_problem(folder: Path, floor: int) -> str:
    """Return what is wrong with the disk of a folder; empty when at least `floor` bytes are free."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return f"the data folder {folder} cannot be looked at: {error.strerror}"
    free = found.f_bavail * found.f_frsize
    if found.f_blocks == 0 or free >= floor:  # some file systems count nothing
        return ""
    return f"only {free >> 20} MiB are free in {folder}, less than the floor of {floor >> 20} MiB"


class Health:
    """Looks after the worker's fitness; cheap to ask often."""

    def __init__(self, executor: Executor, folder: Path, *, floor: int) -> None:
        """Watch an executor and the disk of a folder."""
        self._executor = executor
        self._folder = folder
        self._floor = floor
        self._engine = ""
        self._next = 0.0

    def doubt(self) -> None:
        """Have the executor asked the next time: a job could not be run."""
        self._next = 0.0

    async def problem(self, now: float) -> str:
        """Return what keeps the worker from taking jobs, empty when nothing does.

        Args:
            now: by the monotonic clock; the executor is asked only now and then.
        """
        if now >= self._next:
            try:
                await self._executor.probe()
                self._engine = ""
            except InfrastructureError as error:
                self._engine = error.message
            self._next = now + (_PROBE_ILL_EVERY if self._engine else _PROBE_EVERY)
        return disk_problem(self._folder, self._floor) or self._engine
