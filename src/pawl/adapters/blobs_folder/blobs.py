"""`Blobs` in a folder: `ab/<digest>`. One server at a time may use it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from pawl.adapters.blobs_folder.incoming import Incoming, refused, sync_folder
from pawl.core.model.errors import Conflict, InfrastructureError, NotFound, Unavailable
from pawl.ports.blobs import BlobFacts

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_BLOCK = 1024 * 1024
_ROOM = 4 * 1024 * 1024
"""Bytes that have to be free before `check` says that there is room."""

_Result = TypeVar("_Result")


class FolderBlobs:
    """Blobs below one folder. A file's time is when it was last stored; no request's word is in a path."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time, alone: bool = True) -> None:
        """Keep blobs below `folder`, which is made where it is missing; what a crash left is removed.

        Args:
            folder: nobody else writes there, unless `alone` is not set.
            now: returns seconds since 1970; the same clock that `delete` is asked by.
            alone: False only reads beside a server that uses the folder: nothing is removed.

        Raises:
            Unavailable: the folder cannot be made or written.
        """
        self._folder = folder
        self._incoming = folder / "incoming"
        self._now = now
        # Storing again and deleting look at the same file's time: one at a time.
        self._names = threading.Lock()
        # Made, and perhaps gone after a power cut: whoever needs one first sees to it that it stays.
        self._unsure: set[Path] = set()
        try:
            self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._incoming.iterdir() if alone else ():
                left.unlink()
            if alone:
                # What a server before this one made may not be durable: it may have been killed before that.
                sync_folder(folder)
                sync_folder(folder.parent)
        except OSError as error:
            raise refused(folder, error) from error

    async def put(self, chunks: AsyncIterator[bytes], *, limit: int, digest: str | None = None) -> BlobFacts:
        """Store bytes aside, compare the digest, sync, and rename; as the port says."""
        path = self._incoming / os.urandom(16).hex()
        incoming = await self._on_disk(lambda: Incoming(path, limit=limit))
        try:
            async for block in _in_blocks(chunks):
                await self._on_disk(partial(incoming.write, block))
            if digest not in (None, incoming.digest):
                raise Conflict(f"The bytes sent have the digest {incoming.digest}, not the one that was told")
            return await self._on_disk(partial(self._keep, incoming))
        finally:
            await asyncio.shield(asyncio.to_thread(incoming.discard))

    async def facts(self, digest: str) -> BlobFacts | None:
        """Return size and time of a blob, as the port says."""
        return await asyncio.to_thread(self._facts, digest)

    async def read(self, digest: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a blob's bytes, as the port says; of a blob read whole the digest is compared at its end."""
        start = max(start, 0)
        with await asyncio.to_thread(self._open, digest) as stored:
            size = await asyncio.to_thread(lambda: os.fstat(stored.fileno()).st_size)
            last = size if end is None else min(end, size)
            whole = hashlib.sha256() if start == 0 and last == size else None
            while start < last:
                block = await asyncio.to_thread(_read, stored, start, min(_BLOCK, last - start))
                start += len(block)
                if whole is not None:
                    whole.update(block)
                yield block
            if whole is not None and whole.hexdigest() != digest:
                raise _damaged(digest)

    async def delete(self, digest: str, *, unless_stored_since: float) -> bool:
        """Remove a blob that was not stored again since, as the port says; True also when it was gone."""
        return await self._on_disk(partial(self._delete, digest, unless_stored_since))

    async def all(self) -> AsyncIterator[BlobFacts]:
        """Yield all blobs, as the port says, a folder at a time."""
        for shard in await asyncio.to_thread(_listed, self._folder, _SHARD):
            for digest in await asyncio.to_thread(_listed, self._folder / shard, _DIGEST):
                facts = await asyncio.to_thread(self._facts, digest)
                if facts is not None:
                    yield facts

    async def check(self) -> None:
        """Return when some bytes can be written and made durable, as the port says."""
        await self._on_disk(self._try_to_write)

    async def _on_disk(self, what: Callable[[], _Result]) -> _Result:
        """Return what `what` returns, called in a thread; the caller's own `OSError`s never come here."""
        try:
            return await asyncio.to_thread(what)
        except OSError as error:
            raise refused(self._folder, error) from error

    def _keep(self, incoming: Incoming) -> BlobFacts:
        digest, now = incoming.digest, self._now()
        incoming.seal(now)
        target = self._path(digest)
        if not target.parent.is_dir():
            self._unsure.add(target.parent)
            target.parent.mkdir(mode=0o700, exist_ok=True)
        if target.parent in self._unsure:
            sync_folder(self._folder)
            self._unsure.discard(target.parent)
        with self._names:
            incoming.move(target)
        sync_folder(target.parent)
        return BlobFacts(digest=digest, size=incoming.size, stored_at=now)

    def _facts(self, digest: str) -> BlobFacts | None:
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            found = self._path(digest).stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(self._path(digest), error) from error
        return BlobFacts(digest=digest, size=found.st_size, stored_at=found.st_mtime)

    def _open(self, digest: str) -> BinaryIO:
        if not _DIGEST.fullmatch(digest):
            raise NotFound("There is no such blob: a digest has 64 hexadecimal digits")
        try:
            return self._path(digest).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"There is no blob {digest}") from error
        except OSError as error:
            raise InfrastructureError(f"Cannot read the blob {digest}: {error.strerror}") from error

    def _delete(self, digest: str, since: float) -> bool:
        if not _DIGEST.fullmatch(digest):
            return True
        path = self._path(digest)
        with self._names:
            try:
                # A microsecond more: file systems round times.
                if path.stat(follow_symlinks=False).st_mtime >= since - 1e-6:
                    return False
                path.unlink()
            except FileNotFoundError:
                return True
        return True

    def _try_to_write(self) -> None:
        facts = os.statvfs(self._folder)
        if facts.f_bavail * facts.f_frsize < _ROOM:
            raise Unavailable(
                f"There is hardly any room left for artifacts in {self._folder}",
                hint="free some disk space",
                retry_after=10.0,
                full=True,
            )
        probe = Incoming(self._incoming / os.urandom(16).hex(), limit=_BLOCK)
        try:
            probe.write(b"There is room.\n")
            probe.seal(self._now())
        finally:
            probe.discard()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


async def _in_blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in blocks that are worth a thread's while."""
    pending: list[bytes] = []
    size = 0
    async for chunk in chunks:
        pending.append(bytes(chunk))
        size += len(chunk)
        if size >= _BLOCK:
            yield b"".join(pending)
            pending, size = [], 0
    if pending:
        yield b"".join(pending)


def _read(stored: BinaryIO, start: int, size: int) -> bytes:
    try:
        block = os.pread(stored.fileno(), size, start)
    except OSError as error:
        raise InfrastructureError(f"Cannot read a blob: {error.strerror}") from error
    if not block:
        raise InfrastructureError("A blob became shorter while it was read")
    return block


def _listed(folder: Path, name: re.Pattern[str]) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir() if name.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise refused(folder, error) from error


def _damaged(digest: str) -> InfrastructureError:
    return InfrastructureError(
        f"The stored bytes of blob {digest} are not those that were stored",
        hint="restore it from a backup, and look after the disk",
    )
