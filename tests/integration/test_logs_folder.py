"""Logs in a folder when the disk is full or fails, and after a crash."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawl.adapters.logs_folder import FolderLogBytes, file
from pawl.adapters.logs_folder import logs as module
from pawl.core.model.errors import OffsetConflict, Unavailable, UsageError
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogName

LOG = LogName(attempt=AttemptRef(run=RunId(1), job=JobId("build"), attempt=1), index=0)

IN_A_CHILD = """
import asyncio, os, resource, sys
from pathlib import Path
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.core.model.errors import Unavailable
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogName

LOG = LogName(attempt=AttemptRef(run=RunId(1), job=JobId("build"), attempt=1), index=0)
logs = FolderLogBytes(Path(sys.argv[1]))
"""

A_FULL_DISK = """
async def main():
    await logs.append(LOG, "data", 0, b"a" * 60_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    for _ in range(3):
        try:
            await logs.append(LOG, "data", 60_000, b"b" * 60_000)
        except Unavailable as error:
            print(error.full, await logs.size(LOG, "data"), len(await logs.read(LOG, "data")))
    print(await logs.append(LOG, "data", 60_000, b"b" * 10_000))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(await logs.append(LOG, "data", 70_000, b"c" * 60_000))

asyncio.run(main())
"""

APPENDING = """
async def main():
    size = 0
    while True:
        size = await logs.append(LOG, "data", size, bytes(range(256)) * 40)
        print(size, flush=True)

asyncio.run(main())
"""


def the_file(folder: Path) -> Path:
    return next(folder.glob("1/*.log"))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def files(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]


def append_until_killed(folder: Path) -> int:
    """Return how many bytes were acknowledged."""
    command = [sys.executable, "-c", IN_A_CHILD + APPENDING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(5)]
        child.kill()
        return max([*acknowledged, *map(int, child.stdout.read().split())])


def test_a_full_disk_tears_nothing_and_is_survived(tmp_path: Path) -> None:
    """A limit on the size of files fails writes half-way, as a full disk does."""
    command = [sys.executable, "-c", IN_A_CHILD + A_FULL_DISK, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.stderr == ""
    assert told.stdout.splitlines() == [*["True 60000 60000"] * 3, "70000", "130000"]
    assert the_file(tmp_path).read_bytes() == b"a" * 60_000 + b"b" * 10_000 + b"c" * 60_000


async def test_after_a_kill_all_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    acknowledged = append_until_killed(tmp_path)
    logs = FolderLogBytes(tmp_path)
    size = await logs.size(LOG, "data")
    assert size >= acknowledged
    assert await logs.read(LOG, "data") == (bytes(range(256)) * (size // 256 + 1))[:size]


async def test_a_torn_end_is_compared_and_completed(tmp_path: Path) -> None:
    await FolderLogBytes(tmp_path).append(LOG, "data", 0, b"kept\n")
    with the_file(tmp_path).open("ab") as log:
        log.write(b"torn he")
    logs = FolderLogBytes(tmp_path)
    assert await logs.size(LOG, "data") == 12
    assert await logs.append(LOG, "data", 5, b"torn here\n") == 15
    assert await logs.read(LOG, "data") == b"kept\ntorn here\n"


async def test_bytes_whose_sync_failed_are_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = FolderLogBytes(tmp_path)
    await logs.append(LOG, "data", 0, b"safe\n")

    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(file, "_sync", fails)
        with pytest.raises(Unavailable) as failure:
            await logs.append(LOG, "data", 5, b"lost\n")
    assert not failure.value.full
    assert the_file(tmp_path).read_bytes() == b"safe\n"
    assert await logs.size(LOG, "data") == 5
    assert await logs.append(LOG, "data", 5, b"lost\n") == 10


async def test_a_write_that_ends_half_way_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = FolderLogBytes(tmp_path)

    def fills_up(descriptor: int, offset: int, data: bytes) -> None:
        os.pwrite(descriptor, data[:3], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(file, "write_at", fills_up)
        with pytest.raises(Unavailable) as failure:
            await logs.append(LOG, "data", 0, b"whole")
    assert failure.value.full
    assert failure.value.hint
    assert the_file(tmp_path).read_bytes() == b""
    with pytest.raises(OffsetConflict):
        await logs.append(LOG, "data", 3, b"le")
    assert await logs.append(LOG, "data", 0, b"whole") == 5


async def test_bytes_that_are_not_durable_yet_are_not_shown(tmp_path: Path) -> None:
    logs = FolderLogBytes(tmp_path)
    await logs.append(LOG, "data", 0, b"durable")
    with the_file(tmp_path).open("ab") as log:
        log.write(b" and not yet")
    assert await logs.read(LOG, "data") == b"durable"


async def test_more_logs_than_files_may_be_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 10)
    logs = FolderLogBytes(tmp_path)
    attempts = [AttemptRef(run=RunId(run), job=JobId("job"), attempt=1) for run in range(40)]
    every = [LogName(attempt=attempt, index=0) for attempt in attempts]
    before = len(names(Path("/proc/self/fd")))
    for name in every:
        await logs.append(name, "data", 0, b"one")
    assert len(names(Path("/proc/self/fd"))) - before < 25
    await asyncio.gather(*(logs.append(name, "data", 3, b"two") for name in every))
    assert {await logs.read(name, "data") for name in every} == {b"onetwo"}


async def test_a_removal_cut_short_is_ended_at_the_next_start(tmp_path: Path) -> None:
    await FolderLogBytes(tmp_path).append(LOG, "data", 0, b"abc")
    (tmp_path / "1").rename(tmp_path / ".gone-1-abcd")
    (tmp_path / "not-a-run").mkdir()
    logs = FolderLogBytes(tmp_path)
    assert [run async for run in logs.runs()] == []
    assert names(tmp_path) == ["not-a-run"]


async def test_only_numbers_and_hashes_are_in_paths(tmp_path: Path) -> None:
    logs = FolderLogBytes(tmp_path / "logs")
    for job in ("../../up", "/etc/passwd", "a/b", "", "x" * 5000):
        name = LogName(attempt=AttemptRef(run=RunId(7), job=JobId(job), attempt=2), index=3)
        await logs.append(name, "index", 0, bytes(16))
    found = files(tmp_path)
    assert len(found) == 5
    assert all(path.match("logs/7/" + "[0-9a-f]" * 32 + ".2.03.idx") for path in found)


@pytest.mark.parametrize(("run", "attempt", "index"), [(-1, 1, 0), (1, -1, 0), (1, 1, -1)])
async def test_numbers_below_zero_are_refused(tmp_path: Path, run: int, attempt: int, index: int) -> None:
    name = LogName(attempt=AttemptRef(run=RunId(run), job=JobId("job"), attempt=attempt), index=index)
    with pytest.raises(UsageError):
        await FolderLogBytes(tmp_path).append(name, "data", 0, b"x")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        FolderLogBytes(tmp_path / "file/logs")


async def test_the_check_fails_where_nothing_can_be_written(tmp_path: Path) -> None:
    logs = FolderLogBytes(tmp_path / "logs")
    await logs.check()
    (tmp_path / "logs").rename(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        await logs.check()
    logs.close()
