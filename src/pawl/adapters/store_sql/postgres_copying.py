"""PostgreSQL as one end of a copy."""

from __future__ import annotations

from typing import Any

from pawl.adapters.store_sql import postgres_connections as connections
from pawl.adapters.store_sql.copy_ends import CopyEnd


class PostgresEnd(CopyEnd):
    """A PostgreSQL database."""

    kind = "postgresql"
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    begin_writing = "BEGIN"

    def __init__(self, connection: Any, url: str) -> None:
        """Take a connection outside any transaction."""
        super().__init__(connection, connections.place(url))

    def explain(self, error: BaseException) -> BaseException:
        """Return what an error means."""
        return connections.explain(error, self.where)

    def cursor(self) -> Any:
        """Return a cursor whose rows stay at the server until they are asked for."""
        return self.connection.cursor(name="pawl_copy")

    def last_id(self, table: str) -> int:
        """Return the greatest id that a table ever gave."""
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq"  # noqa: S608 - our tables
        return int(self.connection.execute(query).fetchone()[0])

    def go_on_after(self, table: str, last: int) -> None:
        """Have a table give greater ids only."""
        self.connection.execute("SELECT setval(%s, %s)", (f"{table}_id_seq", last))


def connect_end(url: str, *, prepare: bool) -> CopyEnd:
    """Connect to a PostgreSQL store, with its schema up to date if `prepare`.

    Raises:
        Unavailable, InfrastructureError: it cannot be used.
    """
    try:
        if prepare:
            connections.prepare(url)
        return PostgresEnd(connections.connect(url), url)
    except Exception as error:
        told = connections.explain(error, url)
        if told is error:
            raise
        raise told from error
