"""The tables of what is told outside; part of the one schema of `tables.py`."""

from __future__ import annotations

import sqlalchemy as sa

from pawl.adapters.store_sql.tables import METADATA, NUMBER, TEXT, TIME

STATUS_WAITS = "waiting = 1"
"""Is to be sent. Word for word in the index and in what asks it."""
NOTICE_WAITS = "state = 'waiting'"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, primary_key=key)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=False)


def _maybe_number(name: str) -> sa.Column[int | None]:
    return sa.Column(name, NUMBER, nullable=True)


def _time(name: str) -> sa.Column[float]:
    return sa.Column(name, TIME, nullable=False)


def _maybe_time(name: str) -> sa.Column[float | None]:
    return sa.Column(name, TIME, nullable=True)


statuses = sa.Table(
    "statuses",
    METADATA,
    _text("project", key=True),
    _text("sha", key=True),
    _text("context", key=True),
    _text("state"),
    _text("description"),
    _text("ref"),
    _maybe_number("run"),
    _maybe_time("started_at"),
    _maybe_time("completed_at"),
    _time("changed_at"),
    _number("sequence"),
    _number("sent"),
    _number("waiting"),
    _number("claims"),
    _number("tries"),
    _time("next_at"),
    _text("reason"),
)
"""`run` refers to nothing: a status stands at its commit when the run is long gone."""
sa.Index("ix_statuses_changed", statuses.c.changed_at)
sa.Index(
    "ix_statuses_waiting",
    statuses.c.project,
    statuses.c.next_at,
    sqlite_where=sa.text(STATUS_WAITS),
    postgresql_where=sa.text(STATUS_WAITS),
)

destinations = sa.Table(
    "destinations",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    _text("project"),
    _text("kind"),
    _text("target"),
    _text("topics"),
    _text("told"),
    _text("secret"),
    _time("created_at"),
    _number("active"),
    _text("reason"),
    _maybe_time("failing_since"),
    sqlite_autoincrement=True,
)
sa.Index("ix_destinations_project", destinations.c.project, destinations.c.id)

notices = sa.Table(
    "notices",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    sa.Column("destination", NUMBER, sa.ForeignKey("destinations.id", ondelete="CASCADE"), nullable=False),
    _text("project"),
    _text("topic"),
    _text("body"),
    _maybe_number("run"),
    _time("created_at"),
    _text("state"),
    _number("claims"),
    _number("tries"),
    _time("next_at"),
    _maybe_time("done_at"),
    _text("reason"),
    _text("replies"),
    _maybe_number("again"),
    sqlite_autoincrement=True,
)
sa.Index("ix_notices_destination", notices.c.destination, notices.c.id)
sa.Index("ix_notices_done", notices.c.done_at)
sa.Index(
    "ix_notices_waiting",
    notices.c.destination,
    notices.c.next_at,
    sqlite_where=sa.text(NOTICE_WAITS),
    postgresql_where=sa.text(NOTICE_WAITS),
)

streaks = sa.Table(
    "streaks",
    METADATA,
    _text("project", key=True),
    _text("path", key=True),
    _text("ref", key=True),
    _number("run"),
    _number("number"),
    _maybe_number("failing_since"),
    _time("ended_at"),
)
sa.Index("ix_streaks_ended", streaks.c.ended_at)
