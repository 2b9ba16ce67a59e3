"""From a URL to a store."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from pawl.adapters.store_sql.inline_store import InlineStore
from pawl.adapters.store_sql.sqlite_files import BUSY_SECONDS
from pawl.adapters.store_sql.sqlite_store import SqliteStore
from pawl.core.model.errors import UsageError
from pawl.ports.store import Store

SQLITE = "sqlite:///"


def is_postgresql(url: str) -> bool:
    """Return whether a store's URL names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def sqlite_path(url: str) -> str:
    """Return the file that a `sqlite:///` URL names; a fourth slash begins an absolute path.

    Raises:
        UsageError: it is no such URL.
    """
    path = unquote(url.removeprefix(SQLITE))
    if not url.startswith(SQLITE) or not path:
        raise UsageError(
            f"{url.rsplit('@', maxsplit=1)[-1]!r} names no store",
            hint="write sqlite:///FILE (sqlite:////var/lib/pawl/pawl.db) or postgresql://USER@HOST/DATABASE",
        )
    return path


def open_store(
    url: str,
    *,
    inline: bool = False,
    before_commit: Callable[[], None] | None = None,
    after_commit: Callable[[], None] | None = None,
    busy_seconds: float = BUSY_SECONDS,
) -> Store:
    """Open a store, making or migrating its schema.

    Args:
        url: `sqlite:///path/to/pawl.db`, `postgresql://...`, or `sqlite:///:memory:` when inline.
        inline: SQLite only: work at once in the caller's thread, with no threads (for simulations).
        before_commit: inline only: called before each commit; what it raises undoes the transaction.
        after_commit: inline only: called after each commit; what it raises hides the answer.
        busy_seconds: how long a statement waits for a lock.

    Raises:
        UsageError: the URL names no store.
        Unavailable: it cannot be reached, opened or written.
        InfrastructureError: it is damaged, not durable, or was made by a newer version of Pawl.
    """
    if is_postgresql(url) and not inline:
        from pawl.adapters.store_sql.postgres_store import PostgresStore  # noqa: PLC0415 - the driver is optional

        return PostgresStore(url, busy_seconds=busy_seconds)
    path = sqlite_path(url)
    if inline:
        return InlineStore(path, before_commit=before_commit, after_commit=after_commit)
    return SqliteStore(path, busy_seconds=busy_seconds)
