"""The store on PostgreSQL: connections in threads, so that several servers may share it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg

from pawl.adapters.store_sql import postgres_connections as connections
from pawl.adapters.store_sql.listeners import Listener, Listeners
from pawl.adapters.store_sql.postgres_news import CHANNEL, News
from pawl.adapters.store_sql.session import Session
from pawl.adapters.store_sql.transaction import SqlTransaction, probe
from pawl.core.model.errors import InternalError, Unavailable
from pawl.ports.store import Transaction

T = TypeVar("T")

WRITERS = 8
READERS = 4
TRIES = 12
"""So often a transaction is run that PostgreSQL asks to run again."""


class Connections:
    """One connection for each thread of a pool."""

    def __init__(self, url: str, busy_seconds: float) -> None:
        """Take where to connect."""
        self._url = url
        self._busy_seconds = busy_seconds
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._open: set[psycopg.Connection[Any]] = set()

    def get(self) -> tuple[psycopg.Connection[Any], bool]:
        """Return this thread's connection, and whether it is a new one."""
        known: psycopg.Connection[Any] | None = getattr(self._mine, "connection", None)
        if known is not None and not known.closed:
            return known, False
        self._forget(known)
        made = connections.connect(self._url, busy_seconds=self._busy_seconds)
        self._mine.connection = made
        with self._lock:
            self._open.add(made)
        return made, True

    def end(self) -> bool:
        """End what is open on this thread's connection; return whether there is none any more."""
        known: psycopg.Connection[Any] | None = getattr(self._mine, "connection", None)
        if known is not None:
            connections.close_transaction(known)
            if known.closed:
                self._forget(known)
        return known is None or known.closed

    def _forget(self, connection: psycopg.Connection[Any] | None) -> None:
        self._mine.connection = None
        if connection is not None:
            with self._lock:
                self._open.discard(connection)

    def close(self) -> None:
        """Close all; no thread may use them any more."""
        for connection in self._open:
            connection.close()


class PostgresStore:
    """`Store` on PostgreSQL."""

    def __init__(self, url: str, *, busy_seconds: float = 30.0) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            Unavailable: it cannot be reached.
            InfrastructureError: it refuses, is not durable, or was made by a newer version of Pawl.
        """
        self._url = url
        self._closed = False
        self._listeners = Listeners()
        self._connections = Connections(url, busy_seconds)
        self._news = News(url, self._listeners)
        try:
            connections.prepare(url)
            self._news.start()
        except BaseException as error:
            self._news.stop()
            told = connections.explain(error, url)
            if told is error:
                raise
            raise told from error
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="pawl-store-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="pawl-store-reader")

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; see the port."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._writers, self._write, work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one consistent state; see the port."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def _write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function in this thread until it is committed or fails for good."""

        def attempt(connection: psycopg.Connection[Any]) -> T:
            connection.execute("BEGIN")
            session = self._session(connection, writing=True)
            result = work(SqlTransaction(session))
            for message in self._news.messages(session.topics):
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, message))
            self._commit(connection)
            self._listeners.tell(session.topics)
            return result

        return self._repeat(attempt)

    def _read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function that only reads in this thread."""

        def attempt(connection: psycopg.Connection[Any]) -> T:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            result = work(SqlTransaction(self._session(connection, writing=False)))
            connection.execute("ROLLBACK")
            return result

        return self._repeat(attempt)

    def _session(self, connection: psycopg.Connection[Any], *, writing: bool) -> Session:
        return Session("postgresql", connection, writing=writing, unfit=(psycopg.DataError,))

    def _commit(self, connection: psycopg.Connection[Any]) -> None:
        try:
            done = connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            if isinstance(error, connections.TRY_AGAIN) or not connection.broken:
                raise
            raise Unavailable(
                f"the connection to {connections.place(self._url)} broke at a commit: "
                "whether it was kept is not known",
                hint="ask again",
                retry_after=5.0,
            ) from error
        if done != "COMMIT":
            raise InternalError("a transaction went on after the database had refused a statement of it")

    def _repeat(self, attempt: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Make an attempt again where PostgreSQL asks for it, or where an old connection proves dead."""
        for tries in range(1, TRIES + 1):
            fresh = True
            try:
                connection, fresh = self._connections.get()
                return attempt(connection)
            except connections.TRY_AGAIN as error:
                self._connections.end()
                if tries == TRIES:
                    raise Unavailable(
                        f"{connections.place(self._url)} is too busy: a transaction was in others' way "
                        f"{TRIES} times"
                    ) from error
                time.sleep(0.005 * tries)
            except psycopg.OperationalError as error:
                # The commit has an error of its own: so nothing was kept, and a new connection may do.
                if not self._connections.end() or fresh:
                    raise connections.explain(error, self._url) from error
            except BaseException as error:
                self._connections.end()
                told = connections.explain(error, self._url)
                if told is error:
                    raise
                raise told from error
        raise Unavailable(f"{connections.place(self._url)} closes every connection")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` told of commits, of other servers' too; see the port."""
        return self._listeners.add(asyncio.get_running_loop(), listener)

    async def check(self) -> None:
        """Return when the database can be written."""
        await self.write(probe)

    async def aclose(self) -> None:
        """Finish what was begun and close the connections."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._news.stop()
        self._connections.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(
                f"the connection to {connections.place(self._url)} is being closed",
                hint="ask again after the restart",
            )
