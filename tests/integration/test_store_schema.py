"""A database of every released version comes to the schema that a new one has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pawl.adapters.store_sql import SCHEMA_VERSION, schema_version, sqlite_files
from pawl.adapters.store_sql.postgres_connections import migrate as migrate_postgres
from pawl.adapters.store_sql.tables import METADATA
from tests.stores import add_run, opened, url_of

VERSIONS = range(1, SCHEMA_VERSION + 1)
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def engine_of(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)


def migrate(url: str, version: int) -> None:
    if url.startswith("sqlite"):
        sqlite_files.migrate(url.removeprefix("sqlite:///"), version)
    else:
        migrate_postgres(url, version)


def described(url: str) -> dict[str, Any]:
    """Return what a database says of its tables."""
    engine = engine_of(url)
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        return {
            table: {
                "columns": [
                    {**column, "type": str(column["type"])} for column in inspector.get_columns(table)
                ],
                "key": sorted(inspector.get_pk_constraint(table)["constrained_columns"]),
                "unique": sorted(map(str, inspector.get_unique_constraints(table))),
                "foreign": sorted(
                    str(key["options"]) + str(key["constrained_columns"])
                    for key in inspector.get_foreign_keys(table)
                ),
                "indexes": sorted(map(_index, inspector.get_indexes(table))),
            }
            for table in inspector.get_table_names()
            if table != "alembic_version"
        }


def _index(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str([index["name"], index["column_names"], index["unique"], options])


@BOTH
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_released_version_comes_to_the_same_schema(
    kind: str, version: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = url_of(kind, tmp_path / "old", request), url_of(kind, tmp_path / "new", request)
    migrate(old, version)
    assert schema_version(old) == version
    async with opened(old) as one, opened(new) as two:
        assert (await add_run(one)).id == (await add_run(two)).id == 1
    assert schema_version(old) == schema_version(new) == SCHEMA_VERSION
    assert described(old) == described(new)


@BOTH
async def test_a_new_database_is_what_the_tables_say(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = url_of(kind, tmp_path, request)
    async with opened(url):
        pass
    with engine_of(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_there_is_a_migration_for_each_version() -> None:
    folder = Path(sqlite_files.__file__).parent / "migrations" / "versions"
    assert sorted(path.name[:5] for path in folder.glob("v*.py")) == [
        f"v{version:04}" for version in VERSIONS
    ]
