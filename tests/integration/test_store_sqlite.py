"""The store on a SQLite file when things go wrong: full, locked, damaged, newer, killed."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.store_sql import SCHEMA_VERSION, open_store, schema_version
from pawl.adapters.store_sql.sqlite_files import connect
from pawl.adapters.store_sql.sqlite_store import SqliteStore
from pawl.core.model.errors import InfrastructureError, Unavailable, UsageError
from pawl.core.model.ids import RunId
from pawl.ports.store import RunFilter, Store, Transaction
from tests.stores import add_attempts, add_run, attempt, lease, new_run, offer, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pawl.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def pragma(transaction: Any, text: str) -> Any:
    """Run a PRAGMA on the connection that writes."""
    row = transaction._session._execute(f"PRAGMA {text}", {}).fetchone()
    return None if row is None else row[0]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def run_ids(store: Store) -> list[RunId]:
    return [run.id for run in await store.read(lambda t: t.runs.find(RunFilter(), 100_000))]


async def test_what_is_acknowledged_is_on_the_disk_and_only_the_owner_reads_it(url: str, path: Path) -> None:
    async with opened(url) as store:
        assert await store.write(lambda t: pragma(t, "journal_mode")) == "wal"
        assert await store.write(lambda t: pragma(t, "synchronous")) == 2
        assert await store.write(lambda t: pragma(t, "foreign_keys")) == 1
        assert await store.read(lambda t: pragma(t, "query_only")) == 1
    assert mode(path) == 0o600


async def test_a_full_disk_is_said_and_nothing_that_was_kept_is_lost(url: str) -> None:
    async with opened(url) as store:
        kept = await add_run(store)
        pages = await store.write(lambda t: pragma(t, "page_count"))
        await store.write(lambda t: pragma(t, f"max_page_count={pages + 2}"))
        with pytest.raises(Unavailable) as caught:
            await add_run(store, plan="x" * 200_000)
        assert caught.value.full
        assert await run_ids(store) == [kept.id]
        # The connection was thrown away, and the limit with it: as if somebody had made room.
        await store.check()
        assert await run_ids(store) == [kept.id]
        assert (await add_run(store)).id > kept.id


async def test_a_full_disk_fails_everybody_in_the_batch(url: str) -> None:
    async with opened(url) as store:
        pages = await store.write(lambda t: pragma(t, "page_count"))
        await store.write(lambda t: pragma(t, f"max_page_count={pages + 2}"))
        done = await asyncio.gather(
            *(add_run(store, plan="x" * 100_000) for _ in range(5)), return_exceptions=True
        )
        acknowledged = [one.id for one in done if not isinstance(one, BaseException)]
        assert isinstance(done[0], Unavailable)
        assert sorted(await run_ids(store)) == sorted(acknowledged)


async def test_a_lock_held_by_another_process_is_waited_for_and_then_said(url: str, path: Path) -> None:
    async with opened(url, busy_seconds=0.2) as store:
        kept = await add_run(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked") as caught:
            await store.check()
        assert not caught.value.full
        assert await run_ids(store) == [kept.id]
        other.execute("ROLLBACK")
        other.close()
        await store.check()


async def test_a_read_only_database_is_said(url: str) -> None:
    async with opened(url) as store:
        await store.write(lambda t: pragma(t, "query_only=ON"))
        with pytest.raises(Unavailable, match="read-only"):
            await store.check()


@pytest.mark.parametrize("where", [0, 5000])
async def test_a_damaged_file_names_the_way_back(url: str, path: Path, where: int) -> None:
    async with opened(url) as store:
        await add_run(store)
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(where)
        file.write(b"\xff" * (size - where))

    async def use() -> None:
        async with opened(url) as store:
            await add_run(store)
            await store.read(lambda t: t.runs.find(RunFilter(), 5))

    with pytest.raises(InfrastructureError) as caught:
        await use()
    assert "pawl restore" in (caught.value.hint or "")


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}/missing/pawl.db")


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:", "sqlite:///", "pawl.db", "postgres:x"])
def test_a_url_that_names_no_store(url: str) -> None:
    with pytest.raises(UsageError):
        open_store(url)


@pytest.mark.parametrize("version", ["0099", "f00d"])
async def test_a_database_of_a_newer_version_is_refused(url: str, path: Path, version: str) -> None:
    async with opened(url):
        pass
    assert schema_version(url) == SCHEMA_VERSION
    with connect(str(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    with pytest.raises(InfrastructureError, match="newer version of Pawl"):
        open_store(url)


async def test_another_programs_database_is_left_alone(url: str, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()
    with pytest.raises(InfrastructureError, match="songs"):
        open_store(url)


class FailsToCommit:
    """A connection whose disk gives up at the commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(sql, *arguments)


async def test_after_a_failed_commit_the_connection_is_given_up(url: str) -> None:
    store = SqliteStore(url.removeprefix("sqlite:///"))
    try:
        kept = await add_run(store)
        failing: Any = FailsToCommit(store._writer._connection)  # type: ignore[arg-type]  # it is open
        store._writer._connection = failing
        done = await asyncio.gather(*(add_run(store) for _ in range(3)), return_exceptions=True)
        assert isinstance(done[0], Unavailable)
        assert store._writer._connection is not failing
        acknowledged = [one.id for one in done if not isinstance(one, BaseException)]
        assert sorted(await run_ids(store)) == [kept.id, *acknowledged]
        await store.check()
    finally:
        await store.aclose()


async def test_those_that_wait_share_a_commit(url: str) -> None:
    async with opened(url) as store:
        commits: list[str] = []
        let_go = threading.Event()

        def first(transaction: Any) -> None:
            let_go.wait(60)

        def trace(transaction: Any) -> None:
            execute = transaction._session._execute
            execute.__self__.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)

        await store.write(trace)
        commits.clear()
        waiting = [asyncio.ensure_future(store.write(first))]
        waiting += [
            asyncio.ensure_future(store.write(lambda t: t.keys.put("x", 1, time=1.0))) for _ in range(50)
        ]
        await asyncio.sleep(0)
        let_go.set()
        await asyncio.gather(*waiting)
        assert len(commits) <= 2


async def test_a_caller_that_goes_away_harms_nobody(url: str) -> None:
    async with opened(url) as store:
        let_go = threading.Event()
        first = asyncio.ensure_future(store.write(lambda t: let_go.wait(60)))
        second = asyncio.ensure_future(add_run(store))
        third = asyncio.ensure_future(store.write(lambda t: t.runs.add(new_run())))
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
        let_go.set()
        await third
        assert len(await run_ids(store)) in {1, 2}


async def test_two_processes_may_use_one_file(url: str) -> None:
    async with opened(url) as one, opened(url) as two:
        await asyncio.gather(*(add_run(store) for store in (one, two) * 20))
        assert await run_ids(one) == await run_ids(two) == list(range(40, 0, -1))


async def test_inline_hooks_stand_before_and_after_the_commit(url: str) -> None:
    class Crash(BaseException):
        """A process that ends."""

    crash = {"before": False, "after": False}

    def hook(when: str) -> None:
        if crash[when]:
            raise Crash

    threads = threading.active_count()
    store = open_store(
        url, inline=True, before_commit=lambda: hook("before"), after_commit=lambda: hook("after")
    )
    await add_run(store)
    crash["before"] = True
    with pytest.raises(Crash):
        await add_run(store)
    crash.update(before=False, after=True)
    with pytest.raises(Crash):
        await add_run(store)
    crash["after"] = False
    assert len(await run_ids(store)) == 2
    assert threading.active_count() == threads
    await store.aclose()


async def test_a_database_in_memory_for_simulations() -> None:
    async with opened("sqlite:///:memory:", inline=True) as store:
        await add_run(store)
        assert await run_ids(store) == [1]


async def test_a_lease_costs_the_same_however_long_the_queue_is(url: str) -> None:
    """Counted in instructions of the database's machine, which no load of this one changes."""
    async with opened(url, inline=True) as store:
        run = (await add_run(store)).id
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        async def cost() -> int:
            nonlocal count
            count = 0
            assert len(await lease(store, offer("linux", "x64", limit=1))) == 1
            return count

        def watch(transaction: Any) -> None:
            transaction._session._execute.__self__.set_progress_handler(tick, 1)

        def rows(start: int, end: int) -> list[Any]:
            labels = (("linux",), ("linux", "x64"), ("gpu",), ("windows",))
            return [
                attempt(run, f"j{number}", requires=labels[number % 4], queue_key=float(number))
                for number in range(start, end)
            ]

        await add_attempts(store, *rows(0, 100))
        await store.write(watch)
        few = await cost()
        await store.write(lambda t: t._session._execute.__self__.set_progress_handler(None, 0))  # type: ignore[attr-defined]  # inside
        await add_attempts(store, *rows(100, 10_000))
        await store.write(watch)
        assert await cost() < few * 1.5


def test_alembic_is_not_loaded_where_nothing_is_migrated(tmp_path: Path) -> None:
    program = (
        "import sys; from pawl.adapters.store_sql import open_store;"
        f"open_store('sqlite:///{tmp_path}/a.db', inline=True);"
        "print([name for name in ('alembic', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


WRITER = """
import asyncio, sys
from tests.stores import add_run, opened

async def write(store):
    while True:
        print((await add_run(store)).id, flush=True)

async def main(url):
    async with opened(url) as store:
        await asyncio.gather(*(write(store) for _ in range(8)))

asyncio.run(main(sys.argv[1]))
"""


def write_until_killed(url: str, least: int) -> list[int]:
    """Have a process write runs, kill it in the midst, and return the ids it told."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, url],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    try:
        told = [int(process.stdout.readline()) for _ in range(least)]
    finally:
        process.kill()
    # The last line may be cut in its middle.
    told += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
    process.stdout.close()
    process.wait(60)
    return told


async def test_what_was_acknowledged_survives_kill_9(url: str) -> None:
    """Every run whose id was told is there after the process was killed in the midst of writing."""
    told: list[int] = []
    for _ in range(2):
        told += await asyncio.to_thread(write_until_killed, url, 30)
    async with opened(url) as store:
        stored = set(await run_ids(store))
        assert set(told) <= stored
        assert len(told) == len(set(told))
        assert await store.write(lambda t: pragma(t, "integrity_check")) == "ok"

        def whole(transaction: Transaction) -> bool:
            return all(transaction.runs.state(run) is not None for run in map(RunId, stored))

        assert await store.read(whole)
