"""Telling the file system that the folders in a folder have nothing to do with each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
from pathlib import Path

# linux/fs.h; the calls are named after a long, and read and write an int (`man 2 ioctl_iflags`).
_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_TOP_OF_HIERARCHIES = 0x00020000
_INT = struct.Struct("i")


def spread_folders(home: Path) -> None:
    """Make a folder one whose sub-folders are spread over the disk (`chattr +T`), where that can be done.

    ext4 does not use an inode again within some seconds after its file was removed, and looks at each such
    one when it makes a file near by. Where short jobs follow each other that was a quarter of their work.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError):  # a file system without such flags, or not this user's folder
        home.mkdir(parents=True, mode=0o700, exist_ok=True)
        descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            (flags,) = _INT.unpack_from(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8)))
            if not flags & _TOP_OF_HIERARCHIES:
                fcntl.ioctl(descriptor, _SET_FLAGS, _INT.pack(flags | _TOP_OF_HIERARCHIES) + bytes(4))
        finally:
            os.close(descriptor)
