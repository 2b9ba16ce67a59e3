"""P9: leases a second on SQLite, every one of them durable, with a short and with a long queue."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Figure, Missing, Row, figure
from pawl.adapters.store_sql import open_store
from pawl.core.model.ids import JobId, JobKey, RunId, WorkerId
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState, NewRun
from pawl.ports.store import LeaseOffer, Store, Transaction

ASKERS = 8
LEASES = 96
"""In one go; then they are put back, which is not counted."""
GOES = 5
SAMPLES = 5
SHORT, LONG = 100, 100_000
LABELS = (("linux",), ("linux", "x64"), ("gpu", "linux"))

BARE = """
UPDATE work SET state = 'leased', worker = ?, epoch = epoch + 1 WHERE id =
(SELECT id FROM work WHERE state = 'queued' ORDER BY queue_key LIMIT 1) RETURNING id
"""


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    with tempfile.TemporaryDirectory() as folder:
        floor = ("bare sqlite3, one lease a commit, one asker", _bare(Path(folder) / "bare.db"))
        few = asyncio.run(_leases(Path(folder) / "few.db", SHORT))
        many = asyncio.run(_leases(Path(folder) / "many.db", LONG))
    times = few.median / many.median
    target = "1,000; less than twice apart"
    return [
        Row(
            id="P9",
            what=f"leases, {ASKERS} askers, synchronous FULL, {count:,} queued{note}",
            pawl=speed,
            floor=floor,
            target=target,
            meets=speed.median >= 1000 and times < 2,
        )
        for count, speed, note in ((SHORT, few, ""), (LONG, many, f" ({times:.2f} times slower)"))
    ]


async def _leases(path: Path, count: int) -> Figure:
    """Return the leases a second with so many attempts in the queue."""
    store = open_store(f"sqlite:///{path}")
    try:
        await store.write(lambda transaction: _fill(transaction, count))
        speeds = []
        for number in range(SAMPLES + 1):
            spent = 0.0
            for _ in range(GOES):
                began = time.perf_counter()
                got = await asyncio.gather(*(_ask(store, asker) for asker in range(ASKERS)))
                spent += time.perf_counter() - began
                await store.write(lambda transaction, got=got: _put_back(transaction, got))
            if number:  # the first one warms up
                speeds.append(GOES * LEASES / spent)
    finally:
        await store.aclose()
    return figure(speeds, "a second")


async def _ask(store: Store, asker: int) -> list[AttemptRecord]:
    offer = LeaseOffer(
        worker=WorkerId(f"w{asker}"), labels=frozenset({"linux", "x64"}), limit=1, now=2.0, deadline=32.0
    )
    got: list[AttemptRecord] = []
    for _ in range(LEASES // ASKERS):
        got += await store.write(lambda transaction: transaction.attempts.lease(offer))
    return got


def _fill(transaction: Transaction, count: int) -> None:
    texts = dict.fromkeys(
        ("repository", "path", "name", "run_name", "event", "ref", "sha", "actor", "correlation"), "x"
    )
    run = transaction.runs.add(NewRun(**texts, created_at=1.0, plan={}, state={})).id  # type: ignore[arg-type]  # texts
    for number in range(count):
        transaction.attempts.add(_attempt(run, number))


def _attempt(run: RunId, number: int) -> AttemptRecord:
    return AttemptRecord(
        ref=AttemptRef(run=run, job=JobId(f"j{number}"), attempt=1),
        key=JobKey("j"),
        name="Test",
        repository="acme/site",
        state=AttemptState.QUEUED,
        requires=LABELS[0 if number < SHORT else number % len(LABELS)],
        queue_key=float(number),
        queued_at=1.0,
        available_at=1.0,
        payload={"key": "j", "combination": {"os": "linux"}, "needs": {}},
    )


def _put_back(transaction: Transaction, got: list[list[AttemptRecord]]) -> None:
    leased = [one for some in got for one in some]
    if len(leased) != LEASES or len({one.ref for one in leased}) != LEASES:
        raise RuntimeError("an attempt was leased twice or not at all")
    for one in leased:
        transaction.attempts.save(_attempt(one.ref.run, int(one.ref.job[1:])))


def _bare(path: Path) -> Figure:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE work (id INTEGER PRIMARY KEY, state, worker, epoch, queue_key)")
    connection.execute("CREATE INDEX ix_work ON work (queue_key) WHERE state = 'queued'")
    speeds = []
    for _ in range(SAMPLES):
        connection.execute("DELETE FROM work")
        rows = [(number, "queued", None, 0, float(number)) for number in range(SHORT)]
        connection.executemany("INSERT INTO work VALUES (?, ?, ?, ?, ?)", rows)
        began = time.perf_counter()
        for _ in range(LEASES):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(BARE, ("w",)).fetchall()
            connection.execute("COMMIT")
        speeds.append(LEASES / (time.perf_counter() - began))
    connection.close()
    return figure(speeds, "a second")
