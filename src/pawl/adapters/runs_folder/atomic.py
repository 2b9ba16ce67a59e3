"""Whole-file writes that a crash cannot tear."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write beside `path`, sync, and rename over it: a reader sees the old bytes or the new ones.

    Args:
        path: of the file.
        data: its new bytes.
        durable: False leaves out the sync: only a machine that loses power can tear it then.

    Raises:
        OSError: the disk refused; the old file is untouched and nothing is left beside it.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
