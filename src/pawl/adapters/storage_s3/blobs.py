"""`Blobs` in a bucket: `blobs/ab/<digest>`."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from typing import IO

import obstore

from pawl.adapters.storage_s3.bucket import asking, check_bucket, open_bucket
from pawl.core.model.errors import Conflict, InfrastructureError, NotFound, TooLarge, Unavailable
from pawl.ports.blobs import BlobFacts

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLOCKS_DIFFER = 60.0
"""Seconds by which the storage's clock may differ from ours: a blob that young is not removed."""


class S3Blobs:
    """Blobs in a bucket. A blob is one object, so it is there whole or not at all."""

    def __init__(self, url: str) -> None:
        """Keep blobs at a URL as `open_bucket` takes it; nothing is asked of it yet.

        Raises:
            UsageError: it is no such URL.
        """
        self._bucket = open_bucket(url)

    async def put(self, chunks: AsyncIterator[bytes], *, limit: int, digest: str | None = None) -> BlobFacts:
        """Store bytes, as the port says. They are kept in a temporary file until their digest is known."""
        with tempfile.TemporaryFile() as aside:
            found, size = await _put_aside(chunks, aside, limit)
            if digest not in (None, found):
                raise Conflict(f"The bytes sent have the digest {found}, not the one that was told")
            aside.seek(0)
            with asking("keep a blob"):
                try:
                    await obstore.put_async(self._bucket, _key(found), aside)
                except FileNotFoundError as error:
                    raise Unavailable("There is no such bucket", hint="make it first") from error
        facts = await self.facts(found)
        if facts is None or facts.size != size:
            raise Unavailable(f"The bucket did not keep the blob {found}")
        return facts

    async def facts(self, digest: str) -> BlobFacts | None:
        """Return size and time of a blob, as the port says; the time is the storage's, in whole seconds."""
        if not _DIGEST.fullmatch(digest):
            return None
        with asking("tell about a blob"):
            try:
                found = await obstore.head_async(self._bucket, _key(digest))
            except FileNotFoundError:
                return None
        return BlobFacts(digest=digest, size=found["size"], stored_at=found["last_modified"].timestamp())

    async def read(self, digest: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield a blob's bytes, as the port says; of a blob read whole the digest is compared at its end."""
        facts = await self.facts(digest)
        if facts is None:
            raise NotFound(f"There is no blob {digest[:64]}")
        start = max(start, 0)
        last = facts.size if end is None else min(end, facts.size)
        if start >= last:
            return
        whole = hashlib.sha256() if (start, last) == (0, facts.size) else None
        with asking("read a blob"):
            try:
                stored = await obstore.get_async(self._bucket, _key(digest), options={"range": (start, last)})
            except FileNotFoundError as error:
                raise NotFound(f"There is no blob {digest}") from error
            async for block in stored.stream(min_chunk_size=256 * 1024):
                data = bytes(block)
                if whole is not None:
                    whole.update(data)
                yield data
        if whole is not None and whole.hexdigest() != digest:
            raise InfrastructureError(f"The stored bytes of blob {digest} are not those that were stored")

    async def delete(self, digest: str, *, unless_stored_since: float) -> bool:
        """Remove a blob, as the port says, unless it is younger by less than clocks may differ.

        S3 cannot compare and remove at once: of several servers one at a time should remove.
        """
        facts = await self.facts(digest)
        if facts is None:
            return True
        if facts.stored_at >= unless_stored_since - _CLOCKS_DIFFER:
            return False
        with asking("remove a blob"):
            await obstore.delete_async(self._bucket, _key(digest))
        return True

    async def all(self) -> AsyncIterator[BlobFacts]:
        """Yield all blobs, as the port says."""
        with asking("list blobs"):
            async for found in obstore.list(self._bucket, "blobs"):
                for entry in found:
                    name = entry["path"].rpartition("/")[2]
                    if _DIGEST.fullmatch(name):
                        stored_at = entry["last_modified"].timestamp()
                        yield BlobFacts(digest=name, size=entry["size"], stored_at=stored_at)

    async def check(self) -> None:
        """Return when something can be stored, as the port says."""
        await check_bucket(self._bucket)


def _key(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest}"


async def _put_aside(chunks: AsyncIterator[bytes], aside: IO[bytes], limit: int) -> tuple[str, int]:
    """Write all chunks into a file and return their digest and number."""
    digest = hashlib.sha256()
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"There are more than the {limit} bytes that may be sent at once")
        digest.update(chunk)
        try:
            await asyncio.to_thread(aside.write, chunk)
        except OSError as error:
            raise Unavailable(
                f"Cannot keep a temporary file: {error.strerror}", hint="free some disk space", full=True
            ) from error
    return digest.hexdigest(), size
