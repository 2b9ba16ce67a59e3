"""The store on a SQLite file, with threads."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pawl.adapters.store_sql import sqlite_files
from pawl.adapters.store_sql.listeners import Listener, Listeners
from pawl.adapters.store_sql.session import Session
from pawl.adapters.store_sql.sqlite_writer import Job, Writer
from pawl.adapters.store_sql.transaction import SqlTransaction, probe
from pawl.core.model.errors import Unavailable
from pawl.ports.store import Transaction

T = TypeVar("T")

READERS = 4
"""Connections that read at the same time."""


class SqliteStore:
    """`Store` on a SQLite file: one thread writes, a few read."""

    def __init__(self, path: str, *, busy_seconds: float = sqlite_files.BUSY_SECONDS) -> None:
        """Open the file and bring its schema up to date.

        Raises:
            Unavailable, InfrastructureError: as `Store.write`.
        """
        self._path = path
        self._busy_seconds = busy_seconds
        self._closed = False
        self._listeners = Listeners()
        self._writer = Writer(path, self._connect, self._listeners)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="pawl-store-reader")
        self._reading = threading.local()
        self._lock = threading.Lock()
        self._open: list[sqlite3.Connection] = []
        self._writer.start(open_file(path, busy_seconds))

    def _connect(self) -> sqlite3.Connection:
        return sqlite_files.connect(self._path, busy_seconds=self._busy_seconds)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; see the port."""
        self._check_open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writer.put(Job(work, future, loop))
        return await future

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent state; see the port."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def _read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function on this thread's connection."""
        connection = self._reading_connection()
        try:
            return read_with(connection, work)
        except sqlite3.Error as error:
            self._drop(connection)
            raise sqlite_files.explain(error, self._path) from error

    def _reading_connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if known is not None:
            return known
        try:
            made = sqlite_files.connect(self._path, reading=True, busy_seconds=self._busy_seconds)
        except (sqlite3.Error, OSError) as error:
            raise sqlite_files.explain_opening(error, self._path) from error
        self._reading.connection = made
        with self._lock:
            self._open.append(made)
        return made

    def _drop(self, connection: sqlite3.Connection) -> None:
        self._reading.connection = None
        with self._lock:
            self._open.remove(connection)
        connection.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` told of commits; see the port."""
        return self._listeners.add(asyncio.get_running_loop(), listener)

    async def check(self) -> None:
        """Return when the database can be written."""
        await self.write(probe)

    async def aclose(self) -> None:
        """Finish what was begun and close the file."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._writer.stop()
        self._readers.shutdown(wait=True)
        for connection in self._open:
            connection.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(
                f"the database {self._path} is being closed", hint="ask again after the restart"
            )


def open_file(path: str, busy_seconds: float = sqlite_files.BUSY_SECONDS) -> sqlite3.Connection:
    """Return a connection that writes to a database whose schema is up to date.

    Raises:
        Unavailable, InfrastructureError: it cannot be opened, is damaged, or of a newer version.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite_files.connect(path, busy_seconds=busy_seconds)
        sqlite_files.prepare(connection, path)
    except BaseException as error:
        if connection is not None:
            connection.close()
        told = sqlite_files.explain_opening(error, path)
        if told is error:
            raise
        raise told from error
    return connection


def read_with(connection: sqlite3.Connection, work: Callable[[Transaction], T]) -> T:
    """Run a function that reads on one state of the database."""
    connection.execute("BEGIN")
    try:
        return work(SqlTransaction(Session("sqlite", connection, writing=False)))
    finally:
        sqlite_files.close_transaction(connection)
