"""The store on a SQLite file, with threads."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from pawl.adapters.store_sql import sqlite_files
from pawl.adapters.store_sql.listeners import Listener, Listeners
from pawl.adapters.store_sql.sqlite_readers import Readers
from pawl.adapters.store_sql.sqlite_writer import Job, Writer
from pawl.adapters.store_sql.transaction import probe
from pawl.core.model.errors import Unavailable
from pawl.ports.store import Transaction

T = TypeVar("T")


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
        self._readers = Readers(path, functools.partial(self._connect, reading=True))
        self._writer.start(open_file(path, busy_seconds))

    def _connect(self, *, reading: bool = False) -> sqlite3.Connection:
        return sqlite_files.connect(self._path, reading=reading, busy_seconds=self._busy_seconds)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; see the port."""
        return await self._done_by(self._writer.put, work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent state; see the port."""
        return await self._done_by(self._readers.put, work)

    async def _done_by(self, put: Callable[[Job], None], work: Callable[[Transaction], T]) -> T:
        self._check_open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        put(Job(work, future, loop))
        return await future

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
        self._readers.stop()

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
