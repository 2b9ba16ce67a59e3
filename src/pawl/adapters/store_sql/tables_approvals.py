"""The tables of environments and approvals; part of the one schema of `tables.py`."""

from __future__ import annotations

import sqlalchemy as sa

from pawl.adapters.store_sql.tables import METADATA, NUMBER, TEXT, TIME

WAITS = "state = 'waiting'"
"""Is not decided. Word for word in the indexes and in what asks them."""


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, primary_key=key)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=False)


def _time(name: str) -> sa.Column[float]:
    return sa.Column(name, TIME, nullable=False)


def _maybe_time(name: str) -> sa.Column[float | None]:
    return sa.Column(name, TIME, nullable=True)


environments = sa.Table(
    "environments",
    METADATA,
    _text("project", key=True),
    _text("key", key=True),
    _text("name"),
    _time("created_at"),
    _text("reviewers"),
    _number("prevent_self_review"),
    _time("wait_minutes"),
    _text("rule"),
    _text("branches"),
    _text("tags"),
)
"""`key` is what all spellings of a name have in common."""

approvals = sa.Table(
    "approvals",
    METADATA,
    sa.Column(
        "run",
        NUMBER,
        sa.ForeignKey("runs.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("attempt", NUMBER, nullable=False, primary_key=True, autoincrement=False),
    _text("key", key=True),
    _text("environment"),
    _text("repository"),
    _text("state"),
    _text("rule"),
    _time("asked_at"),
    sa.Column("number", NUMBER, nullable=True),
    _text("sha"),
    _text("author"),
    _number("review"),
    _time("ready_at"),
    _time("expires_at"),
    _maybe_time("look_at"),
    _maybe_time("decided_at"),
    _text("decided_by"),
    _text("comment"),
)
sa.Index("ix_approvals_look", approvals.c.look_at)
sa.Index("ix_approvals_commit", approvals.c.repository, approvals.c.number, approvals.c.sha)
sa.Index("ix_approvals_author", approvals.c.repository, approvals.c.author)
sa.Index(
    "ix_approvals_waiting",
    approvals.c.run,
    sqlite_where=sa.text(WAITS),
    postgresql_where=sa.text(WAITS),
)
