"""The store in a SQL database: a SQLite file, or PostgreSQL.

tables.py          the schema, for both
migrations/        how a database of an older version comes to it
session.py         statements, compiled once; the transaction they run in
runs.py queue.py lists.py intake.py   the tables of the port
sqlite_*.py        one thread writes, many small transactions share a commit
postgres_*.py      a pool of connections; LISTEN and NOTIFY
inline_store.py    SQLite without threads, for simulations
backup.py checking.py       backup of a SQLite file in use, restore, looking for damage
copying.py copy_ends.py     from one database to another
"""

from __future__ import annotations

from pawl.adapters.store_sql.backup import backup_store, restore_store
from pawl.adapters.store_sql.copying import copy_store, schema_version
from pawl.adapters.store_sql.opening import open_store
from pawl.adapters.store_sql.schema import SCHEMA_VERSION

__all__ = [
    "SCHEMA_VERSION",
    "backup_store",
    "copy_store",
    "open_store",
    "restore_store",
    "schema_version",
]
