"""What every `Blobs` promises (ports/blobs.py), asked of each adapter."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.storage_s3.blobs import S3Blobs
from pawl.core.model.errors import Conflict, NotFound, TooLarge
from pawl.ports.blobs import Blobs

Make = Callable[[], Blobs]
"""Makes one more adapter on the same storage: what a restarted server would have."""

HOUR = 3600.0
BAD_DIGESTS = [
    "",
    "..",
    "../../etc/passwd",
    "a" * 63,
    "a" * 65,
    "A" * 64,
    "g" * 64,
    "\n" + "a" * 64,
    "a" * 64 + "\n",
]


@pytest.fixture(params=["folder", "s3"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "s3":
        url = request.getfixturevalue("bucket")
        return lambda: S3Blobs(url)
    return lambda: FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def blobs(make: Make) -> Blobs:
    return make()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def stored(blobs: Blobs, data: bytes, limit: int = 1_000) -> str:
    return (await blobs.put(chunks(data), limit=limit)).digest


async def read(blobs: Blobs, digest: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([part async for part in blobs.read(digest, start=start, end=end)])


async def test_a_blob_is_named_by_its_digest(blobs: Blobs) -> None:
    facts = await blobs.put(chunks(b"hello ", b"world"), limit=11)
    assert facts.digest == hashlib.sha256(b"hello world").hexdigest()
    assert facts.size == 11
    assert await read(blobs, facts.digest) == b"hello world"
    known = await blobs.facts(facts.digest)
    assert known is not None
    assert (known.digest, known.size) == (facts.digest, 11)
    assert known.stored_at == pytest.approx(facts.stored_at, abs=2)


async def test_an_empty_blob(blobs: Blobs) -> None:
    digest = (await blobs.put(chunks(), limit=0)).digest
    assert digest == hashlib.sha256().hexdigest()
    assert await read(blobs, digest) == b""


async def test_the_same_bytes_are_kept_once(blobs: Blobs) -> None:
    assert await stored(blobs, b"same") == await stored(blobs, b"same")
    assert [facts.size async for facts in blobs.all()] == [4]


async def test_many_at_once(blobs: Blobs) -> None:
    digests = await asyncio.gather(*(stored(blobs, b"%d" % (number % 5)) for number in range(20)))
    assert sorted([facts.digest async for facts in blobs.all()]) == sorted(set(digests))
    assert len(set(digests)) == 5


async def test_another_server_finds_them(make: Make) -> None:
    digest = await stored(make(), b"kept")
    assert await read(make(), digest) == b"kept"


async def test_too_many_bytes_are_refused(blobs: Blobs) -> None:
    with pytest.raises(TooLarge):
        await blobs.put(chunks(b"12345", b"6"), limit=5)
    assert [facts async for facts in blobs.all()] == []


async def test_bytes_without_an_end_are_cut_off(blobs: Blobs) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)

    with pytest.raises(TooLarge):
        await blobs.put(endless(), limit=2_000_000)


async def test_another_digest_than_told_is_refused(blobs: Blobs) -> None:
    told = hashlib.sha256(b"told").hexdigest()
    for digest in (told, "../x", ""):
        with pytest.raises(Conflict):
            await blobs.put(chunks(b"sent"), limit=10, digest=digest)
    assert [facts async for facts in blobs.all()] == []
    assert (await blobs.put(chunks(b"told"), limit=10, digest=told)).digest == told


async def test_a_sender_that_breaks_off_leaves_nothing(blobs: Blobs) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(1_500_000)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.put(broken(), limit=10_000_000)
    assert [facts async for facts in blobs.all()] == []


async def test_a_caller_that_leaves_leaves_nothing(blobs: Blobs) -> None:
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(1_500_000)
        begun.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(blobs.put(slow(), limit=10_000_000))
    await asyncio.wait_for(begun.wait(), 60)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert [facts async for facts in blobs.all()] == []


async def test_ranges(blobs: Blobs) -> None:
    digest = await stored(blobs, b"0123456789")
    assert await read(blobs, digest, 3) == b"3456789"
    assert await read(blobs, digest, 3, 5) == b"34"
    assert await read(blobs, digest, 0, 100) == b"0123456789"
    assert await read(blobs, digest, 5, 5) == b""
    assert await read(blobs, digest, 10) == b""
    assert await read(blobs, digest, 100, 200) == b""


async def test_a_large_blob_comes_in_pieces(blobs: Blobs) -> None:
    data = b"".join(b"%09d\n" % number for number in range(1_200_000))
    parts = [data[start : start + 65_536] for start in range(0, len(data), 65_536)]
    digest = (await blobs.put(chunks(*parts), limit=len(data))).digest
    told = [part async for part in blobs.read(digest)]
    assert len(told) > 1
    assert b"".join(told) == data
    assert await read(blobs, digest, 6_000_000, 6_000_010) == data[6_000_000:6_000_010]


async def test_a_blob_that_is_not_there(blobs: Blobs) -> None:
    assert await blobs.facts("0" * 64) is None
    with pytest.raises(NotFound):
        await read(blobs, "0" * 64)
    assert await blobs.delete("0" * 64, unless_stored_since=0)


@pytest.mark.parametrize("digest", BAD_DIGESTS)
async def test_what_is_no_digest_names_no_blob(blobs: Blobs, digest: str) -> None:
    assert await blobs.facts(digest) is None
    with pytest.raises(NotFound):
        await read(blobs, digest)
    assert await blobs.delete(digest, unless_stored_since=0)


async def test_a_blob_is_removed(blobs: Blobs) -> None:
    digest = await stored(blobs, b"old")
    known = await blobs.facts(digest)
    assert known is not None
    assert await blobs.delete(digest, unless_stored_since=known.stored_at + HOUR)
    assert await blobs.facts(digest) is None
    assert [facts async for facts in blobs.all()] == []


async def test_a_blob_stored_again_since_stays(blobs: Blobs) -> None:
    digest = await stored(blobs, b"again")
    known = await blobs.facts(digest)
    assert known is not None
    assert not await blobs.delete(digest, unless_stored_since=known.stored_at)
    assert not await blobs.delete(digest, unless_stored_since=known.stored_at - HOUR)
    assert await read(blobs, digest) == b"again"


async def test_there_is_room(blobs: Blobs) -> None:
    await blobs.check()
    assert [facts async for facts in blobs.all()] == []
