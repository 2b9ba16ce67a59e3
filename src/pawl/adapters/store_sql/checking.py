"""Looking a SQLite file over without changing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pawl.adapters.store_sql import sqlite_files


def find_damage(path: Path) -> tuple[str, ...]:
    """Return what is wrong inside a database file, at most five lines; () when it is whole.

    Servers may go on using it. Reads all of it; blocks.

    Raises:
        Unavailable, InfrastructureError: it cannot be read.
    """
    try:
        with closing(sqlite_files.connect(str(path), reading=True)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except (OSError, sqlite3.Error) as error:
        raise sqlite_files.explain_opening(error, str(path)) from error
    return () if found == ["ok"] else tuple(found)
