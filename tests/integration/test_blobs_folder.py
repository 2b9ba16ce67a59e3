"""Blobs in a folder when the disk is full or fails, and after a crash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.core.model.errors import InfrastructureError, Unavailable
from pawl.server.main import open_blobs
from pawl.server.settings import ServerSettings

A_FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from pawl.adapters.blobs_folder import FolderBlobs
from pawl.core.model.errors import Unavailable

async def chunks(size):
    for _ in range(size // 1000):
        yield b"x" * 1000

async def main():
    blobs = FolderBlobs(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        await blobs.put(chunks(3_000_000), limit=10_000_000)
    except Unavailable as error:
        print(error.full, [facts async for facts in blobs.all()])
    print((await blobs.put(chunks(50_000), limit=10_000_000)).size)

asyncio.run(main())
"""


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def stored_files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_leaves_nothing_and_is_survived(tmp_path: Path) -> None:
    """A limit on the size of files fails writes half-way, as a full disk does."""
    command = [sys.executable, "-c", A_FULL_DISK, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.stderr == ""
    assert told.stdout.splitlines() == ["True []", "50000"]
    assert len(stored_files(tmp_path)) == 1


async def test_what_a_crash_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    await FolderBlobs(tmp_path).put(chunks(b"kept"), limit=10)
    (tmp_path / "incoming/half").write_bytes(b"half")
    digest = hashlib.sha256(b"kept").hexdigest()
    FolderBlobs(tmp_path)
    assert stored_files(tmp_path) == [Path(digest[:2], digest)]


async def test_a_refused_blob_leaves_nothing_aside(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    with pytest.raises(InfrastructureError, match="broken"):
        await blobs.put(_broken(), limit=10_000_000)
    assert stored_files(tmp_path) == []


async def _broken() -> AsyncIterator[bytes]:
    yield bytes(2_000_000)
    raise InfrastructureError("broken")


async def test_stored_again_counts_from_then(tmp_path: Path) -> None:
    times = iter([1000.25, 2000.5])
    blobs = FolderBlobs(tmp_path, now=lambda: next(times))
    first = await blobs.put(chunks(b"same"), limit=10)
    second = await blobs.put(chunks(b"same"), limit=10)
    assert (first.stored_at, second.stored_at) == (1000.25, 2000.5)
    assert not await blobs.delete(first.digest, unless_stored_since=1500)
    assert await blobs.delete(first.digest, unless_stored_since=2001)


async def test_damaged_bytes_are_found_by_who_reads_all(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = (await blobs.put(chunks(b"whole"), limit=10)).digest
    (tmp_path / digest[:2] / digest).write_bytes(b"wrong")
    with pytest.raises(InfrastructureError, match=digest):
        assert [part async for part in blobs.read(digest)] == []
    await blobs.put(chunks(b"whole"), limit=10)
    assert [part async for part in blobs.read(digest)] == [b"whole"]


async def test_other_files_are_not_taken_for_blobs(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab/readme").write_text("")
    (tmp_path / "notes").write_text("")
    assert [facts async for facts in blobs.all()] == []


async def test_the_check_fails_where_nothing_can_be_written(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    await blobs.check()
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        await blobs.check()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        FolderBlobs(tmp_path / "file/blobs")


async def test_a_servers_blobs_have_its_own_time(tmp_path: Path) -> None:
    blobs = open_blobs(ServerSettings(data=str(tmp_path)), lambda: 5.0)
    assert (await blobs.put(chunks(b"x"), limit=10)).stored_at == 5.0
    assert [facts.stored_at async for facts in blobs.all()] == [5.0]
