"""Backup of a store in use, restore, and copies from one database to another."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.store_sql import backup_store, copy_store, restore_store
from pawl.adapters.store_sql.copying import connect_to
from pawl.adapters.store_sql.session import Statement
from pawl.adapters.store_sql.tables import METADATA
from pawl.core.model.approvals import Approval, ApprovalState, Environment
from pawl.core.model.errors import Conflict, InfrastructureError, NotFound, UsageError
from pawl.core.model.forge import CommitState, ForgeKind
from pawl.core.model.ids import JobId, RunId, WorkerId
from pawl.core.model.projects import DeliveryRecord, DeliverySource, HeadRecord, Project, ScheduleRecord
from pawl.core.model.records import ArtifactRecord, GroupMember, LogRecord, TokenRecord, WorkerRecord
from pawl.core.model.reporting import (
    DestinationKind,
    DestinationRecord,
    NoticeRecord,
    StatusRecord,
    Streak,
    Topic,
)
from pawl.core.model.secrets import SecretRecord, SecretUse, ValueScope, VariableRecord
from pawl.ports.store import RunFilter, Store
from tests.postgres import PostgresServer
from tests.stores import add_run, attempt, new_run, opened, until


async def fill(store: Store) -> None:
    """Put something into every table, and give ids up again."""

    def work(transaction: Any) -> None:
        run = transaction.runs.add(new_run(run_name="half \ud800 zero \x00", source="a" * 64)).id
        transaction.attempts.add(attempt(run, payload={"text": "\x00 \ud800 ü"}))
        transaction.events.append(run, [{"n": number} for number in range(2500)], 1.5)
        transaction.logs.put(LogRecord(attempt=attempt(run).ref, index=0, name="Set up"))
        transaction.groups.put(GroupMember(group="g", run=run, job=None, active=True, since=1.0))
        transaction.artifacts.put(
            ArtifactRecord(run=run, name="a", job=JobId("b"), attempt=1, created_at=1.0, size=1, files=())
        )
        transaction.workers.put(
            WorkerRecord(
                id=WorkerId("w"), name="w", token="t", labels=("x",), slots=1, first_seen=0.1, last_seen=0.2
            )
        )
        transaction.tokens.put(TokenRecord(digest="d", name="t", scope="admin", created_at=1 / 3))
        transaction.keys.put("k:1", [None, True], time=1.0)
        fill_intake(transaction)
        fill_secrets(transaction, attempt(run).ref)
        fill_reporting(transaction)
        fill_approvals(transaction, run)
        transaction.runs.delete(transaction.runs.add(new_run(path="other")).id)

    await store.write(work)


def fill_intake(transaction: Any) -> None:
    transaction.projects.put(
        Project(name="acme/site", forge=ForgeKind.GITHUB, clone_url="https://x.example/s", created_at=1.0)
    )
    transaction.deliveries.add(
        DeliveryRecord(
            project="acme/site",
            key="d-1",
            source=DeliverySource.WEBHOOK,
            name="push",
            received_at=1.0,
            correlation="c",
            body=bytes(range(256)),
        )
    )
    transaction.heads.tell(HeadRecord(project="acme/site", ref="refs/heads/x", sha="a", told_at=1.0))
    transaction.schedules.save(
        ScheduleRecord(
            project="acme/site", path="ci.yml", cron="0 1 * * *", zone="UTC", set_at=1.0, next_at=None
        )
    )


def fill_approvals(transaction: Any, run: RunId) -> None:
    transaction.environments.put(Environment(project="acme/site", name="live", created_at=1 / 3))
    transaction.approvals.put(
        Approval(
            run=run,
            attempt=1,
            environment="live",
            repository="acme/site",
            state=ApprovalState.WAITING,
            rule="ann has to approve",
            asked_at=1.0,
        )
    )


def fill_secrets(transaction: Any, ref: Any) -> None:
    scope = ValueScope(project="acme/site", environment="live")
    transaction.secrets.put(
        SecretRecord(scope=scope, name="KEY", sealed="v1:a:b", version=1, updated_at=1.0, updated_by="me")
    )
    transaction.variables.put(
        VariableRecord(scope=scope, name="REGION", value="eu", updated_at=1.0, updated_by="me")
    )
    transaction.secret_uses.add([SecretUse(attempt=ref, name="KEY", scope=scope, version=1, used_at=1.0)])


def fill_reporting(transaction: Any) -> None:
    transaction.statuses.put(
        StatusRecord(project="acme/site", sha="a" * 40, context="pawl/CI", state=CommitState.PENDING)
    )
    made = transaction.destinations.add(
        DestinationRecord(project="", kind=DestinationKind.WEBHOOK, target="https://x.example")
    )
    transaction.notices.add(NoticeRecord(destination=made.id, topic=Topic.PING, body="{}"))
    transaction.streaks.put(
        Streak(
            project="acme/site",
            path="ci.yml",
            ref="r",
            run=RunId(1),
            number=1,
            failing_since=None,
            ended_at=1.0,
        )
    )


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def dump(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    with closing(connect_to(url)) as end:
        end.connection.execute(end.begin_reading)
        return {
            table.name: [
                tuple(row)
                for rows in end.rows(Statement(table.select().order_by(*table.primary_key.columns)))
                for row in rows
            ]
            for table in METADATA.sorted_tables
        }


async def test_a_store_moves_to_postgresql_and_back(tmp_path: Path, postgres: PostgresServer) -> None:
    first, second, third = f"sqlite:///{tmp_path}/a.db", postgres.database(), f"sqlite:///{tmp_path}/b.db"
    async with opened(first) as store:
        await fill(store)
    counted = copy_store(first, second)
    assert counted["events"] == 2500
    assert all(counted.values()), "a table is not filled by this test"
    copy_store(second, third)
    assert dump(second) == dump(third)
    assert len(dump(first)["events"]) == 2500
    for url in (second, third):
        async with opened(url) as store:
            assert (await add_run(store)).id == 3, "an id was used again"
            assert (await add_run(store, path="other")).number == 2


async def test_a_copy_into_what_is_not_empty_is_refused(tmp_path: Path) -> None:
    first, second = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"
    async with opened(first) as one, opened(second) as two:
        await fill(one)
        await two.check()
        copy_store(first, second)
        assert dump(first) == dump(second)
        with pytest.raises(Conflict, match="not empty"):
            copy_store(first, second)
        with pytest.raises(Conflict):
            copy_store(first, first)


async def test_a_backup_is_made_while_others_write(tmp_path: Path) -> None:
    url, target = f"sqlite:///{tmp_path}/pawl.db", tmp_path / "backup.db"
    ended = asyncio.Event()
    told: list[int] = []

    async def write(store: Store) -> None:
        while not ended.is_set():
            told.append((await add_run(store)).id)

    async with opened(url) as store:
        writing = [asyncio.create_task(write(store)) for _ in range(4)]
        await until(lambda: len(told) >= 100)
        before = list(told)
        await asyncio.to_thread(backup_store, url, target)
        ended.set()
        await asyncio.gather(*writing)
    assert target.stat().st_mode & 0o777 == 0o600
    assert [name for name in names(tmp_path) if name.startswith("backup")] == ["backup.db"]
    restored = f"sqlite:///{tmp_path}/restored.db"
    restore_store(target, restored)
    async with opened(restored) as store:
        stored = {run.id for run in await store.read(lambda t: t.runs.find(RunFilter(), 1_000_000))}
        assert set(before) <= stored
        assert stored == set(range(1, len(stored) + 1))
        assert await store.read(lambda t: all(t.runs.plan(run) is not None for run in stored))


async def test_restore_replaces_only_when_told_to(tmp_path: Path) -> None:
    url, target = f"sqlite:///{tmp_path}/pawl.db", tmp_path / "backup.db"
    async with opened(url) as store:
        kept = await add_run(store)
        backup_store(url, target)
        await add_run(store)
    with pytest.raises(Conflict, match="exists"):
        restore_store(target, url)
    with pytest.raises(Conflict, match="exists"):
        backup_store(url, target)
    restore_store(target, url, replace=True)
    async with opened(url) as store:
        assert await store.read(lambda t: t.runs.find(RunFilter(), 9)) == (kept,)


async def test_what_is_no_good_backup_is_refused(tmp_path: Path) -> None:
    url, target = f"sqlite:///{tmp_path}/pawl.db", tmp_path / "backup.db"
    with pytest.raises(NotFound):
        backup_store(url, target)
    with pytest.raises(NotFound):
        restore_store(target, url)
    with pytest.raises(UsageError, match="SQLite"):
        backup_store("postgresql:///x", target)
    target.write_bytes(b"no database" * 1000)
    with pytest.raises(InfrastructureError):
        restore_store(target, url)
    target.unlink()
    sqlite3.connect(target).close()
    with pytest.raises(InfrastructureError, match="empty"):
        restore_store(target, url)
    assert "pawl.db" not in names(tmp_path)
    async with opened(url) as store:
        await store.check()


async def test_a_damaged_store_gives_no_backup(tmp_path: Path) -> None:
    url, target = f"sqlite:///{tmp_path}/pawl.db", tmp_path / "backup.db"
    async with opened(url) as store:
        await fill(store)
    path = tmp_path / "pawl.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)
    with pytest.raises(InfrastructureError, match="damaged"):
        backup_store(url, target)
    assert not target.exists()
