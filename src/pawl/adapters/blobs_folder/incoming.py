"""A blob on its way in: a file aside, with its digest and size so far."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from pathlib import Path

from pawl.core.model.errors import TooLarge, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Incoming:
    """Bytes that become a blob or vanish. Its calls block; they may come from any thread, and take turns."""

    def __init__(self, path: Path, *, limit: int) -> None:
        """Create the file at `path`, which does not exist.

        Raises:
            OSError: the disk refused.
        """
        self._path = path
        self._limit = limit
        self._hash = hashlib.sha256()
        # A cancelled caller leaves while its thread is still at work.
        self._guard = threading.Lock()
        self.size = 0
        self._file: int | None = None
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def __del__(self) -> None:
        """Leave nothing behind when a caller was cancelled before it had this."""
        self.discard()

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._hash.hexdigest()

    def write(self, block: bytes) -> None:
        """Add bytes.

        Raises:
            TooLarge: there would be more than the limit.
            OSError: the disk refused.
        """
        with self._guard:
            self.size += len(block)
            if self.size > self._limit:
                raise TooLarge(f"There are more than the {self._limit} bytes that may be sent at once")
            rest = memoryview(block)
            while rest and self._file is not None:
                rest = rest[os.write(self._file, rest) :]
            self._hash.update(block)

    def seal(self, time: float) -> None:
        """Make the bytes durable and let `time` be when they were stored.

        Raises:
            OSError: the disk refused.
        """
        with self._guard:
            if self._file is not None:
                os.utime(self._file, (time, time))
                os.fsync(self._file)

    def move(self, target: Path) -> None:
        """Rename the file, over an older one of the same bytes; the folder is not synced.

        Raises:
            OSError: the disk refused.
        """
        with self._guard:
            if self._file is not None:
                self._path.replace(target)

    def discard(self) -> None:
        """Close the file, and remove it unless it was moved."""
        with self._guard:
            if self._file is not None:
                os.close(self._file)
                self._file = None
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refused(path: Path, error: OSError) -> Unavailable:
    """Return what to raise when the disk refused."""
    full = error.errno in _FULL
    return Unavailable(
        f"Cannot write or read {path}: {error.strerror or error}",
        hint="free some disk space" if full else "look after the disk",
        retry_after=10.0,
        full=full,
    )
