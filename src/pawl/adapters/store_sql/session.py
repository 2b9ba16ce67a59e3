"""Statements, compiled once for each database, and the session that runs them.

A statement is built with SQLAlchemy, which knows the dialects, and then kept as the text that the driver
takes: running one costs what the driver costs. A run makes some fifty of them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from pawl.core.model.plan import Json

Row = Sequence[Any]
Built = sa.sql.ClauseElement


@functools.cache
def dialect_of(kind: str) -> sa.Dialect:
    """Return the dialect called `kind`; PostgreSQL's is loaded only where it is used."""
    if kind == "postgresql":
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415 - see above

        made: sa.Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy has no types there
        return made
    return sqlite.dialect(paramstyle="named")


def insert_of(kind: str, table: sa.Table) -> Any:
    """Return the dialect's own insert, which knows what to do where the row is there already."""
    if kind == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - loaded only where it is used

        return postgresql.insert(table)
    return sqlite.insert(table)


_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


def dumps(value: Json) -> str:
    """Return plain data as text that every database can keep: ASCII, without a zero byte."""
    return _encoder.encode(value)


loads: Callable[[str], Json] = json.loads


class Statement:
    """One statement for every dialect.

    Attributes:
        columns: of an insert or update: which columns it sets; each is a parameter of that name.
    """

    __slots__ = ("_build", "_texts", "columns")

    def __init__(self, build: Built | Callable[[str], Built], columns: Sequence[str] | None = None) -> None:
        """Take the statement, or what builds it from a dialect's name."""
        self._build = build
        self.columns = columns
        self._texts: dict[str, tuple[str, dict[str, Any]]] = {}

    def text(self, kind: str) -> tuple[str, dict[str, Any]]:
        """Return the statement as the driver of `kind` takes it, and parameters it always has."""
        known = self._texts.get(kind)
        if known is None:
            known = self._texts[kind] = self._compile(kind)
        return known

    def _compile(self, kind: str) -> tuple[str, dict[str, Any]]:
        built = self._build(kind) if callable(self._build) else self._build
        compiled = built.compile(dialect=dialect_of(kind), column_keys=self.columns)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), fixed


def insert_into(table: sa.Table, *leave_out: str) -> Statement:
    """Return the statement that inserts a row with all columns but those left out."""
    columns = [column.name for column in table.c if column.name not in leave_out]
    return Statement(sa.insert(table).inline(), columns)


def upsert_into(table: sa.Table, keys: Sequence[str], *leave_out: str) -> Statement:
    """Return the statement that inserts a row, or replaces the one with the same `keys`."""
    columns = [column.name for column in table.c if column.name not in leave_out]
    rest = [name for name in columns if name not in keys]

    def build(kind: str) -> Built:
        made = insert_of(kind, table).inline()
        new = {name: made.excluded[name] for name in rest}
        upserting: Built = made.on_conflict_do_update(index_elements=keys, set_=new)
        return upserting

    return Statement(build, columns)


class Driver(Protocol):
    """What a driver's connection or cursor must offer."""

    def execute(self, sql: str, params: Any, /) -> Any:
        """Run a statement and return a cursor."""


class Session:
    """Runs statements in the transaction that is open.

    Attributes:
        kind: the dialect: "sqlite" or "postgresql".
        writing: whether rows and names are to be locked for others.
        topics: what to tell once it is committed.
    """

    __slots__ = ("_execute", "_unfit", "kind", "topics", "writing")

    def __init__(
        self, kind: str, driver: Driver, *, writing: bool, unfit: tuple[type[Exception], ...] = ()
    ) -> None:
        """Take the connection.

        Args:
            kind: the dialect.
            driver: what runs the statements.
            writing: see above.
            unfit: raised by the driver, before it sent anything, for a text the database cannot keep.
        """
        self.kind = kind
        self.writing = writing
        self.topics: set[str] = set()
        self._execute = driver.execute
        self._unfit: tuple[type[Exception], ...] = (UnicodeEncodeError, *unfit)

    def run(self, statement: Statement, **params: Any) -> Any:
        """Run a statement and return the cursor."""
        sql, fixed = statement.text(self.kind)
        if fixed:
            params = fixed | params
        try:
            return self._execute(sql, params)
        except self._unfit:
            cleaned = {name: clean(value) for name, value in params.items()}
            if cleaned == params:
                raise
            return self._execute(sql, cleaned)

    def one(self, statement: Statement, **params: Any) -> Any:
        """Return the first row, None when there is none."""
        return self.run(statement, **params).fetchone()

    def all(self, statement: Statement, **params: Any) -> list[Any]:
        """Return all rows."""
        rows: list[Any] = self.run(statement, **params).fetchall()
        return rows


def clean(value: Any) -> Any:
    """Return a text with what no database keeps replaced: halves of characters, zero bytes."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "�")
