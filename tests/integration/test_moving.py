"""Backups of a data folder: whole, checked, and loud when bytes are missing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.store_sql import open_store
from pawl.cli.backing_up import back_up, is_backup, restore
from pawl.cli.moving import store_url
from pawl.core.model.errors import Conflict, InfrastructureError, NotFound
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef, LogRecord, NewRun
from pawl.ports.log_bytes import LogName
from pawl.ports.store import Store, Transaction
from pawl.server.locking import make_private
from pawl.server.settings import ServerSettings

LOG = b"one\ntwo\n"
FILES = b"the files of a commit"


def settings(folder: Path) -> ServerSettings:
    return ServerSettings(data=str(folder))


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def fill(folder: Path, *, source: str | None = None, sha256: str = "") -> None:
    """Make an installation with a run, its log and its source."""
    make_private(folder)
    store = open_store(store_url(folder))
    try:
        blob = await FolderBlobs(folder / "blobs").put(chunks(FILES), limit=1000)
        await store.write(lambda tx: _add_run(tx, source or blob.digest, sha256))
    finally:
        await store.aclose()
    logs = FolderLogBytes(folder / "logs")
    await logs.append(LogName(attempt=_ref(), index=0), "data", 0, LOG)
    logs.close()


def _ref() -> AttemptRef:
    return AttemptRef(run=RunId(1), job=JobId("a"), attempt=1)


def _add_run(transaction: Transaction, source: str, sha256: str) -> None:
    transaction.runs.add(
        NewRun(
            repository="acme/app",
            path=".ci.yml",
            name="CI",
            run_name="CI",
            event="push",
            ref="refs/heads/main",
            sha="0" * 40,
            actor="me",
            correlation="c",
            created_at=1.0,
            plan={},
            state={},
            source=source,
        )
    )
    digest = sha256 or hashlib.sha256(LOG).hexdigest()
    transaction.logs.put(
        LogRecord(attempt=_ref(), index=0, name="Step", size=len(LOG), lines=2, sha256=digest, finished=True)
    )


async def read_runs(store: Store) -> int:
    try:
        return len(await store.read(lambda tx: tx.logs.of_run(_ref().run)))
    finally:
        await store.aclose()


async def test_a_backup_holds_all_and_becomes_an_installation_again(tmp_path: Path) -> None:
    await fill(tmp_path / "data")
    (tmp_path / "backup").mkdir()
    moved = await back_up(settings(tmp_path / "data"), tmp_path / "backup", version="1", time=5.0)
    assert dataclasses.astuple(moved) == (1, 1, 1, len(LOG) + len(FILES), 0)
    assert is_backup(tmp_path / "backup")
    assert json.loads((tmp_path / "backup/backup.json").read_text())["time"] == 5.0
    assert await restore(tmp_path / "backup", settings(tmp_path / "new")) == moved
    assert await read_runs(open_store(store_url(tmp_path / "new"))) == 1
    logs = FolderLogBytes(tmp_path / "new/logs")
    assert await logs.read(LogName(attempt=_ref(), index=0), "data") == LOG
    logs.close()
    with pytest.raises(Conflict, match="already"):
        await restore(tmp_path / "backup", settings(tmp_path / "new"))


async def test_missing_bytes_are_an_error_and_no_backup(tmp_path: Path) -> None:
    await fill(tmp_path / "data", source="a" * 64)
    (tmp_path / "backup").mkdir()
    with pytest.raises(InfrastructureError, match="1 of the stored bytes are missing: the blob aaaa"):
        await back_up(settings(tmp_path / "data"), tmp_path / "backup", version="1", time=5.0)
    assert not is_backup(tmp_path / "backup")


async def test_a_damaged_log_is_an_error(tmp_path: Path) -> None:
    await fill(tmp_path / "data", sha256="b" * 64)
    (tmp_path / "backup").mkdir()
    with pytest.raises(InfrastructureError, match="is damaged"):
        await back_up(settings(tmp_path / "data"), tmp_path / "backup", version="1", time=5.0)


async def test_a_folder_without_a_server_s_data_is_no_backup_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with pytest.raises(NotFound, match="no server's data"):
        await back_up(settings(tmp_path / "none"), tmp_path / "backup", version="1", time=5.0)
