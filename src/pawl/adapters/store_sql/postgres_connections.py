"""Connections to PostgreSQL: their settings, the schema, and what its errors mean."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from pawl.adapters.store_sql import schema
from pawl.core.model.errors import (
    Conflict,
    InfrastructureError,
    InternalError,
    PawlError,
    Unavailable,
    UsageError,
)

try:
    import psycopg
except ImportError as missing:
    raise UsageError(
        "PostgreSQL needs a driver that is not installed", hint="pip install 'pawl-ci[postgres]'"
    ) from missing

CONNECT_SECONDS = 10
"""So long connecting may take; a server that is away is noticed by then."""

SCHEMA_LOCK = 7291406653
"""Any number: servers that start at the same time make the schema one after the other."""

TRY_AGAIN = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
"""PostgreSQL asks for the transaction to be run again; nothing of it was kept."""


def place(url: str) -> str:
    """Return a database's URL for messages: without a password."""
    # To the last @: a password may hold one, or a slash, that ought to have been escaped.
    return re.sub(r"//([^:/@]*):.*@", r"//\1@", re.sub(r"password=[^&]*", "password=...", url))


def connect(url: str, *, busy_seconds: float = 30.0) -> psycopg.Connection[Any]:
    """Open a connection; every transaction on it is begun and ended by hand.

    Raises:
        psycopg.Error: it cannot be reached, or refuses; see `explain`.
        InfrastructureError: what it acknowledges is not durable, or it cannot keep every text.
    """
    connection = psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        fallback_application_name="pawl",
        # A connection whose other end is gone without a word is noticed.
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
        tcp_user_timeout=60_000,
    )
    try:
        connection.execute(f"SET lock_timeout = {int(busy_seconds * 1000)}")
        connection.execute("SET client_encoding = 'UTF8'")
        _check_settings(connection, place(url))
    except BaseException:
        connection.close()
        raise
    return connection


def _check_settings(connection: psycopg.Connection[Any], where: str) -> None:
    row = connection.execute(
        "SELECT current_setting('synchronous_commit'), current_setting('fsync'),"
        " current_setting('server_encoding')"
    ).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    for name, value, wrong in (("synchronous_commit", row[0], "off"), ("fsync", row[1], "off")):
        if value == wrong:
            raise InfrastructureError(
                f"{where} has {name} = {value}: it would lose what it acknowledged when it crashes",
                hint=f"set {name} = on for this database",
            )
    if row[2] != "UTF8":
        raise InfrastructureError(
            f"{where} keeps texts as {row[2]}", hint="create the database with ENCODING 'UTF8'"
        )


def prepare(url: str) -> None:
    """Bring the database to this version's schema: make it, migrate it, or refuse a newer one."""
    with connect(url) as connection, connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
        found = schema.version_of("postgresql", connection.execute, place(url))
        if found == 0:
            schema.create("postgresql", connection.execute)
    if 0 < found < schema.SCHEMA_VERSION:
        migrate(url)


def migrate(url: str, target: int = schema.SCHEMA_VERSION) -> None:
    """Run the migrations, all or none of them; servers that start together wait for each other."""
    connection = psycopg.connect(url, connect_timeout=CONNECT_SECONDS)
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with engine.begin() as begun:
            begun.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
            schema.upgrade(begun, target)
    finally:
        engine.dispose()
        connection.close()


def close_transaction(connection: psycopg.Connection[Any]) -> None:
    """Roll back what is open, if the connection still can; one that cannot is closed."""
    try:
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


def explain(error: BaseException, url: str) -> BaseException:
    """Return what an error of PostgreSQL means to a caller; other errors come back as they are."""
    if isinstance(error, PawlError) or not isinstance(error, psycopg.Error):
        return error
    where = place(url)
    # An address that it cannot read is repeated as it is.
    said = str(error).strip().replace(url, where).split("\n", 1)[0]
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.IntegrityError):
        return Conflict(f"the database {where} refused a row: {said}")
    if state == "55P03":
        return Unavailable(
            f"the database {where} has been locked by another session for too long",
            hint="look for a long transaction in pg_stat_activity",
            retry_after=5.0,
        )
    if state == "53100":
        return Unavailable(
            f"the disk of the database {where} is full", hint="make room on it", retry_after=30.0, full=True
        )
    if state == "25006":
        return Unavailable(
            f"the database {where} is read-only: a standby, or set to be",
            hint="name the primary server in the URL",
            retry_after=30.0,
        )
    if state in {"XX001", "XX002", "58P01"} or state.startswith("F0"):
        return InfrastructureError(
            f"the database {where} is damaged: {said}", hint="bring back its last backup"
        )
    if isinstance(error, psycopg.DataError | psycopg.InterfaceError | psycopg.NotSupportedError):
        return InternalError(f"the database {where} was asked in a wrong way: {said}")
    if state.startswith("42"):
        return InfrastructureError(
            f"the database {where} does not know what Pawl asks for: {said}",
            hint="it may have been changed by a newer version of Pawl, or the user may lack a right",
        )
    if state.startswith("28") or state == "3D000":
        return InfrastructureError(
            f"the database {where} refuses: {said}", hint="check user, password and database name"
        )
    return Unavailable(
        f"the database {where} cannot be reached or used: {said}",
        hint="check that PostgreSQL runs and that this machine may connect to it",
        retry_after=5.0,
    )
