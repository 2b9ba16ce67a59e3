"""Backup of a SQLite store while it is in use, and the way back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from pawl.adapters.store_sql import schema, sqlite_files
from pawl.adapters.store_sql.opening import is_postgresql, sqlite_path
from pawl.core.model.errors import Conflict, InfrastructureError, NotFound, UsageError


def backup_store(url: str, target: Path) -> None:
    """Copy a SQLite store into one file, as of one moment, while servers go on using it.

    The copy is checked, and durable under its name, before this returns. Blocks; run it in a thread.

    Args:
        url: of the store.
        target: the file to make, with mode 0600.

    Raises:
        UsageError: the store is not SQLite's.
        NotFound: there is no store.
        Conflict: `target` exists.
        Unavailable, InfrastructureError: it cannot be read or written, or the copy is damaged.
    """
    path = _sqlite(url, "pg_dump makes a backup of a PostgreSQL database")
    if not Path(path).exists():
        raise NotFound(f"there is no database {path}", hint="name the server's data folder")
    _refuse_existing(target)
    _copy(path, target)


def restore_store(backup: Path, url: str, *, replace: bool = False) -> None:
    """Make a SQLite store from a backup. No server may be using the store.

    The backup is checked first; the store changes at one moment or not at all. Blocks; run it in a thread.

    Args:
        backup: a file that `backup_store` made.
        url: of the store.
        replace: whether a store that exists is given up.

    Raises:
        UsageError: the store is not SQLite's.
        NotFound: there is no such backup.
        Conflict: the store exists, and `replace` is not set.
        Unavailable, InfrastructureError: it cannot be read or written, is damaged, or of a newer version.
    """
    path = Path(_sqlite(url, "psql or pg_restore brings back a PostgreSQL database"))
    if not backup.exists():
        raise NotFound(f"there is no backup {backup}")
    if not replace:
        _refuse_existing(path)
    _copy(str(backup), path)


def _copy(source: str, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    try:
        _remove_with_log(partial)
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(_open(Path(source))) as reading, closing(_open(partial)) as writing:
            # All pages in one go: in small portions it would begin anew whenever somebody writes.
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode=DELETE")
            _check(writing, source)
        _sync(partial)
        _remove_log(target)
        partial.replace(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise sqlite_files.explain_opening(error, source) from error
    finally:
        _remove_with_log(partial)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path.absolute().as_uri() + "?mode=rw",
        uri=True,
        timeout=sqlite_files.BUSY_SECONDS,
        isolation_level=None,
    )
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _check(copy: sqlite3.Connection, source: str) -> None:
    """Raise unless a copy is whole, and a store of a version that is known here."""
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    if found != ["ok"]:
        raise InfrastructureError(
            f"the database {source} is damaged: {'; '.join(map(str, found))}",
            hint="bring back an earlier backup with `pawl restore`",
        )
    if schema.version_of("sqlite", copy.execute, source) == 0:
        raise InfrastructureError(f"{source} is an empty database", hint="name a backup that Pawl made")


def _sqlite(url: str, hint: str) -> str:
    if is_postgresql(url):
        raise UsageError("only a SQLite store is backed up and restored by Pawl itself", hint=hint)
    return sqlite_path(url)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise Conflict(f"{path} exists", hint="name another file, or move that one away")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_log(path: Path) -> None:
    """Remove what SQLite keeps beside a file: of another one, it would damage the new one."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _remove_with_log(path: Path) -> None:
    _remove_log(path)
    path.unlink(missing_ok=True)
