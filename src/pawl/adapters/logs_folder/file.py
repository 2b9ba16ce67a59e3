"""One append-only file whose acknowledged size is known: what a full disk left half-written is taken back."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
from pathlib import Path

from pawl.core.model.errors import OffsetConflict, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has fsync only
_unsure: set[Path] = set()
"""Folders that a power cut may take away yet: whoever needs one first sees to it that it stays."""


class LogFile:
    """A file that grows at its end. Its calls block; they may come from any thread, and take turns."""

    def __init__(self, path: Path) -> None:
        """Take the file at `path`, which need not exist; nothing is opened yet."""
        self.turn = asyncio.Lock()
        """Callers wait here, so that they do not wait in threads."""
        self.size: int | None = None
        """Bytes known to be durable; None until that was found out."""
        self._path = path
        self._writer: int | None = None
        # A cancelled caller gives up its turn while its thread is still at work.
        self._guard = threading.Lock()

    def __del__(self) -> None:
        """Close the file: nobody refers to it any more."""
        self._close()

    def append(self, offset: int, data: bytes) -> int:
        """Store bytes and return the size, as `LogBytes.append` says."""
        with self._guard:
            try:
                size = self._known_size()
                fresh = self._what_is_new(size, offset, data)
                if not fresh:
                    return size
                if self._writer is None:
                    self._writer = _open_or_create(self._path)
                self._add(self._writer, size, fresh)
            except OSError as error:
                raise refused(self._path, error) from error
            self.size = size + len(fresh)
            return self.size

    def durable_size(self) -> int:
        """Return how many bytes are durable; after a crash what is found is made so first."""
        with self._guard:
            try:
                return self._known_size()
            except OSError as error:
                raise refused(self._path, error) from error

    def forget(self) -> None:
        """Close the file and find its size out anew when it is next asked."""
        with self._guard:
            self._close()
            self.size = None

    def _known_size(self) -> int:
        if self.size is None:
            self.size = _recovered_size(self._path)
        return self.size

    def _what_is_new(self, size: int, offset: int, data: bytes) -> bytes:
        """Return what of `data` lies behind `size`, once it is known to go on there."""
        if not 0 <= offset <= size:
            raise OffsetConflict(f"Bytes were sent for offset {offset} of a log of {size} bytes", size=size)
        known = data[: size - offset]
        if known and self._read(offset, len(known)) != known:
            raise OffsetConflict(
                f"Bytes sent for offset {offset} of a log differ from those stored", size=size
            )
        return data[len(known) :]

    def _read(self, offset: int, size: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _add(self, writer: int, size: int, data: bytes) -> None:
        try:
            write_at(writer, size, data)
            _sync(writer)
        except BaseException:
            # What was not acknowledged goes: after a failed sync nobody knows what of it is on the disk.
            try:
                os.ftruncate(writer, size)
            except OSError:
                self.size = None
            self._close()
            raise

    def _close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with contextlib.suppress(OSError):
                os.close(writer)


def write_at(descriptor: int, offset: int, data: bytes) -> None:
    """Write all of `data` at `offset`.

    Raises:
        OSError: the disk refused; some of it may be written.
    """
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        offset += written
        rest = rest[written:]


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
        hint="free some disk space; nothing is lost, workers send again" if full else "look after the disk",
        retry_after=10.0,
        full=full,
    )


def _recovered_size(path: Path) -> int:
    """Return the size of a file that another process may have written: durable from here on.

    Linux' file systems make a file longer only once the bytes are there, so that a torn end is a beginning
    of what was sent, and is compared when it is sent again.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        os.fsync(descriptor)
        sync_folder(path.parent)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _open_or_create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        if not path.parent.is_dir():
            _unsure.add(path.parent)
            path.parent.mkdir(exist_ok=True)
        if path.parent in _unsure:
            sync_folder(path.parent.parent)
            _unsure.discard(path.parent)
        descriptor = os.open(path, flags | os.O_CREAT, 0o600)
        try:
            sync_folder(path.parent)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor
