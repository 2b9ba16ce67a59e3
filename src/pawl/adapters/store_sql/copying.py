"""From one database to another: from SQLite to PostgreSQL when one server is not enough, or back."""

from __future__ import annotations

from contextlib import closing

from pawl.adapters.store_sql import schema, sqlite_files
from pawl.adapters.store_sql.copy_ends import CopyEnd
from pawl.adapters.store_sql.opening import is_postgresql, sqlite_path
from pawl.adapters.store_sql.sqlite_store import open_file
from pawl.core.model.errors import Conflict, PawlError


def copy_store(from_url: str, to_url: str) -> dict[str, int]:
    """Copy all of a store into an empty one; ids stay, and none that was used is used again.

    All or nothing. What is written to the first store meanwhile is not copied: stop its servers. Blocks; run
    it in a thread.

    Returns:
        How many rows each table has.

    Raises:
        Conflict: the second store is not empty, or the same one.
        Unavailable, InfrastructureError: one of them cannot be used.
    """
    if from_url == to_url:
        raise Conflict("a store cannot be copied into itself", hint="name another one")
    with closing(connect_to(from_url)) as source, closing(connect_to(to_url)) as target:
        try:
            return source.copy_into(target)
        except PawlError:
            raise
        except Exception as error:
            told = source.explain(target.explain(error))
            if told is error:
                raise
            raise told from error


def schema_version(url: str) -> int:
    """Return the version of a store's schema, 0 for an empty database.

    Raises:
        Unavailable, InfrastructureError: it cannot be read, or was made by a newer version of Pawl.
    """
    with closing(connect_to(url, prepare=False)) as end:
        try:
            return schema.version_of(end.kind, end.connection.execute, end.where)
        except PawlError:
            raise
        except Exception as error:
            raise end.explain(error) from error


def connect_to(url: str, *, prepare: bool = True) -> CopyEnd:
    """Connect to a store."""
    if is_postgresql(url):
        from pawl.adapters.store_sql.postgres_copying import connect_end  # noqa: PLC0415 - the driver is optional

        return connect_end(url, prepare=prepare)
    path = sqlite_path(url)
    if prepare:
        return CopyEnd(open_file(path), path)
    try:
        return CopyEnd(sqlite_files.connect(path, reading=True), path)
    except Exception as error:
        raise sqlite_files.explain_opening(error, path) from error
