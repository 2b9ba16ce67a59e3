"""After a power cut only what was synced is left: all that was acknowledged must be among it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.logs_folder import FolderLogBytes, file
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogName, Part
from tests.integration.power import Survivors

PARTS: tuple[Part, Part] = ("data", "index")


@pytest.fixture
def survivors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Survivors:
    """Return what is left of the test's folder, were the power cut now."""
    made = Survivors(tmp_path)
    monkeypatch.setattr(os, "fsync", made.noting(os.fsync))
    monkeypatch.setattr(file, "_sync", made.noting(file._sync))
    return made


async def _append(folder: Path, logs: FolderLogBytes, survivors: Survivors, run: int, part: Part) -> None:
    """Append three times, and look after each acknowledgement."""
    name = LogName(attempt=AttemptRef(run=RunId(run), job=JobId("build"), attempt=1), index=0)
    path = folder / logs._path(name, part).relative_to(folder)
    sent = b""
    for number in range(3):
        data = f"{run} {part} {number}\n".encode() * 100
        assert await logs.append(name, part, len(sent), data) == len(sent) + len(data)
        sent += data
        assert survivors.content(path) == sent


async def test_acknowledged_bytes_of_logs_are_left(tmp_path: Path, survivors: Survivors) -> None:
    folder = tmp_path / "logs"
    logs = FolderLogBytes(folder)
    wanted = [(run, part) for run in (1, 2, 3) for part in PARTS]
    await asyncio.gather(*(_append(folder, logs, survivors, *each) for each in wanted))
    logs.close()


async def test_so_they_are_where_a_killed_server_had_made_the_folder_just_before(
    tmp_path: Path, survivors: Survivors
) -> None:
    folder = tmp_path / "logs"
    (folder / "1").mkdir(parents=True)
    logs = FolderLogBytes(folder)
    await _append(folder, logs, survivors, 1, "data")
    logs.close()


async def test_a_folder_that_another_is_just_making_is_not_trusted_yet(
    tmp_path: Path, survivors: Survivors, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "logs"
    logs = FolderLogBytes(folder)
    made, go_on = asyncio.Event(), asyncio.Event()
    loop, sync_folder, first = asyncio.get_running_loop(), file.sync_folder, [folder]

    def late(synced: Path) -> None:
        if synced in first:
            first.clear()
            loop.call_soon_threadsafe(made.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        sync_folder(synced)

    monkeypatch.setattr(file, "sync_folder", late)
    slow = asyncio.ensure_future(_append(folder, logs, survivors, 1, "data"))
    await asyncio.wait_for(made.wait(), 30)
    await _append(folder, logs, survivors, 1, "index")
    go_on.set()
    await slow
    logs.close()


async def test_the_size_that_a_later_server_tells_is_left(tmp_path: Path, survivors: Survivors) -> None:
    folder = tmp_path / "logs"
    name = LogName(attempt=AttemptRef(run=RunId(1), job=JobId("build"), attempt=1), index=0)
    path = FolderLogBytes(folder, alone=False)._path(name, "data")
    path.parent.mkdir()
    path.write_bytes(b"written by a server that was killed before it could sync")
    logs = FolderLogBytes(folder)
    assert await logs.size(name, "data") == len(survivors.content(path) or b"") > 0
    logs.close()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data[:1000]
    yield data[1000:]


@pytest.mark.parametrize("found", ["nothing", "the folder of its digest"])
async def test_acknowledged_blobs_are_left(tmp_path: Path, survivors: Survivors, found: str) -> None:
    folder, data = tmp_path / "blobs", b"artifact" * 1000
    digest = hashlib.sha256(data).hexdigest()
    if found != "nothing":
        (folder / digest[:2]).mkdir(parents=True)
    blobs = FolderBlobs(folder)
    await blobs.put(_chunks(data), limit=len(data))
    assert survivors.content(folder / digest[:2] / digest) == data
