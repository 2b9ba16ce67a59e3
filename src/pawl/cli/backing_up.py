"""Backing up an installation while it runs, and making one out of a backup."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.store_sql import SCHEMA_VERSION, copy_store, open_store, restore_store
from pawl.cli.moving import DATABASE, NOTE_FILE, Moved, Mover, copy_database, is_sqlite, open_copy, store_url
from pawl.core.model.errors import Conflict, InfrastructureError, NotFound
from pawl.ports.blobs import Blobs
from pawl.ports.log_bytes import LogBytes
from pawl.ports.store import Store
from pawl.server.locking import locked, make_private, write_private
from pawl.server.main import open_blobs, open_logs
from pawl.server.settings import ServerSettings

_BUCKET = "s3://"


def is_backup(folder: Path) -> bool:
    """Return whether a folder holds a whole backup: its note is written last."""
    return (folder / NOTE_FILE).is_file() and (folder / DATABASE).is_file()


async def back_up(settings: ServerSettings, target: Path, *, version: str, time: float) -> Moved:
    """Copy an installation into the empty folder `target`.

    Args:
        settings: of its server.
        target: where to.
        version: of Pawl.
        time: now, in seconds since 1970.

    Raises:
        PawlError: something cannot be read or written, or is damaged.
    """
    url = settings.store or store_url(settings.folder)
    if is_sqlite(url) and not settings.store and not (settings.folder / DATABASE).exists():
        raise NotFound(f"there is no server's data in {settings.folder}", hint="name its folder with --data")
    await asyncio.to_thread(copy_database, url, target / DATABASE)
    mover = Mover(
        _logs_to_read(settings),
        _blobs_to_read(settings),
        FolderLogBytes(target / "logs"),
        FolderBlobs(target / "blobs"),
    )
    async with _closing(await open_copy(target)) as copied, _original(url) as original:
        moved = await mover.move(copied, original)
    note = {"pawl": version, "schema": SCHEMA_VERSION, "time": time, "runs": moved.runs, "bytes": moved.size}
    write_private(target / NOTE_FILE, json.dumps(note, indent=2) + "\n")
    return moved


async def restore(backup: Path, settings: ServerSettings) -> Moved:
    """Make an installation out of a backup. The database comes last: a restore cut short is no installation.

    Raises:
        Conflict: there is a database already.
        PawlError: as `back_up`.
    """
    url, folder = settings.store or store_url(settings.folder), settings.folder
    make_private(folder)
    with locked(folder):
        if not settings.store and (folder / DATABASE).exists():
            raise Conflict(
                f"there is a server's data in {folder} already", hint="name a new folder with --data"
            )
        mover = Mover(
            FolderLogBytes(backup / "logs", alone=False),
            FolderBlobs(backup / "blobs", alone=False),
            open_logs(settings),
            open_blobs(settings),
        )
        async with _closing(await open_copy(backup)) as copied:
            moved = await mover.move(copied, None)
        await asyncio.to_thread(_restore_database, backup / DATABASE, url)
    return moved


def _restore_database(backup: Path, url: str) -> None:
    if is_sqlite(url):
        restore_store(backup, url)
    else:
        copy_store(f"sqlite:///{backup}", url)


def _logs_to_read(settings: ServerSettings) -> LogBytes:
    """Return a server's logs, for reading beside it."""
    if settings.logs.startswith(_BUCKET):
        return open_logs(settings)
    folder = Path(settings.logs).expanduser() if settings.logs else settings.folder / "logs"
    return FolderLogBytes(folder, alone=False)


def _blobs_to_read(settings: ServerSettings) -> Blobs:
    """Return a server's blobs, for reading beside it."""
    if settings.blobs.startswith(_BUCKET):
        return open_blobs(settings)
    folder = Path(settings.blobs).expanduser() if settings.blobs else settings.folder / "blobs"
    return FolderBlobs(folder, alone=False)


@contextlib.asynccontextmanager
async def _closing(store: Store) -> AsyncIterator[Store]:
    try:
        yield store
    finally:
        await store.aclose()


@contextlib.asynccontextmanager
async def _original(url: str) -> AsyncIterator[Store | None]:
    """Yield the store that was copied, None when it cannot be opened beside its server."""
    try:
        store = await asyncio.to_thread(open_store, url)
    except InfrastructureError:
        yield None
        return
    async with _closing(store):
        yield store
