"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TIME: sa.Double[float] = sa.Double()


def upgrade() -> None:
    """Make all tables."""
    _key_values()
    _run_numbers()
    _runs()
    _tokens()
    _workers()
    _artifacts()
    _attempts()
    _events()
    _group_members()
    _logs()
    _run_plans()
    _run_states()


def _key_values() -> None:
    op.create_table(
        "key_values",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("lasting", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_key_values_time", "key_values", ["time"], unique=False)


def _run_numbers() -> None:
    op.create_table(
        "run_numbers",
        sa.Column("repository", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("last", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("repository", "path"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("repository", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("run_name", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("correlation", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("conclusion", TEXT, nullable=True),
        sa.Column("cancelling", NUMBER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.Column("source", TEXT, nullable=True),
        sa.Column("priority", NUMBER, nullable=False),
        sa.Column("needs_attention", TEXT, nullable=False),
        sa.Column("last_event", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_completed", "runs", ["completed_at", "id"], unique=False)
    op.create_index("ix_runs_repository", "runs", ["repository", "id"], unique=False)
    op.create_index("ix_runs_source", "runs", ["source"], unique=False)
    op.create_index(
        "ix_runs_unfinished",
        "runs",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status <> 'completed'"),
        postgresql_where=sa.text("status <> 'completed'"),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("slots", NUMBER, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("draining", NUMBER, nullable=False),
        sa.Column("health", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("files", TEXT, nullable=False),
        sa.Column("final", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run", "name", name="uq_artifacts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_artifacts_created", "artifacts", ["created_at", "id"], unique=False)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("repository", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("requires", TEXT, nullable=False),
        sa.Column("queue_key", TIME, nullable=False),
        sa.Column("queued_at", TIME, nullable=False),
        sa.Column("available_at", TIME, nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.Column("blocked", TEXT, nullable=False),
        sa.Column("group_name", TEXT, nullable=True),
        sa.Column("deadline", TIME, nullable=True),
        sa.Column("epoch", NUMBER, nullable=False),
        sa.Column("leases", NUMBER, nullable=False),
        sa.Column("worker", TEXT, nullable=True),
        sa.Column("leased_at", TIME, nullable=True),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("cancel", TEXT, nullable=True),
        sa.Column("cancel_at_once", NUMBER, nullable=False),
        sa.Column("conclusion", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("failure_class", TEXT, nullable=True),
        sa.Column("exit_code", NUMBER, nullable=True),
        sa.Column("result_key", TEXT, nullable=True),
        sa.Column("log_note", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run", "job", "attempt", name="uq_attempts_ref"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_attempts_deadline",
        "attempts",
        ["deadline", "state", "blocked"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'leased', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'leased', 'running')"),
    )
    op.create_index(
        "ix_attempts_lease",
        "attempts",
        ["requires", "queue_key", "run", "job", "attempt", "available_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND blocked = '' AND cancel IS NULL"),
        postgresql_where=sa.text("state = 'queued' AND blocked = '' AND cancel IS NULL"),
    )
    op.create_index(
        "ix_attempts_queue",
        "attempts",
        ["queue_key", "run", "job", "attempt"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND attempt > 0"),
        postgresql_where=sa.text("state = 'queued' AND attempt > 0"),
    )
    op.create_index(
        "ix_attempts_worker",
        "attempts",
        ["worker", "deadline"],
        unique=False,
        sqlite_where=sa.text("state IN ('leased', 'running')"),
        postgresql_where=sa.text("state IN ('leased', 'running')"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("run", NUMBER, autoincrement=False, nullable=False),
        sa.Column("sequence", NUMBER, autoincrement=False, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "sequence"),
    )


def _group_members() -> None:
    op.create_table(
        "group_members",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("group_name", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("active", NUMBER, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("group_name", "run", "job", name="uq_group_members"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_group_members_run", "group_members", ["run"], unique=False)


def _logs() -> None:
    op.create_table(
        "logs",
        sa.Column("run", NUMBER, autoincrement=False, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("attempt", NUMBER, autoincrement=False, nullable=False),
        sa.Column("step", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("lines", NUMBER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("dropped", NUMBER, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("finished", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "job", "attempt", "step"),
    )


def _run_plans() -> None:
    op.create_table(
        "run_plans",
        sa.Column("run", NUMBER, autoincrement=False, nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run"),
    )


def _run_states() -> None:
    op.create_table(
        "run_states",
        sa.Column("run", NUMBER, autoincrement=False, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run"),
    )
