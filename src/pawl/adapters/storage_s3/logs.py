"""`LogBytes` in a bucket: every append is an object of its own, named by where its bytes begin.

    logs/<run>/<job>.<attempt>.NN.data/00000000000000000000
    logs/<run>/<job>.<attempt>.NN.data/00000000000000004096

An object is only ever created, never replaced, so of two servers that append at the same place one wins and
the other one looks again. A bucket that cannot create an object only where there is none serves one server.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

import obstore
from obstore.exceptions import AlreadyExistsError, GenericError, NotSupportedError, PreconditionError

from pawl.adapters.storage_s3.bucket import asking, check_bucket, open_bucket
from pawl.core.model.errors import OffsetConflict, Unavailable, UsageError
from pawl.core.model.ids import RunId
from pawl.ports.log_bytes import LogName, Part

_REMEMBERED = 256
"""Logs whose objects are remembered, the latest used."""

_AT_ONCE = 8
"""Objects that are fetched at the same time."""

_REMOVED_AT_ONCE = 1000


class _Log:
    """What is known of one log: where its objects begin. Another server may have added some since."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.turn = asyncio.Lock()
        self.starts: list[int] = []
        self.size = 0
        self.looked = False

    def object_at(self, start: int) -> str:
        return f"{self.key}/{start:020}"

    def add(self, start: int, size: int) -> None:
        if start == self.size and size:
            self.starts.append(start)
            self.size += size

    def forget(self) -> None:
        self.starts, self.size, self.looked = [], 0, False


class S3LogBytes:
    """Logs in a bucket. Several servers may share it if it can create objects only where there are none."""

    def __init__(self, url: str) -> None:
        """Keep logs at a URL as `open_bucket` takes it; nothing is asked of it yet.

        Raises:
            UsageError: it is no such URL.
        """
        self._bucket = open_bucket(url)
        self._creates = True
        self._known: WeakValueDictionary[str, _Log] = WeakValueDictionary()
        self._recent: OrderedDict[str, _Log] = OrderedDict()

    async def append(self, name: LogName, part: Part, offset: int, data: bytes) -> int:
        """Store bytes as one object and return the log's size, as the port says."""
        log = self._log(name, part)
        async with log.turn:
            if not log.looked or offset > log.size:
                await self._look(log)
            while True:
                fresh = await self._what_is_new(log, offset, data)
                if not fresh:
                    return log.size
                before = log.size
                if await self._create(log.object_at(before), fresh):
                    log.add(before, len(fresh))
                    return log.size
                # Another server was there first, or we were, and did not hear of it.
                await self._look(log)
                if log.size == before:
                    raise Unavailable("The bucket does not show an object that it has")

    async def size(self, name: LogName, part: Part) -> int:
        """Return how many bytes are stored, as the port says."""
        log = self._log(name, part)
        await self._look(log)
        return log.size

    async def read(self, name: LogName, part: Part, *, start: int = 0, size: int = -1) -> bytes:
        """Return stored bytes, as the port says."""
        log = self._log(name, part)
        await self._look(log)
        start = max(start, 0)
        end = log.size if size < 0 else min(log.size, start + size)
        return b"".join([block async for block in self._blocks(log, start, end)])

    async def digest(self, name: LogName) -> str:
        """Return the SHA-256 of the data, as the port says."""
        log = self._log(name, "data")
        await self._look(log)
        digest = hashlib.sha256()
        async for block in self._blocks(log, 0, log.size):
            digest.update(block)
        return digest.hexdigest()

    async def delete_run(self, run: RunId) -> int:
        """Remove a run's logs, as the port says."""
        prefix = _run_prefix(run)
        size = 0
        paths: list[str] = []
        with asking("remove logs"):
            async for found in obstore.list(self._bucket, prefix):
                paths += [entry["path"] for entry in found]
                size += sum(entry["size"] for entry in found)
            # From the end: what a removal cut short leaves is still the beginning of each log.
            paths.sort(reverse=True)
            for first in range(0, len(paths), _REMOVED_AT_ONCE):
                await obstore.delete_async(self._bucket, paths[first : first + _REMOVED_AT_ONCE])
        for key, log in list(self._known.items()):
            if key.startswith(f"{prefix}/"):
                log.forget()
        return size

    async def runs(self) -> AsyncIterator[RunId]:
        """Yield the runs that any bytes are kept of, as the port says."""
        with asking("list logs"):
            found = await obstore.list_with_delimiter_async(self._bucket, "logs")
        for prefix in found["common_prefixes"]:
            name = prefix.rpartition("/")[2]
            if name.isascii() and name.isdecimal():
                yield RunId(int(name))

    async def check(self) -> None:
        """Return when something can be stored, as the port says."""
        await check_bucket(self._bucket)

    async def _look(self, log: _Log) -> None:
        """Learn of objects that were added behind those known."""
        after = log.object_at(log.starts[-1]) if log.starts else None
        with asking("list a log"):
            async for found in obstore.list(self._bucket, log.key, offset=after):
                for entry in found:
                    name = entry["path"].rpartition("/")[2]
                    if name.isascii() and name.isdecimal():
                        log.add(int(name), entry["size"])
        log.looked = True

    async def _what_is_new(self, log: _Log, offset: int, data: bytes) -> bytes:
        """Return what of `data` lies behind the log's end, once it is known to go on there."""
        if not 0 <= offset <= log.size:
            raise OffsetConflict(
                f"Bytes were sent for offset {offset} of a log of {log.size} bytes", size=log.size
            )
        known = data[: log.size - offset]
        if known:
            stored = [block async for block in self._blocks(log, offset, offset + len(known))]
            if b"".join(stored) != known:
                raise OffsetConflict(
                    f"Bytes sent for offset {offset} of a log differ from those stored", size=log.size
                )
        return data[len(known) :]

    async def _create(self, path: str, data: bytes) -> bool:
        """Store an object; return False when there is one already."""
        with asking("keep a log"):
            try:
                if self._creates:
                    await obstore.put_async(self._bucket, path, data, mode="create", use_multipart=False)
                else:
                    await obstore.put_async(self._bucket, path, data, use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            except FileNotFoundError as error:
                raise Unavailable("There is no such bucket", hint="make it first") from error
            except (NotSupportedError, GenericError) as error:
                if not self._creates or not _cannot_create(error):
                    raise
                self._creates = False
                return await self._create(path, data)
        return True

    async def _blocks(self, log: _Log, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` to `end`, an object or a part of one at a time."""
        starts = list(log.starts)
        ends = [*starts, log.size][1:]
        wanted = [
            (log.object_at(first), max(start - first, 0), min(end, last) - first)
            for first, last in zip(starts, ends, strict=True)
            if first < end and start < last
        ]
        with asking("read a log"):
            for first in range(0, len(wanted), _AT_ONCE):
                try:
                    blocks = await asyncio.gather(
                        *(
                            obstore.get_range_async(self._bucket, path, start=begin, end=stop)
                            for path, begin, stop in wanted[first : first + _AT_ONCE]
                        )
                    )
                except FileNotFoundError:  # removed meanwhile
                    log.forget()
                    return
                for block in blocks:
                    yield bytes(block)

    def _log(self, name: LogName, part: Part) -> _Log:
        """Return the one `_Log` of a key: as long as anybody holds it, all get the same."""
        key = _key(name, part)
        log = self._known.get(key)
        if log is None:
            log = self._known[key] = _Log(key)
        self._recent[key] = log
        self._recent.move_to_end(key)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return log


def _key(name: LogName, part: Part) -> str:
    attempt, index = int(name.attempt.attempt), int(name.index)
    if attempt < 0 or index < 0 or part not in ("data", "index"):
        raise UsageError(f"There is no {part} of step {index} of attempt {attempt}: both count up from 0")
    job = hashlib.sha256(name.attempt.job.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{_run_prefix(name.attempt.run)}/{job}.{attempt}.{index:02}.{part}"


def _run_prefix(run: RunId) -> str:
    number = int(run)
    if number < 0:
        raise UsageError(f"There is no run {number}: runs count from 1")
    return f"logs/{number}"


def _cannot_create(error: Exception) -> bool:
    return isinstance(error, NotSupportedError) or "501 Not Implemented" in str(error)
