"""News of commits between the servers that share a PostgreSQL database: LISTEN and NOTIFY."""

from __future__ import annotations

import json
import os
import secrets
import select
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from pawl.adapters.store_sql import postgres_connections as connections
from pawl.adapters.store_sql.listeners import Listeners
from pawl.core.model.errors import PawlError

CHANNEL = "pawl"
PAYLOAD_BYTES = 7_000
"""Of one message; PostgreSQL refuses 8,000 and more."""
RECONNECT_SECONDS = 1.0


class News:
    """Tells other servers what was committed here, and the listeners what was committed there."""

    def __init__(self, url: str, listeners: Listeners) -> None:
        """Take where to listen and whom to tell; nothing runs before `start`."""
        self._url = url
        self._listeners = listeners
        self._sender = secrets.token_hex(8)
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._work, name="pawl-store-news", daemon=True)
        self._connection: psycopg.Connection[Any] | None = None

    def start(self) -> None:
        """Listen from now on.

        Raises:
            psycopg.Error, InfrastructureError: it cannot be reached.
        """
        self._connection = self._listen()
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and return when that is done."""
        os.write(self._waker, b"x")
        if self._thread.ident is not None:
            self._thread.join()
        os.close(self._wake)
        os.close(self._waker)

    def messages(self, topics: Iterable[str]) -> Iterator[str]:
        """Return the messages that tell of topics: each names its sender, who needs none."""
        batch: list[str] = [self._sender]
        size = 0
        for topic in sorted(topics):
            length = len(json.dumps(topic)) + 2
            if size + length > PAYLOAD_BYTES and len(batch) > 1:
                yield json.dumps(batch)
                batch, size = [self._sender], 0
            batch.append(topic)
            size += length
        if len(batch) > 1:
            yield json.dumps(batch)

    def _listen(self) -> psycopg.Connection[Any]:
        connection = connections.connect(self._url)
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _work(self) -> None:
        connection = self._connection
        while True:
            try:
                if connection is None:
                    connection = self._listen()
                if not self._wait(connection.fileno(), None):
                    break
                self._tell(connection)
            except (psycopg.Error, PawlError, OSError):
                # Topics may be lost while there is no connection: who waits also looks from time to time.
                if connection is not None:
                    connection.close()
                connection = None
                if not self._wait(None, RECONNECT_SECONDS):
                    break
        if connection is not None:
            connection.close()

    def _tell(self, connection: psycopg.Connection[Any]) -> None:
        for message in connection.notifies(timeout=0):
            try:
                told = json.loads(message.payload)
            except ValueError:
                continue
            if isinstance(told, list) and told and told[0] != self._sender:
                self._listeners.tell(str(topic) for topic in told[1:])

    def _wait(self, readable: int | None, seconds: float | None) -> bool:
        """Return True when there is something to read or the time is over, False when to stop."""
        # Not `select`, which takes no descriptor above 1023: a server with many connections has such.
        poll = select.poll()
        for file in (self._wake,) if readable is None else (self._wake, readable):
            poll.register(file, select.POLLIN)
        ready = poll.poll(None if seconds is None else seconds * 1000)
        return self._wake not in (file for file, _ in ready)
