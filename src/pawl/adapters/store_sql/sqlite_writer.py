"""The one thread that writes a SQLite file: many small transactions share one commit.

Of several each gets a savepoint of its own, so one that raises takes nothing along. Whoever waits is answered
after the commit. A connection whose commit failed is thrown away: what the file holds is seen anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pawl.adapters.store_sql.listeners import Listeners, call_in
from pawl.adapters.store_sql.session import Session
from pawl.adapters.store_sql.sqlite_files import close_transaction, explain, explain_opening
from pawl.adapters.store_sql.transaction import SqlTransaction

BATCH = 128
"""So many functions at most share a commit: none of them waits long for the others."""


@dataclass(slots=True, eq=False)
class Job:
    """A function that waits for its turn, and then for the commit."""

    work: Callable[[SqlTransaction], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Answer who waits, in its loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Runs functions in the order they come."""

    def __init__(self, path: str, connect: Callable[[], sqlite3.Connection], listeners: Listeners) -> None:
        """Take how to connect; nothing runs before `start`."""
        self._path = path
        self._connect = connect
        self._listeners = listeners
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._work, name="pawl-store-writer", daemon=True)

    def start(self, connection: sqlite3.Connection) -> None:
        """Begin with a connection, which is the writer's from now on."""
        self._connection = connection
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have a function run."""
        self._jobs.put(job)

    def stop(self) -> None:
        """Finish what was put, close the connection, and return when that is done."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        ending = False
        while not ending:
            first = self._jobs.get()
            jobs = [] if first is None else [first]
            ending = first is None
            while not ending and len(jobs) < BATCH:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    ending = True
                else:
                    jobs.append(job)
            if jobs:
                self._run(jobs)
        self._discard()

    def _run(self, jobs: list[Job]) -> None:
        """Run a batch and answer everybody."""
        topics: set[str] = set()
        try:
            if self._connection is None:
                self._connection = self._connect()
            topics = _run_batch(self._connection, jobs, self._path)
        except BaseException as error:  # noqa: BLE001 - whatever it is, those that wait must hear of it
            self._discard()
            told = explain_opening(error, self._path)
            for job in jobs:
                # One that failed by itself keeps its own error: nothing of it would have stayed anyway.
                job.error = job.error or told
        self._listeners.tell(topics)
        loops = {id(job.loop): job.loop for job in jobs}
        for loop in loops.values():
            call_in(loop, _settle, [job for job in jobs if job.loop is loop])

    def _discard(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            close_transaction(connection)
            with contextlib.suppress(sqlite3.Error):
                connection.close()  # whatever it says: the thread must go on


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        job.settle()


def _run_batch(connection: sqlite3.Connection, jobs: list[Job], path: str) -> set[str]:
    """Run functions in one transaction, commit it, and return what to tell."""
    wanted = [job for job in jobs if not job.future.cancelled()]
    connection.execute("BEGIN IMMEDIATE")
    if len(wanted) == 1:
        # The whole transaction is its own: a savepoint within would be two statements more for every run's.
        topics = _run_one(connection, wanted[0], path)
        connection.execute("COMMIT" if wanted[0].error is None else "ROLLBACK")
        return topics
    topics = set()
    for job in wanted:
        connection.execute("SAVEPOINT work")
        topics |= _run_one(connection, job, path)
        if job.error is not None:
            connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
    connection.execute("COMMIT")
    return topics


def _run_one(connection: sqlite3.Connection, job: Job, path: str) -> set[str]:
    """Run one function and return what it wants told; raises only when the whole transaction is lost."""
    session = Session("sqlite", connection, writing=True)
    try:
        job.result = job.work(SqlTransaction(session))
    except BaseException as error:
        job.error = explain(error, path)
        if not connection.in_transaction:
            # A full disk for instance makes SQLite roll back all of it by itself.
            raise
        return set()
    return session.topics
