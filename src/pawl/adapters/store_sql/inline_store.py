"""The store on SQLite without threads: for simulations, where everything happens in one order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pawl.adapters.store_sql import sqlite_files
from pawl.adapters.store_sql.listeners import Listener, Listeners
from pawl.adapters.store_sql.session import Session
from pawl.adapters.store_sql.sqlite_readers import read_with
from pawl.adapters.store_sql.sqlite_store import open_file
from pawl.adapters.store_sql.transaction import SqlTransaction, probe
from pawl.core.model.errors import Unavailable
from pawl.ports.store import Transaction

T = TypeVar("T")
Hook = Callable[[], None]


class InlineStore:
    """`Store` on SQLite that works at once, in the caller's thread, with no clock and nothing random."""

    def __init__(
        self, path: str, *, before_commit: Hook | None = None, after_commit: Hook | None = None
    ) -> None:
        """Open the file, or a database in memory for `:memory:`.

        Args:
            path: of the file.
            before_commit: called when a function has run; what it raises undoes the transaction.
            after_commit: called when all is durable; what it raises is all that the caller gets.

        Raises:
            Unavailable, InfrastructureError: as `Store.write`.
        """
        self._path = path
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._listeners = Listeners()
        self._connection = open_file(path)
        self._closed = False

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; see the port."""
        self._check_open()
        connection = self._connection
        session = Session("sqlite", connection, writing=True)
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = work(SqlTransaction(session))
            if self._before_commit is not None:
                self._before_commit()
            connection.execute("COMMIT")
        except BaseException as error:
            sqlite_files.close_transaction(connection)
            told = sqlite_files.explain(error, self._path)
            if told is error:
                raise
            raise told from error
        if self._after_commit is not None:
            self._after_commit()
        self._listeners.tell(session.topics)
        return result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one state; see the port."""
        self._check_open()
        try:
            return read_with(self._connection, work)
        except Exception as error:
            told = sqlite_files.explain(error, self._path)
            if told is error:
                raise
            raise told from error

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` told of commits, at once."""
        return self._listeners.add(None, listener)

    async def check(self) -> None:
        """Return when the database can be written."""
        await self.write(probe)

    async def aclose(self) -> None:
        """Close the file."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(f"the database {self._path} is closed", hint="open it again")
