"""`LogBytes` in a folder. One server at a time may use it: the sizes are remembered in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from pawl.adapters.logs_folder.file import LogFile, refused, sync_folder, write_at
from pawl.adapters.logs_folder.hands import Hands
from pawl.core.model.errors import Unavailable, UsageError
from pawl.core.model.ids import RunId
from pawl.ports.log_bytes import LogName, Part

_ENDINGS: dict[Part, str] = {"data": "log", "index": "idx"}
_REMEMBERED = 256
"""Logs that are kept open, the latest used."""

_WRITERS = 8
"""Threads that write. Syncs that wait together are made durable together by the file system's journal."""

_ROOM = 4 * 1024 * 1024
"""Bytes that have to be free before `check` says that there is room."""

_BLOCK = 1024 * 1024
_GONE = ".gone-"
_Result = TypeVar("_Result")


class FolderLogBytes:
    """Logs below one folder: `<run>/<job>.<attempt>.NN.log`, and `.idx` for the index.

    No name of a request becomes part of a path: runs, attempts and steps are numbers, and a job's name is
    hashed. Everything that writes runs in threads of its own, so readers never slow it.
    """

    def __init__(self, folder: Path, *, alone: bool = True) -> None:
        """Keep logs below `folder`, which is made where it is missing; removals cut short are ended.

        Args:
            folder: where they are.
            alone: False only reads beside a server that uses the folder: nothing is removed.

        Raises:
            Unavailable: the folder cannot be made or read.
        """
        self._folder = folder
        self._known: WeakValueDictionary[Path, LogFile] = WeakValueDictionary()
        self._recent: OrderedDict[Path, LogFile] = OrderedDict()
        self._writers = Hands(_WRITERS, "logs")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in folder.glob(f"{_GONE}*") if alone else ():
                shutil.rmtree(left, ignore_errors=True)
            if alone:
                # What a server before this one made may not be durable: it may have been killed before that.
                sync_folder(folder)
                sync_folder(folder.parent)
        except OSError as error:
            raise refused(folder, error) from error

    async def append(self, name: LogName, part: Part, offset: int, data: bytes) -> int:
        """Store bytes and return the log's size, as the port says."""
        log = self._log(name, part)
        async with log.turn:
            return await self._write(lambda: log.append(offset, data))

    async def size(self, name: LogName, part: Part) -> int:
        """Return how many bytes are durable, as the port says."""
        return await self._size(self._log(name, part))

    async def read(self, name: LogName, part: Part, *, start: int = 0, size: int = -1) -> bytes:
        """Return stored bytes, as the port says; those not acknowledged yet are never shown."""
        end = await self._size(self._log(name, part))
        start = max(start, 0)
        if size >= 0:
            end = min(end, start + size)
        if start >= end:
            return b""
        return await asyncio.to_thread(_read, self._path(name, part), start, end - start)

    async def digest(self, name: LogName) -> str:
        """Return the SHA-256 of the data, as the port says."""
        size = await self._size(self._log(name, "data"))
        return await asyncio.to_thread(_digest, self._path(name, "data"), size)

    async def delete_run(self, run: RunId) -> int:
        """Remove a run's logs, as the port says: all at once for readers, then from the disk."""
        folder = self._run_folder(run)
        gone = self._folder / f"{_GONE}{folder.name}-{os.urandom(4).hex()}"
        moved = await self._write(lambda: _move_away(folder, gone))
        for path, log in list(self._known.items()):
            if path.parent == folder:
                async with log.turn:
                    await self._write(log.forget)
        return await asyncio.to_thread(_remove, gone) if moved else 0

    async def runs(self) -> AsyncIterator[RunId]:
        """Yield the runs that have a folder, as the port says."""
        for name in await asyncio.to_thread(_names, self._folder):
            if name.isascii() and name.isdecimal():
                yield RunId(int(name))

    async def check(self) -> None:
        """Return when some bytes can be written and made durable, as the port says."""
        await self._write(lambda: _try_to_write(self._folder))

    def close(self) -> None:
        """Wait for what is being written, and close the files. Nothing may be asked afterwards."""
        self._writers.close()
        for log in list(self._known.values()):
            log.forget()
        self._recent.clear()

    async def _size(self, log: LogFile) -> int:
        known = log.size
        return known if known is not None else await self._write(log.durable_size)

    async def _write(self, what: Callable[[], _Result]) -> _Result:
        return await self._writers.do(what)

    def _log(self, name: LogName, part: Part) -> LogFile:
        """Return the one `LogFile` of a path: as long as anybody holds it, all get the same."""
        path = self._path(name, part)
        log = self._known.get(path)
        if log is None:
            log = self._known[path] = LogFile(path)
        self._recent[path] = log
        self._recent.move_to_end(path)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return log

    def _path(self, name: LogName, part: Part) -> Path:
        attempt, index = int(name.attempt.attempt), int(name.index)
        if attempt < 0 or index < 0:
            raise UsageError(f"There is no step {index} of attempt {attempt}: both count up from 0")
        job = hashlib.sha256(name.attempt.job.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._run_folder(name.attempt.run) / f"{job}.{attempt}.{index:02}.{_ENDINGS[part]}"

    def _run_folder(self, run: RunId) -> Path:
        number = int(run)
        if number < 0:
            raise UsageError(f"There is no run {number}: runs count from 1")
        return self._folder / str(number)


def _read(path: Path, start: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size)
    except FileNotFoundError:  # removed meanwhile
        return b""
    except OSError as error:
        raise refused(path, error) from error


def _digest(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while size > 0 and (block := file.read(min(size, _BLOCK))):
                digest.update(block)
                size -= len(block)
    except FileNotFoundError:
        pass  # nothing was ever stored
    except OSError as error:
        raise refused(path, error) from error
    return digest.hexdigest()


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise refused(folder, error) from error


def _move_away(folder: Path, gone: Path) -> bool:
    try:
        folder.rename(gone)
        sync_folder(folder.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise refused(folder, error) from error
    return True


def _remove(folder: Path) -> int:
    """Remove a folder of files and return their bytes; what cannot be removed is so at the next start."""
    try:
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder))
    except OSError as error:
        raise refused(folder, error) from error
    shutil.rmtree(folder, ignore_errors=True)
    return size


def _try_to_write(folder: Path) -> None:
    probe = folder / ".check"
    try:
        facts = os.statvfs(folder)
        if facts.f_bavail * facts.f_frsize < _ROOM:
            raise Unavailable(
                f"There is hardly any room left for logs in {folder}",
                hint="free some disk space",
                retry_after=10.0,
                full=True,
            )
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            write_at(descriptor, 0, b"There is room.\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise refused(probe, error) from error
