"""Run by alembic for each command: migrates on the connection that `schema.upgrade` gives."""

from __future__ import annotations

from alembic import context

from pawl.adapters.store_sql.tables import METADATA

connection = context.config.attributes["connection"]
# SQLite changes a table by copying it ("batch"); the transaction is the caller's.
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
