"""Connections to a SQLite file: their settings, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from pawl.adapters.store_sql import schema
from pawl.core.model.errors import Conflict, InfrastructureError, InternalError, Unavailable

MEMORY = ":memory:"
BUSY_SECONDS = 30.0
"""So long a statement waits for another process that has the database locked (F18)."""

_SETTINGS = (
    "PRAGMA synchronous=FULL",  # an acknowledged commit is on the disk
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
    "PRAGMA journal_size_limit=67108864",
)


def connect(path: str, *, reading: bool = False, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a database file, made with mode 0600 when it is missing.

    Args:
        path: of the file, or `:memory:`.
        reading: whether the connection only reads.
        busy_seconds: see `BUSY_SECONDS`.

    Raises:
        sqlite3.Error, OSError: it cannot be opened; see `explain`.
    """
    if path != MEMORY and not reading:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    # Never makes a file: who reads, or connects again, means the one that was there.
    name = path if path == MEMORY else Path(path).absolute().as_uri() + "?mode=rw"
    connection = sqlite3.connect(
        name,
        uri=path != MEMORY,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        if reading:
            connection.execute("PRAGMA query_only=ON")
        else:
            _use_write_ahead_log(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection, path: str) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal" and path != MEMORY:
        raise InfrastructureError(
            f"the file system of {path} cannot keep a write-ahead log (SQLite says {mode!r})",
            hint="put the data folder on a local disk",
        )


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Bring the database to this version's schema: make it, migrate it, or refuse a newer one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = schema.version_of("sqlite", connection.execute, path)
        if found == 0:
            schema.create("sqlite", connection.execute)
        connection.execute("COMMIT")
    except BaseException:
        close_transaction(connection)
        raise
    if 0 < found < schema.SCHEMA_VERSION:
        migrate(path)


def migrate(path: str, target: int = schema.SCHEMA_VERSION) -> None:
    """Run the migrations on a file, all or none of them."""
    connection = connect(path)
    connection.execute("PRAGMA foreign_keys=OFF")  # a table is changed by copying it: its rows must not go
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    sa.event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as begun:
            schema.upgrade(begun, target)
    finally:
        engine.dispose()
        connection.close()


def close_transaction(connection: sqlite3.Connection) -> None:
    """Roll back what is open, if the connection still can."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        pass


_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def explain_opening(error: BaseException, path: str) -> BaseException:
    """Return what an error at opening a file means to a caller; as `explain`, and the system's own errors."""
    if isinstance(error, OSError):
        return Unavailable(
            f"the database {path} cannot be opened: {error.strerror or error}",
            hint="check that the folder is there and writable",
        )
    return explain(error, path)


def explain(error: BaseException, path: str) -> BaseException:
    """Return what an error of SQLite means to a caller; other errors come back as they are."""
    if not isinstance(error, sqlite3.Error):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"the database {path} refused a row: {error}")
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return InternalError(f"the database {path} was asked in a wrong way: {error}")
    # The low byte is the kind of error, the rest its details.
    code = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
    if code in _LOCKED:
        return Unavailable(
            f"the database {path} has been locked by another process for too long",
            hint="look for another program that has the file open, a backup or a copy for instance",
            retry_after=5.0,
        )
    if code == sqlite3.SQLITE_FULL:
        return Unavailable(
            f"the disk of the database {path} is full", hint="make room on it", retry_after=30.0, full=True
        )
    if code in _CORRUPT:
        return InfrastructureError(
            f"the database {path} is damaged: {error}",
            hint="bring back the last backup with `pawl restore`",
        )
    if code == sqlite3.SQLITE_READONLY:
        return Unavailable(
            f"the database {path} is read-only",
            hint="give the server's user the right to write the file and its folder",
            retry_after=30.0,
        )
    if code == sqlite3.SQLITE_ERROR:
        return InfrastructureError(
            f"the database {path} does not know what Pawl asks for: {error}",
            hint="it may have been changed by a newer version of Pawl",
        )
    return Unavailable(
        f"the database {path} cannot be used: {error}", hint="see the system's log", retry_after=5.0
    )
