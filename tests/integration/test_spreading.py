"""Folders that are spread over the disk, where the file system does such things."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from pathlib import Path

from pawl.adapters.system import spread_folders

GET_FLAGS = 0x80086601
TOP_OF_HIERARCHIES = 0x00020000


def flags_of(folder: Path) -> int | None:
    """Return the flags that `lsattr` shows; None on a file system without them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, GET_FLAGS, bytes(8))[:4], "little")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def can_spread(folder: Path) -> bool:
    """Return whether the file system is ext4, the one that spreads folders."""
    if sys.platform != "linux":
        return False
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    holding = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    return max(holding, key=lambda mount: len(mount[1]))[2] == "ext4"


def test_sub_folders_are_spread_and_everything_else_stays(tmp_path: Path) -> None:
    home = tmp_path / "data" / "jobs"
    spread_folders(home)
    before = flags_of(home)
    spread_folders(home)
    (home / "1").mkdir()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert flags_of(home) == before
    assert bool((before or 0) & TOP_OF_HIERARCHIES) == can_spread(tmp_path)


def test_where_it_cannot_be_done_nothing_is_said() -> None:
    spread_folders(Path("/proc/self/fd"))
    spread_folders(Path("/dev/null"))
