"""Whether holders are kept: a lock of the worker for which they wait, which goes with it however it ends.

Jobs outlive their worker. One that ends after it leaves its holder to nobody, so it asks here.
"""

from __future__ import annotations

import fcntl
import math
import os
from contextlib import suppress
from pathlib import Path


class Keeper:
    """The lock: held by the worker, asked for by its jobs."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the holders' files."""
        self._path = folder / "keeper.lock"
        self._descriptor = -1
        self.since = math.inf
        """The second since 1970, by the folder's disk, when this object began to keep; infinity before."""

    def begin(self) -> None:
        """Keep holders from now on. Where the disk refuses, none are kept. Idempotent.

        One keeps at a time, which the lock of the worker's data folder sees to: who asks lets go at once.
        """
        if self._descriptor >= 0:
            return
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.utime(descriptor)
            self._descriptor, self.since = descriptor, os.fstat(descriptor).st_mtime

    def end(self) -> None:
        """Keep holders no longer. Idempotent."""
        descriptor, self._descriptor, self.since = self._descriptor, -1, math.inf
        if descriptor >= 0:
            # By name and not by closing: a process forked at this moment may have the descriptor too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    @property
    def is_there(self) -> bool:
        """Return whether anybody keeps holders: this object, or the worker in its own process."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False
