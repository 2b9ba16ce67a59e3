"""What is to be told outside: commit statuses, destinations, notices.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Make the tables."""
    _statuses()
    _destinations()
    _notices()
    op.create_table(
        "streaks",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("failing_since", NUMBER, nullable=True),
        sa.Column("ended_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("project", "path", "ref"),
    )
    op.create_index("ix_streaks_ended", "streaks", ["ended_at"], unique=False)


def _statuses() -> None:
    op.create_table(
        "statuses",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("context", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=True),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("sequence", NUMBER, nullable=False),
        sa.Column("sent", NUMBER, nullable=False),
        sa.Column("waiting", NUMBER, nullable=False),
        sa.Column("claims", NUMBER, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project", "sha", "context"),
    )
    op.create_index("ix_statuses_changed", "statuses", ["changed_at"], unique=False)
    _waiting_index("statuses", "project", "waiting = 1")


def _destinations() -> None:
    op.create_table(
        "destinations",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("topics", TEXT, nullable=False),
        sa.Column("told", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("active", NUMBER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("failing_since", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_destinations_project", "destinations", ["project", "id"], unique=False)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("destination", NUMBER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("claims", NUMBER, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("replies", TEXT, nullable=False),
        sa.Column("again", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["destination"], ["destinations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_destination", "notices", ["destination", "id"], unique=False)
    op.create_index("ix_notices_done", "notices", ["done_at"], unique=False)
    _waiting_index("notices", "destination", "state = 'waiting'")


def _waiting_index(table: str, of: str, where: str) -> None:
    op.create_index(
        f"ix_{table}_waiting",
        table,
        [of, "next_at"],
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
