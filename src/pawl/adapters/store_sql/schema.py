"""Which version of the schema a database has, and bringing it to this version's.

A new database is made from the tables at once; an older one goes through the migrations. That both end at
the same schema is tested for every released version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from pawl.adapters.store_sql.session import dialect_of
from pawl.adapters.store_sql.tables import METADATA
from pawl.core.model.errors import InfrastructureError

SCHEMA_VERSION = 5
"""Of this version of Pawl; grows by one with each migration."""

VERSION_TABLE = "alembic_version"

Execute = Callable[[str], Any]


def revision(version: int) -> str:
    """Return the name of a version's migration."""
    return f"{version:04}"


@functools.lru_cache
def definition(kind: str) -> tuple[str, ...]:
    """Return the statements that make the schema in an empty database, in order."""
    dialect = dialect_of(kind)
    statements = [f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"]
    for table in METADATA.sorted_tables:
        statements.append(str(sa.schema.CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(sa.schema.CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    statements.append(f"INSERT INTO {VERSION_TABLE} VALUES ('{revision(SCHEMA_VERSION)}')")  # noqa: S608 - constants
    return tuple(statements)


def tables_query(kind: str) -> str:
    """Return the query for the names of all tables."""
    if kind == "postgresql":
        return "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
    return "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def version_of(kind: str, execute: Execute, where: str) -> int:
    """Return the version of a database's schema, 0 for an empty one.

    Args:
        kind: the dialect.
        execute: runs a statement and returns a cursor.
        where: how messages name the database.

    Raises:
        InfrastructureError: it was made by a newer version of Pawl, or not by Pawl.
    """
    names = {row[0] for row in execute(tables_query(kind)).fetchall()}
    if VERSION_TABLE not in names:
        if names:
            raise InfrastructureError(
                f"{where} is a database, but not one of Pawl's: it has a table {min(names)!r}",
                hint="name an empty database, or one that Pawl made",
            )
        return 0
    row = execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a constant
    found = row[0] if row is not None else "none"
    if not (found.isdecimal() and 1 <= int(found) <= SCHEMA_VERSION):
        raise InfrastructureError(
            f"{where} was made by a newer version of Pawl: its schema is {found}, "
            f"and this version knows up to {revision(SCHEMA_VERSION)}",
            hint="use that version of Pawl, or restore a backup from before the upgrade",
        )
    return int(found)


def create(kind: str, execute: Execute) -> None:
    """Make the schema in an empty database, in the transaction that is open."""
    for statement in definition(kind):
        execute(statement)


def upgrade(connection: sa.Connection, target: int = SCHEMA_VERSION) -> None:
    """Run the migrations up to `target` in the connection's transaction."""
    # Imported here: it costs a second, and most starts need no migration.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", "pawl.adapters.store_sql:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision(target))
