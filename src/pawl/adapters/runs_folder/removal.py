"""Removing folders that jobs have worked in."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

_LONG_PATH = 3_000
"""Characters; Linux takes paths of 4,095 bytes, but a job can nest folders deeper than that."""


def remove_tree(folder: Path) -> tuple[str, ...]:
    """Remove a folder with everything in it, also what was made read-only; links are not followed.

    Returns what could not be removed, as one sentence each; nothing at all when the folder is gone.
    """
    failures: list[str] = []
    moved = 0
    # Bottom up, without recursion: a job may nest folders deeper than any stack.
    pending: list[tuple[Path, bool]] = [(folder, False)]
    while pending:
        path, emptied = pending.pop()
        try:
            if emptied:
                path.rmdir()
            elif not stat.S_ISDIR(path.lstat().st_mode):
                path.unlink()
            elif len(str(path)) > _LONG_PATH:
                moved += 1
                pending.append((path.rename(folder / f".moved-up-{moved}"), False))
            else:
                pending.append((path, True))
                pending.extend((entry, False) for entry in _entries(path))
        except FileNotFoundError:
            continue
        except OSError as error:
            failures.append(f"{path}: {error.strerror}")
    return tuple(failures)


def _entries(folder: Path) -> list[Path]:
    """Return the paths in a folder, which is made writable: Go's module cache, for one, is read-only."""
    with contextlib.suppress(OSError):
        if folder.lstat().st_mode & 0o700 != 0o700:
            folder.chmod(0o700)
    return list(folder.iterdir())
