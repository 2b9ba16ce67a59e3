"""What a power cut would leave of a folder: bytes and names that were synced, and nothing else.

`Survivors.noting` wraps the calls that sync; `content` then says what of a file would be there now.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Sync: TypeAlias = Callable[[int], None]


class Survivors:
    """The strictest file system there may be: a name is kept by a sync of its folder, not of its file."""

    def __init__(self, root: Path) -> None:
        """Take a folder that is there for good, and nothing in it."""
        self._root = root
        self._files: dict[int, bytes] = {}
        self._folders: dict[int, dict[str, int]] = {}

    def noting(self, sync: Sync) -> Sync:
        """Return a sync that notes what it has made durable; give it to what is tested."""

        def synced(descriptor: int) -> None:
            sync(descriptor)
            self._note(descriptor)

        return synced

    def content(self, path: Path) -> bytes | None:
        """Return what would be left of a file, None when its name would be gone."""
        inode = self._root.stat().st_ino
        for name in path.relative_to(self._root).parts:
            found = self._folders.get(inode, {}).get(name)
            if found is None:
                return None
            inode = found
        return self._files.get(inode, b"")

    def _note(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(descriptor) as entries:
                self._folders[found.st_ino] = {entry.name: entry.inode() for entry in entries}
        else:
            self._files[found.st_ino] = Path(f"/proc/self/fd/{descriptor}").read_bytes()
