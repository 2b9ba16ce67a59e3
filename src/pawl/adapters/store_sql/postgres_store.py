"""The store on PostgreSQL."""

from __future__ import annotations

from pawl.adapters.store_sql.sqlite_store import SqliteStore


class PostgresStore(SqliteStore):
    """`Store` on PostgreSQL."""
