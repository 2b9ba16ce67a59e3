"""The threads that read a SQLite file, each with a connection of its own.

A plain queue instead of an executor: the way of a question to a thread and back is most of what a small one
costs, and this one is half as long.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

from pawl.adapters.store_sql.listeners import call_in
from pawl.adapters.store_sql.session import Session
from pawl.adapters.store_sql.sqlite_files import close_transaction, explain, explain_opening
from pawl.adapters.store_sql.sqlite_writer import Job
from pawl.adapters.store_sql.transaction import SqlTransaction

T = TypeVar("T")

READERS = 4
"""Connections that read at the same time."""


class Readers:
    """Runs functions that read, in the order they come, a few at once."""

    def __init__(self, path: str, connect: Callable[[], sqlite3.Connection]) -> None:
        """Take how to connect; a thread starts when all that there are have something to do."""
        self._path = path
        self._connect = connect
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def put(self, job: Job) -> None:
        """Have a function run."""
        self._jobs.put(job)
        if len(self._threads) < READERS and not self._idle.acquire(blocking=False):
            name = f"pawl-store-reader-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Finish what was put and close the connections; nothing may be put any more."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._next()) is not None:
            if not job.future.cancelled():
                connection = self._run(job, connection)
            call_in(job.loop, job.settle)
        _close(connection)

    def _next(self) -> Job | None:
        try:
            return self._jobs.get_nowait()
        except queue.Empty:
            self._idle.release()
            return self._jobs.get()

    def _run(self, job: Job, connection: sqlite3.Connection | None) -> sqlite3.Connection | None:
        """Run a function and return the connection, None when that is not to be used any more."""
        try:
            connection = connection or self._connect()
        except BaseException as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
            job.error = explain_opening(error, self._path)
            return None
        try:
            job.result = read_with(connection, job.work)
        except BaseException as error:  # noqa: BLE001 - as above
            job.error = explain(error, self._path)
            if isinstance(error, sqlite3.Error):
                _close(connection)
                return None
        return connection


def read_with(connection: sqlite3.Connection, work: Callable[[SqlTransaction], T]) -> T:
    """Run a function that reads on one state of the database."""
    connection.execute("BEGIN")
    try:
        return work(SqlTransaction(Session("sqlite", connection, writing=False)))
    finally:
        close_transaction(connection)


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
