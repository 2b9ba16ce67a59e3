"""The store on PostgreSQL: servers that share it, restarts, locks, settings that lose data."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest

from pawl.adapters.store_sql import open_store, schema_version
from pawl.adapters.store_sql.queue import lease_of
from pawl.core.model.errors import InfrastructureError, Unavailable
from pawl.core.model.ids import RunId, WorkerId
from pawl.ports.store import RunFilter, Store, Transaction
from tests.postgres import PostgresServer, serving
from tests.stores import add_attempts, add_run, attempt, lease, offer, opened, until

SECONDS = 60.0


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """Return a server that the test may kill."""
    with serving() as server:
        yield server


async def heard(store: Store, topic: str, act: Callable[[], object]) -> None:
    """Return when a listener was told of a topic, acting again from time to time."""
    woken = asyncio.Event()
    end = store.subscribe(lambda topics: woken.set() if topic in topics else None)
    try:
        async with asyncio.timeout(SECONDS):
            while not woken.is_set():
                done = act()
                if asyncio.iscoroutine(done):
                    await done
                try:
                    await asyncio.wait_for(woken.wait(), 1)
                except TimeoutError:
                    continue
    finally:
        end()


async def succeed(store: Store) -> None:
    """Return when the store can be written again."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await store.check()
            except Unavailable:
                await asyncio.sleep(0.05)


async def fail(ask: Callable[[], Awaitable[object]]) -> None:
    """Return when the store says that it is not reachable; a killed server's processes end one by one."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await ask()
            except Unavailable:
                return


async def test_servers_hear_of_each_others_commits(url: str) -> None:
    async with opened(url) as one, opened(url) as two:
        await heard(two, "queue", lambda: one.write(lambda t: t.notify("queue")))
        await heard(one, "log:5", lambda: two.write(lambda t: t.notify("log:5")))


async def test_many_topics_are_told_too(url: str) -> None:
    topics = {f"run:{number}:{'x' * 200}" for number in range(100)}
    got: set[str] = set()
    async with opened(url) as one, opened(url) as two:
        two.subscribe(got.update)

        def work(transaction: Transaction) -> None:
            for topic in topics:
                transaction.notify(topic)

        await one.write(work)
        await until(lambda: got == topics)


async def test_a_restart_of_postgresql_is_survived(own: PostgresServer) -> None:
    url = own.database()
    async with opened(url) as store, opened(url) as other:
        before = await add_run(store)
        own.kill()
        await fail(store.check)
        await fail(lambda: store.read(lambda t: t.runs.get(before.id)))
        own.start()
        await succeed(store)
        assert await store.read(lambda t: t.runs.get(before.id)) == before
        await heard(other, "queue", lambda: store.write(lambda t: t.notify("queue")))
        own.stop()
        own.start()
        await succeed(store)


async def test_old_connections_that_were_cut_are_made_anew(url: str, postgres: PostgresServer) -> None:
    async with opened(url) as store:
        record = await add_run(store)
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
                (url.split("/")[3].split("?", maxsplit=1)[0],),
            )
        assert await store.read(lambda t: t.runs.get(record.id)) == record
        assert (await add_run(store)).id == record.id + 1


async def test_writes_while_postgresql_is_killed_keep_what_they_acknowledged(own: PostgresServer) -> None:
    url = own.database()
    told: list[RunId] = []
    ended = asyncio.Event()

    async def write(store: Store) -> None:
        while not ended.is_set():
            try:
                told.append((await add_run(store)).id)
            except Unavailable:
                await asyncio.sleep(0.02)

    async with opened(url) as store:
        writing = [asyncio.create_task(write(store)) for _ in range(8)]
        for wanted in (15, 30):
            await until(lambda wanted=wanted: len(told) >= wanted)  # type: ignore[misc]  # bound early
            await asyncio.to_thread(own.kill)
            await asyncio.to_thread(own.start)
        ended.set()
        await asyncio.gather(*writing)
        stored = {run.id for run in await store.read(lambda t: t.runs.find(RunFilter(), 100_000))}
        assert set(told) <= stored
        assert len(told) == len(set(told))


async def test_two_servers_lease_everything_once(url: str) -> None:
    async with opened(url) as one, opened(url) as two:
        run = (await add_run(one)).id
        labels = (("linux",), ("linux", "x64"))
        rows = [attempt(run, f"j{n:03}", requires=labels[n % 2], queue_key=float(n)) for n in range(200)]
        await add_attempts(one, *rows)
        got: list[str] = []

        async def work(number: int) -> None:
            store = (one, two)[number % 2]
            for _ in range(20):
                got.extend(await lease(store, offer("linux", "x64", limit=2, worker=WorkerId(f"w{number}"))))

        await asyncio.gather(*(work(number) for number in range(8)))
        got += await lease(one, offer("linux", "x64", limit=200))
        assert sorted(got) == [row.ref.job for row in rows]


def rows_of(plan: dict[str, Any]) -> float:
    """Return how many rows all parts of a plan went through."""
    return float(plan["Actual Rows"] * plan["Actual Loops"]) + sum(map(rows_of, plan.get("Plans", [])))


async def test_a_lease_looks_at_few_rows_of_a_queue_that_was_never_counted(url: str) -> None:
    async with opened(url) as store:
        run = (await add_run(store)).id
        labels = (("linux",), ("gpu",), ("gpu",), ("gpu",))
        rows = [
            attempt(run, f"j{n}", requires=labels[n % 4], queue_key=float(n) if n % 4 else 9e9)
            for n in range(4000)
        ]
        await add_attempts(store, *rows)
        sql, fixed = lease_of(1).text("postgresql")
        wanted = {
            "requires0": '["linux"]',
            "now": 2e3,
            "candidates": 33,
            "most": 1,
            "until": 3e3,
            "by_worker": "w",
        }
        with psycopg.connect(url) as connection:
            row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", fixed | wanted).fetchone()
            assert row is not None
            assert rows_of(row[0][0]["Plan"]) < 1000


async def test_transactions_in_each_others_way_are_run_again(url: str) -> None:
    meet = threading.Barrier(2)
    tries: list[str] = []

    def work(transaction: Transaction, mine: str, other: str) -> None:
        tries.append(mine)
        transaction.keys.get(mine)
        if len(tries) <= 2:
            meet.wait(SECONDS)
        transaction.keys.put(mine, str(transaction.keys.get(other)), time=1.0)

    async with opened(url) as store:
        await asyncio.gather(
            store.write(lambda t: work(t, "a:1", "b:1")), store.write(lambda t: work(t, "b:1", "a:1"))
        )
        assert len(tries) > 2
        assert await store.read(lambda t: None not in (t.keys.get("a:1"), t.keys.get("b:1")))


async def test_a_lock_is_waited_for_and_then_said(url: str) -> None:
    async with opened(url, busy_seconds=0.2) as store:
        run = await add_run(store)
        with psycopg.connect(url) as other:
            other.execute("SELECT * FROM runs FOR UPDATE")
            with pytest.raises(Unavailable, match="locked"):
                await store.write(lambda t: t.runs.lock(run.id))
            assert await store.read(lambda t: t.runs.get(run.id)) == run
        await store.write(lambda t: t.runs.lock(run.id))


async def test_settings_that_lose_what_was_acknowledged_are_refused(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with pytest.raises(InfrastructureError, match="synchronous_commit"):
        open_store(url)


async def test_a_server_that_is_away_and_one_that_refuses(postgres: PostgresServer) -> None:
    away = f"postgresql://ann:hidden@/x?host={postgres.folder}/none"
    with pytest.raises(Unavailable) as caught:
        open_store(away)
    assert "hidden" not in f"{caught.value}{caught.value.hint}"
    with pytest.raises((Unavailable, InfrastructureError), match="nosuch"):
        open_store(postgres.url("nosuch"))


async def test_a_read_only_database_is_said(url: str) -> None:
    async with opened(url) as store:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on"
            )
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(Unavailable, match="read-only"):
            await store.check()


async def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    assert schema_version(url) == 0
    async with opened(url):
        pass
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(InfrastructureError, match="newer version of Pawl"):
        open_store(url)


async def test_servers_that_start_together_make_one_schema(url: str) -> None:
    stores = await asyncio.gather(*(asyncio.to_thread(open_store, url) for _ in range(4)))
    for store in stores:
        await store.check()
        await store.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@127.0.0.1:1/db",
        "postgresql://user:hunter2@[bad/db",
        "postgresql://user:p@ss/hunter2@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=u&password=hunter2",
    ],
)
def test_no_message_about_an_address_holds_its_password(url: str) -> None:
    with pytest.raises(Unavailable) as caught:
        open_store(url)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
