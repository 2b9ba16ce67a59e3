"""Bytes of logs and blobs in memory: what is acknowledged stays, the rest may not."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable

from pawl.core.model.errors import Conflict, NotFound, OffsetConflict, TooLarge, Unavailable
from pawl.core.model.ids import RunId
from pawl.ports.blobs import BlobFacts
from pawl.ports.log_bytes import LogName, Part
from tests.simulation.draws import Faults

Pause = Callable[[str], Awaitable[None]]


class Disk:
    """What outlives a server: the bytes themselves."""

    def __init__(self) -> None:
        self.logs: dict[tuple[LogName, str], bytearray] = {}
        self.blobs: dict[str, tuple[bytes, float]] = {}


class SimulatedLogs:
    """Logs on a simulated disk; an append that is cut short leaves a beginning of it, as files do."""

    def __init__(self, disk: Disk, pause: Pause, draw: random.Random, faults: Faults) -> None:
        self._disk = disk
        self._pause = pause
        self._draw = draw
        self._faults = faults
        self._locks: defaultdict[tuple[LogName, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def append(self, name: LogName, part: Part, offset: int, data: bytes) -> int:
        """Store bytes; see the port."""
        await self._pause("log append")
        async with self._locks[name, part]:
            stored = self._disk.logs.setdefault((name, part), bytearray())
            known = len(stored) - offset
            if known < 0:
                raise OffsetConflict(f"{name} has {len(stored)} bytes, not {offset}", size=len(stored))
            overlap = min(known, len(data))
            if stored[offset : offset + overlap] != data[:overlap]:
                raise OffsetConflict(f"{name} differs from {offset} on", size=len(stored))
            fresh = data[overlap:]
            half = self._draw.randrange(len(fresh)) if fresh else 0
            stored += fresh[:half]
            if fresh and self._draw.random() < self._faults.logs_full:
                raise Unavailable("no room for logs", full=True)
            await self._pause("log write")
            stored += fresh[half:]
            await self._pause("log synced")
            return len(stored)

    async def size(self, name: LogName, part: Part) -> int:
        """Return how many bytes are stored."""
        await self._pause("log size")
        return len(self._disk.logs.get((name, part), b""))

    async def read(self, name: LogName, part: Part, *, start: int = 0, size: int = -1) -> bytes:
        """Return stored bytes."""
        await self._pause("log read")
        stored = self._disk.logs.get((name, part), b"")
        return bytes(stored[start:] if size < 0 else stored[start : start + size])

    async def digest(self, name: LogName) -> str:
        """Return the digest of all data stored."""
        await self._pause("log digest")
        return hashlib.sha256(self._disk.logs.get((name, "data"), b"")).hexdigest()

    async def delete_run(self, run: RunId) -> int:
        """Remove all logs of a run."""
        await self._pause("log delete")
        gone = [key for key in self._disk.logs if key[0].attempt.run == run]
        return sum(len(self._disk.logs.pop(key)) for key in gone)

    async def runs(self) -> AsyncIterator[RunId]:
        """Yield the runs that any bytes are kept of."""
        for run in dict.fromkeys(name.attempt.run for name, _ in self._disk.logs):
            yield run

    async def check(self) -> None:
        """Return: there is room."""


class SimulatedBlobs:
    """Blobs on a simulated disk: whole or not at all."""

    def __init__(self, disk: Disk, pause: Pause, now: Callable[[], float]) -> None:
        self._disk = disk
        self._pause = pause
        self._now = now

    async def put(self, chunks: AsyncIterator[bytes], *, limit: int, digest: str | None = None) -> BlobFacts:
        """Store what `chunks` yields."""
        data = b"".join([chunk async for chunk in chunks])
        await self._pause("blob put")
        found = hashlib.sha256(data).hexdigest()
        if len(data) > limit:
            raise TooLarge(f"more than {limit} bytes")
        if digest is not None and found != digest:
            raise Conflict("the digest is another")
        self._disk.blobs[found] = (data, self._now())
        await self._pause("blob stored")
        return BlobFacts(digest=found, size=len(data), stored_at=self._now())

    async def facts(self, digest: str) -> BlobFacts | None:
        """Return what is known of a blob."""
        await self._pause("blob facts")
        kept = self._disk.blobs.get(digest)
        return kept and BlobFacts(digest=digest, size=len(kept[0]), stored_at=kept[1])

    async def read(self, digest: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a blob's bytes."""
        if digest not in self._disk.blobs:
            raise NotFound(f"no blob {digest}")
        yield self._disk.blobs[digest][0][start:end]

    async def delete(self, digest: str, *, unless_stored_since: float) -> bool:
        """Remove an old blob."""
        await self._pause("blob delete")
        kept = self._disk.blobs.get(digest)
        if kept is not None and kept[1] < unless_stored_since:
            del self._disk.blobs[digest]
        return digest not in self._disk.blobs

    async def all(self) -> AsyncIterator[BlobFacts]:
        """Yield all blobs."""
        for digest, (data, when) in list(self._disk.blobs.items()):
            yield BlobFacts(digest=digest, size=len(data), stored_at=when)

    async def check(self) -> None:
        """Return: there is room."""
