"""The schema: one for SQLite and PostgreSQL.

Values are texts, whole numbers and doubles only, so that both databases give back what was put in: truth
values are 0 and 1, plain data (`Json`) is text. Texts compare byte by byte on both.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
TIME: sa.Double[float] = sa.Double()

QUEUEABLE = "state = 'queued' AND blocked = '' AND cancel IS NULL"
"""May be leased once its time has come. Word for word in the index and in what asks it, or neither database
sees that they belong together."""
LISTED = "state = 'queued' AND attempt > 0"
"""All that is queued. Every attempt is above 0: said so that PostgreSQL takes this index for nothing else, a
lease for instance, which would look through what others wait for."""
HELD = "state IN ('leased', 'running')"
OPEN = "state IN ('queued', 'leased', 'running')"
UNFINISHED = "status <> 'completed'"


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, **options)


def _maybe_text(name: str) -> sa.Column[str | None]:
    return sa.Column(name, TEXT, nullable=True)


def _number(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=False, **options)


def _time(name: str) -> sa.Column[float]:
    return sa.Column(name, TIME, nullable=False)


def _maybe_time(name: str) -> sa.Column[float | None]:
    return sa.Column(name, TIME, nullable=True)


def _run(**options: Any) -> sa.Column[int]:
    """Return the column that makes a row belong to a run and go with it."""
    return sa.Column("run", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, **options)


runs = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    _number("number"),
    _text("repository"),
    _text("path"),
    _text("name"),
    _text("run_name"),
    _text("event"),
    _text("ref"),
    _text("sha"),
    _text("actor"),
    _text("correlation"),
    _time("created_at"),
    _number("attempt"),
    _text("status"),
    _maybe_text("conclusion"),
    _number("cancelling"),
    _text("reason"),
    _maybe_time("started_at"),
    _maybe_time("completed_at"),
    _maybe_text("source"),
    _number("priority"),
    _text("needs_attention"),
    _number("last_event"),
    sqlite_autoincrement=True,
)
sa.Index("ix_runs_repository", runs.c.repository, runs.c.id)
sa.Index(
    "ix_runs_unfinished", runs.c.id, sqlite_where=sa.text(UNFINISHED), postgresql_where=sa.text(UNFINISHED)
)
sa.Index("ix_runs_completed", runs.c.completed_at, runs.c.id)
sa.Index("ix_runs_source", runs.c.source)

run_numbers = sa.Table(
    "run_numbers",
    METADATA,
    _text("repository", primary_key=True),
    _text("path", primary_key=True),
    _number("last"),
)
"""Outlives the runs it counted, so that no number comes twice."""

run_plans = sa.Table("run_plans", METADATA, _run(primary_key=True, autoincrement=False), _text("plan"))
"""Apart from `runs`: long, written once, and read with no list of runs."""

run_states = sa.Table("run_states", METADATA, _run(primary_key=True, autoincrement=False), _text("state"))

attempts = sa.Table(
    "attempts",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    _run(),
    _text("job"),
    _number("attempt"),
    _text("key"),
    _text("name"),
    _text("repository"),
    _text("state"),
    _text("requires"),
    _time("queue_key"),
    _time("queued_at"),
    _time("available_at"),
    _text("payload"),
    _text("blocked"),
    sa.Column("group_name", TEXT, nullable=True),
    _maybe_time("deadline"),
    _number("epoch"),
    _number("leases"),
    _maybe_text("worker"),
    _maybe_time("leased_at"),
    _maybe_time("started_at"),
    _maybe_time("finished_at"),
    _maybe_text("cancel"),
    _number("cancel_at_once"),
    _maybe_text("conclusion"),
    _text("reason"),
    _maybe_text("failure_class"),
    sa.Column("exit_code", NUMBER, nullable=True),
    _maybe_text("result_key"),
    _text("log_note"),
    sa.UniqueConstraint("run", "job", "attempt", name="uq_attempts_ref"),
    sqlite_autoincrement=True,
)


def _attempts_index(name: str, where: str, *columns: str) -> None:
    sa.Index(
        name,
        *(attempts.c[column] for column in columns),
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


_attempts_index(
    "ix_attempts_lease", QUEUEABLE, "requires", "queue_key", "run", "job", "attempt", "available_at"
)
_attempts_index("ix_attempts_queue", LISTED, "queue_key", "run", "job", "attempt")
_attempts_index("ix_attempts_deadline", OPEN, "deadline", "state", "blocked")
_attempts_index("ix_attempts_worker", HELD, "worker", "deadline")

group_members = sa.Table(
    "group_members",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    sa.Column("group_name", TEXT, nullable=False),
    _run(),
    _text("job"),
    _number("active"),
    _time("since"),
    sa.UniqueConstraint("group_name", "run", "job", name="uq_group_members"),
    sqlite_autoincrement=True,
)
"""`job` is "" for a run's own group."""
sa.Index("ix_group_members_run", group_members.c.run)

events = sa.Table(
    "events",
    METADATA,
    _run(primary_key=True, autoincrement=False),
    _number("sequence", primary_key=True, autoincrement=False),
    _time("time"),
    _text("event"),
)

logs = sa.Table(
    "logs",
    METADATA,
    _run(primary_key=True, autoincrement=False),
    _text("job", primary_key=True),
    _number("attempt", primary_key=True, autoincrement=False),
    _number("step", primary_key=True, autoincrement=False),
    _text("name"),
    _number("size"),
    _number("lines"),
    _text("sha256"),
    _number("dropped"),
    _text("note"),
    _number("finished"),
)

artifacts = sa.Table(
    "artifacts",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    _run(),
    _text("name"),
    _text("job"),
    _number("attempt"),
    _time("created_at"),
    _number("size"),
    _text("files"),
    _number("final"),
    sa.UniqueConstraint("run", "name", name="uq_artifacts"),
    sqlite_autoincrement=True,
)
sa.Index("ix_artifacts_created", artifacts.c.created_at, artifacts.c.id)

workers = sa.Table(
    "workers",
    METADATA,
    _text("id", primary_key=True),
    _text("name"),
    _text("token"),
    _text("labels"),
    _number("slots"),
    _time("first_seen"),
    _time("last_seen"),
    _number("draining"),
    _text("health"),
    _text("facts"),
)

tokens = sa.Table(
    "tokens",
    METADATA,
    _text("digest", primary_key=True),
    _text("name"),
    _text("scope"),
    _time("created_at"),
    _maybe_time("last_used"),
    _maybe_time("expires_at"),
    _number("revoked"),
)

key_values = sa.Table(
    "key_values",
    METADATA,
    _text("name", primary_key=True),
    _text("value"),
    _time("time"),
    _number("lasting"),
)
sa.Index("ix_key_values_time", key_values.c.time)

projects = sa.Table(
    "projects",
    METADATA,
    _text("name", primary_key=True),
    _text("forge"),
    _text("clone_url"),
    _time("created_at"),
    _text("default_branch"),
    _text("api_url"),
    _text("web_url"),
    _text("secrets"),
    _text("account"),
    _text("app_id"),
    _text("context"),
    _text("forks"),
    _time("poll_seconds"),
    _number("active"),
    _number("share_token", server_default="0"),
)
"""`secrets` holds sealed values only."""

AWAITED = "state = 'stored'"
"""Is to be worked on. Word for word in the index and in what asks it."""

deliveries = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("id", NUMBER, primary_key=True),
    _text("project"),
    _text("key"),
    _text("source"),
    _text("name"),
    _time("received_at"),
    _text("correlation"),
    _text("headers"),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    _number("body_kept"),
    sa.Column("replay_of", NUMBER, nullable=True),
    _text("state"),
    _number("tries"),
    _time("next_at"),
    _maybe_time("done_at"),
    _text("reason"),
    _text("verdicts"),
    sa.UniqueConstraint("project", "key", name="uq_deliveries_key"),
    sqlite_autoincrement=True,
)
sa.Index("ix_deliveries_project", deliveries.c.project, deliveries.c.id)
sa.Index("ix_deliveries_done", deliveries.c.done_at, deliveries.c.id)
sa.Index(
    "ix_deliveries_awaited",
    deliveries.c.project,
    deliveries.c.id,
    deliveries.c.next_at,
    sqlite_where=sa.text(AWAITED),
    postgresql_where=sa.text(AWAITED),
)

told_heads = sa.Table(
    "told_heads",
    METADATA,
    _text("project", primary_key=True),
    _text("ref", primary_key=True),
    _text("sha", primary_key=True),
    _time("told_at"),
    _number("delivery"),
)

schedules = sa.Table(
    "schedules",
    METADATA,
    _text("project", primary_key=True),
    _text("path", primary_key=True),
    _text("cron", primary_key=True),
    _text("zone", primary_key=True),
    _time("set_at"),
    _maybe_time("next_at"),
    _maybe_time("fired_at"),
)
sa.Index("ix_schedules_next", schedules.c.next_at)

secrets = sa.Table(
    "secrets",
    METADATA,
    _text("project", primary_key=True),
    _text("environment", primary_key=True),
    _text("name", primary_key=True),
    _text("sealed"),
    _number("version"),
    _time("updated_at"),
    _text("updated_by"),
)

variables = sa.Table(
    "variables",
    METADATA,
    _text("project", primary_key=True),
    _text("environment", primary_key=True),
    _text("name", primary_key=True),
    _text("value"),
    _time("updated_at"),
    _text("updated_by"),
)

secret_uses = sa.Table(
    "secret_uses",
    METADATA,
    _number("run", primary_key=True, autoincrement=False),
    _text("job", primary_key=True),
    _number("attempt", primary_key=True, autoincrement=False),
    _text("name", primary_key=True),
    _number("version", primary_key=True, autoincrement=False),
    _text("project"),
    _text("environment"),
    _time("used_at"),
)
sa.Index("ix_secret_uses_name", secret_uses.c.name, secret_uses.c.used_at)
sa.Index("ix_secret_uses_time", secret_uses.c.used_at)
