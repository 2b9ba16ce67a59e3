"""Copying files into a workspace: contents, modes, times, links as links; nothing outside is touched."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 1024 * 1024
_NOT_HERE = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY}
)
"""Errors by which the kernel says that it cannot copy by itself between these files."""


class TreeCopy:
    """Copies files from one folder into another, which nobody else writes to meanwhile."""

    def __init__(self, source: Path, target: Path) -> None:
        """Copy from `source` to `target`; both exist."""
        self._source = source
        self._target = target
        self._made = {""}
        self._in_kernel = hasattr(os, "copy_file_range")

    def copy(self, paths: Iterable[str]) -> int:
        """Copy these files (relative paths with `/`) and return how many there were.

        A file that is gone meanwhile is left out, and so is one whose path leads through a link.

        Raises:
            OSError: a file cannot be read, or the disk refused.
        """
        return sum(self._copy_one(path) for path in paths)

    def _copy_one(self, path: str) -> bool:
        if not self._make_folder(path.rpartition("/")[0]):
            return False
        source, target = f"{self._source}/{path}", f"{self._target}/{path}"
        try:
            mode = os.lstat(source).st_mode
            if stat.S_ISLNK(mode):
                Path(target).symlink_to(Path(source).readlink())
            elif stat.S_ISREG(mode):
                self._copy_file(source, target)
            else:
                return False
        except (FileNotFoundError, FileExistsError, NotADirectoryError):
            return False
        return True

    def _make_folder(self, folder: str) -> bool:
        """Make a folder and those above it; False where one is no folder, a link perhaps, here or there."""
        if folder in self._made:
            return True
        if not self._make_folder(folder.rpartition("/")[0]):
            return False
        try:
            if not stat.S_ISDIR(os.lstat(f"{self._source}/{folder}").st_mode):
                return False
            Path(f"{self._target}/{folder}").mkdir()
        except (FileExistsError, FileNotFoundError):
            return False
        self._made.add(folder)
        return True

    def _copy_file(self, source: str, target: str) -> None:
        reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(reader)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            writer = os.open(target, flags, 0o600)
            try:
                self._copy_bytes(reader, writer, facts.st_size)
                # Never setuid, and the owner may always write: a workspace is there to be worked in.
                os.fchmod(writer, (facts.st_mode & 0o777) | 0o600)
                os.utime(writer, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
            finally:
                os.close(writer)
        finally:
            os.close(reader)

    def _copy_bytes(self, reader: int, writer: int, size: int) -> None:
        """Copy by the kernel, which shares the blocks where the file system can (Btrfs, XFS)."""
        while self._in_kernel and size > 0:
            try:
                copied = os.copy_file_range(reader, writer, size)
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                self._in_kernel = False
                break
            if copied == 0:
                return
            size -= copied
        while block := os.read(reader, _BLOCK):
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(writer, rest) :]
