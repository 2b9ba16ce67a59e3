"""The two ends of a copy: how each database gives and takes rows and remembers its ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from pawl.adapters.store_sql import sqlite_files
from pawl.adapters.store_sql.session import Statement, clean, insert_into
from pawl.adapters.store_sql.tables import METADATA
from pawl.core.model.errors import Conflict

ROWS = 1_000
"""Held in memory at a time."""


class CopyEnd:
    """One of the two databases: a SQLite file."""

    kind = "sqlite"
    begin_reading = "BEGIN"
    begin_writing = "BEGIN IMMEDIATE"

    def __init__(self, connection: Any, where: str) -> None:
        """Take a connection outside any transaction, and how messages name the database."""
        self.connection = connection
        self.where = where

    def close(self) -> None:
        """Close the connection; what is not committed is undone."""
        self.connection.close()

    def explain(self, error: BaseException) -> BaseException:
        """Return what an error means."""
        return sqlite_files.explain(error, self.where)

    def rows(self, statement: Statement) -> Iterator[list[Sequence[Any]]]:
        """Return a query's rows in portions."""
        sql, fixed = statement.text(self.kind)
        with closing(self.cursor()) as cursor:
            cursor.execute(sql, fixed)
            while rows := cursor.fetchmany(ROWS):
                yield rows

    def cursor(self) -> Any:
        """Return a cursor that does not hold all rows in memory."""
        return self.connection.cursor()

    def last_id(self, table: str) -> int:
        """Return the greatest id that a table ever gave."""
        row = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return 0 if row is None else int(row[0])

    def go_on_after(self, table: str, last: int) -> None:
        """Have a table give greater ids only."""
        self.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        self.connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))

    def copy_into(self, target: CopyEnd) -> dict[str, int]:
        """Copy everything, in one transaction on each side."""
        self.connection.execute(self.begin_reading)
        target.connection.execute(target.begin_writing)
        target.refuse_rows()
        counted = {table.name: self._copy_table(table, target) for table in METADATA.sorted_tables}
        for table in METADATA.sorted_tables:
            if (
                "id" in table.c
                and isinstance(table.c.id.type, sa.Integer)
                and (last := self.last_id(table.name))
            ):
                target.go_on_after(table.name, last)
        target.connection.execute("COMMIT")
        self.connection.execute("ROLLBACK")
        return counted

    def _copy_table(self, table: sa.Table, target: CopyEnd) -> int:
        names = [column.name for column in table.c]
        insert, fixed = insert_into(table).text(target.kind)
        count = 0
        with closing(target.connection.cursor()) as writing:
            for rows in self.rows(Statement(sa.select(table).order_by(*table.primary_key.columns))):
                values = [{**fixed, **dict(zip(names, map(clean, row), strict=True))} for row in rows]
                writing.executemany(insert, values)
                count += len(rows)
        return count

    def refuse_rows(self) -> None:
        """Raise when there is anything in the database."""
        for table in METADATA.sorted_tables:
            query: sa.Select[tuple[int]] = (
                sa.select(sa.literal_column("1")).select_from(table).limit(sa.literal_column("1"))
            )
            if any(self.rows(Statement(query))):
                raise Conflict(
                    f"{self.where} is not empty: there is something in {table.name}",
                    hint="name a new database",
                )
