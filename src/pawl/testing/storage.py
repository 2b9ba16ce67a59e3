"""Logs and blobs in memory, and randomness that is always the same: for tests of what decides about them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from pawl.core.model.errors import Conflict, NotFound, OffsetConflict, TooLarge
from pawl.core.model.ids import RunId
from pawl.ports.blobs import BlobFacts
from pawl.ports.clock import Clock
from pawl.ports.log_bytes import LogName, Part


class MemoryLogs:
    """`LogBytes` in memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[LogName, Part], bytearray] = {}

    async def append(self, name: LogName, part: Part, offset: int, data: bytes) -> int:
        """Store bytes; see the port."""
        kept = self._kept.setdefault((name, part), bytearray())
        overlap = bytes(kept[offset : offset + len(data)])
        if offset > len(kept) or overlap != data[: len(overlap)]:
            raise OffsetConflict(size=len(kept))
        kept += data[len(overlap) :]
        return len(kept)

    async def size(self, name: LogName, part: Part) -> int:
        """Return how many bytes are stored."""
        return len(self._kept.get((name, part), b""))

    async def read(self, name: LogName, part: Part, *, start: int = 0, size: int = -1) -> bytes:
        """Return stored bytes."""
        kept = bytes(self._kept.get((name, part), b""))[start:]
        return kept if size < 0 else kept[:size]

    async def digest(self, name: LogName) -> str:
        """Return the SHA-256 of all data stored."""
        return hashlib.sha256(self._kept.get((name, "data"), b"")).hexdigest()

    async def delete_run(self, run: RunId) -> int:
        """Remove all logs of a run."""
        gone = [key for key in self._kept if key[0].attempt.run == run]
        return sum(len(self._kept.pop(key)) for key in gone)

    async def runs(self) -> AsyncIterator[RunId]:
        """Yield the runs that any bytes are kept of."""
        for run in dict.fromkeys(key[0].attempt.run for key in list(self._kept)):
            yield run

    async def check(self) -> None:
        """Return: there is room."""


class MemoryBlobs:
    """`Blobs` in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[bytes, float]] = {}

    async def put(self, chunks: AsyncIterator[bytes], *, limit: int, digest: str | None = None) -> BlobFacts:
        """Store what `chunks` yields; see the port."""
        data = b"".join([chunk async for chunk in chunks])
        if len(data) > limit:
            raise TooLarge
        found = hashlib.sha256(data).hexdigest()
        if digest not in {None, found}:
            raise Conflict("the digest is another")
        self._kept[found] = (data, self._clock.now())
        return BlobFacts(digest=found, size=len(data), stored_at=self._clock.now())

    async def facts(self, digest: str) -> BlobFacts | None:
        """Return what is known of a blob."""
        if digest not in self._kept:
            return None
        data, stored_at = self._kept[digest]
        return BlobFacts(digest=digest, size=len(data), stored_at=stored_at)

    async def read(self, digest: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a blob's bytes."""
        if digest not in self._kept:
            raise NotFound
        yield self._kept[digest][0][start:end]

    async def delete(self, digest: str, *, unless_stored_since: float) -> bool:
        """Remove a blob; see the port."""
        if digest in self._kept and self._kept[digest][1] < unless_stored_since:
            del self._kept[digest]
        return digest not in self._kept

    async def all(self) -> AsyncIterator[BlobFacts]:
        """Yield all blobs."""
        for digest, (data, stored_at) in list(self._kept.items()):
            yield BlobFacts(digest=digest, size=len(data), stored_at=stored_at)

    async def check(self) -> None:
        """Return: there is room."""


class CountedRandomness:
    """`Randomness` that counts: nothing about it is random, and nothing comes twice."""

    def __init__(self) -> None:
        self._count = 0

    def token(self, size: int = 16) -> str:
        """Return the next number, in hex, `size` bytes wide."""
        self._count += 1
        return f"{self._count:0{2 * size}x}"

    def fraction(self) -> float:
        """Return one half."""
        return 0.5
