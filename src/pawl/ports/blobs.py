"""Blobs: bytes named by their own digest; artifacts and sources are kept so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFacts:
    """A stored blob: SHA-256 in hex, bytes, and when it was stored or last stored again."""

    digest: str
    size: int
    stored_at: float


class Blobs(Protocol):
    """Keeps blobs. Storing the same bytes twice keeps them once. A blob is there whole or not at all."""

    async def put(self, chunks: AsyncIterator[bytes], *, limit: int, digest: str | None = None) -> BlobFacts:
        """Store what `chunks` yields, durably, and return what it is. Memory used does not grow with it.

        Args:
            chunks: the bytes.
            limit: how many there may be at most.
            digest: what the bytes' digest has to be.

        Raises:
            TooLarge: there are more than `limit`; nothing is kept.
            Conflict: the digest is another; nothing is kept.
            Unavailable: no room, or the storage refused; nothing is kept.
        """

    async def facts(self, digest: str) -> BlobFacts | None:
        """Return what is known of a blob, None when there is none."""

    def read(self, digest: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a blob's bytes from `start` up to, not including, `end`.

        Raises:
            NotFound: there is no such blob.
            InfrastructureError: stored bytes cannot be read.
        """

    async def delete(self, digest: str, *, unless_stored_since: float) -> bool:
        """Remove a blob that was last stored before that time; return whether it is gone."""

    def all(self) -> AsyncIterator[BlobFacts]:
        """Yield all blobs, in no order."""

    async def check(self) -> None:
        """Return when there is room and right to write.

        Raises:
            Unavailable: there is not.
        """
