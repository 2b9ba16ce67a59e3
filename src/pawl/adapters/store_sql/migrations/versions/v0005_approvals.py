"""Environments, and what waits for approval.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "environments",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("reviewers", TEXT, nullable=False),
        sa.Column("prevent_self_review", NUMBER, nullable=False),
        sa.Column("wait_minutes", TIME, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("branches", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project", "key"),
    )
    op.create_table(
        "approvals",
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("repository", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("number", NUMBER, nullable=True),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("review", NUMBER, nullable=False),
        sa.Column("ready_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("look_at", TIME, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("comment", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "attempt", "key"),
    )
    op.create_index("ix_approvals_look", "approvals", ["look_at"], unique=False)
    op.create_index("ix_approvals_commit", "approvals", ["repository", "number", "sha"], unique=False)
    op.create_index("ix_approvals_author", "approvals", ["repository", "author"], unique=False)
    op.create_index(
        "ix_approvals_waiting",
        "approvals",
        ["run"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
