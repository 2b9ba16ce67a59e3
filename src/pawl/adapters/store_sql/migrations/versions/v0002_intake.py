"""Projects, and the journal of what their forges sent.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Make the tables."""
    _projects()
    _deliveries()
    _told_heads()
    _schedules()


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("forge", TEXT, nullable=False),
        sa.Column("clone_url", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("default_branch", TEXT, nullable=False),
        sa.Column("api_url", TEXT, nullable=False),
        sa.Column("web_url", TEXT, nullable=False),
        sa.Column("secrets", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("app_id", TEXT, nullable=False),
        sa.Column("context", TEXT, nullable=False),
        sa.Column("forks", TEXT, nullable=False),
        sa.Column("poll_seconds", TIME, nullable=False),
        sa.Column("active", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("correlation", TEXT, nullable=False),
        sa.Column("headers", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_kept", NUMBER, nullable=False),
        sa.Column("replay_of", NUMBER, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("verdicts", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "key", name="uq_deliveries_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_project", "deliveries", ["project", "id"], unique=False)
    op.create_index("ix_deliveries_done", "deliveries", ["done_at", "id"], unique=False)
    op.create_index(
        "ix_deliveries_awaited",
        "deliveries",
        ["project", "id", "next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'stored'"),
        postgresql_where=sa.text("state = 'stored'"),
    )


def _told_heads() -> None:
    op.create_table(
        "told_heads",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("told_at", TIME, nullable=False),
        sa.Column("delivery", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("project", "ref", "sha"),
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("cron", TEXT, nullable=False),
        sa.Column("zone", TEXT, nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.Column("fired_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("project", "path", "cron", "zone"),
    )
    op.create_index("ix_schedules_next", "schedules", ["next_at"], unique=False)
