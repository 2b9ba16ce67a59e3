"""Secrets, variables, and which attempt was given which secret.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Make the tables."""
    op.add_column("projects", sa.Column("share_token", NUMBER, nullable=False, server_default="0"))
    op.create_table(
        "secrets",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sealed", TEXT, nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project", "environment", "name"),
    )
    op.create_table(
        "variables",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project", "environment", "name"),
    )
    op.create_table(
        "secret_uses",
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("used_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("run", "job", "attempt", "name", "version"),
    )
    op.create_index("ix_secret_uses_name", "secret_uses", ["name", "used_at"], unique=False)
    op.create_index("ix_secret_uses_time", "secret_uses", ["used_at"], unique=False)
