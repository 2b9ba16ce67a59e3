"""A file system of one's own, whose room is taken away and given back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Space:
    """A file system in memory at `folder`. Its size costs nothing; what is written there does."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        """Take where it is, and its size while there is room."""
        self._folder = folder
        self._size = mebibytes << 10

    def fill(self, *, left: int = 0) -> None:
        """Leave no room but `left` KiB: the size becomes what is in use."""
        used = self._used()
        while True:  # what writes meanwhile may need more than was in use
            if self._resize(used + left):
                return
            used = max(used, self._used()) + 4

    def free(self) -> None:
        """Give the room back."""
        assert self._resize(self._size)

    def _used(self) -> int:
        found = os.statvfs(self._folder)
        return (found.f_blocks - found.f_bfree) * found.f_frsize >> 10

    def _resize(self, kibibytes: int) -> bool:
        options = f"remount,size={kibibytes}k"
        return subprocess.run(["mount", "-o", options, self._folder], check=False).returncode == 0


@contextmanager
def space_at(folder: Path, *, mebibytes: int) -> Iterator[Space]:
    """Yield a file system mounted at a folder, which is made; it takes root, as a container engine does."""
    folder.mkdir(parents=True, mode=0o700)
    options = f"size={mebibytes}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "pawl-test", folder], check=True)
    try:
        yield Space(folder, mebibytes)
    finally:
        # Lazily: a process that is just being killed may be in it still.
        subprocess.run(["umount", "-l", folder], check=True)
