"""What the tests of the store share: stores of every kind, and rows to put into them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.store_sql import open_store
from pawl.core.model.ids import JobId, JobKey, RunId, WorkerId
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState, NewRun, RunRecord
from pawl.ports.store import LeaseOffer, Store

KINDS = ("sqlite", "inline", "postgresql")


def url_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """Return the URL of a new store."""
    if kind == "postgresql":
        made: str = request.getfixturevalue("postgres").database()
        return made
    return f"sqlite:///{folder / 'pawl.db'}"


@contextlib.asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Store]:
    """Open a store and close it."""
    store = open_store(url, **options)
    try:
        yield store
    finally:
        await store.aclose()


def new_run(**changes: Any) -> NewRun:
    """Return a run to be stored."""
    run = NewRun(
        repository="acme/site",
        path=".github/workflows/ci.yml",
        name="CI",
        run_name="Fix the door",
        event="push",
        ref="refs/heads/main",
        sha="a" * 40,
        actor="ann",
        correlation="c1",
        created_at=1000.5,
        plan={"jobs": [1, 2]},
        state={"jobs": {}},
    )
    return dataclasses.replace(run, **changes)


async def add_run(store: Store, **changes: Any) -> RunRecord:
    """Store a run."""
    return await store.write(lambda t: t.runs.add(new_run(**changes)))


def attempt(run: RunId, job: str = "build", number: int = 1, **changes: Any) -> AttemptRecord:
    """Return a queued attempt."""
    record = AttemptRecord(
        ref=AttemptRef(run=run, job=JobId(job), attempt=number),
        key=JobKey(job),
        name=job,
        repository="acme/site",
        state=AttemptState.QUEUED,
        requires=("linux",),
        queue_key=1000.0,
        queued_at=1000.0,
        available_at=1000.0,
        payload={"key": job},
    )
    return dataclasses.replace(record, **changes)


async def add_attempts(store: Store, *attempts: AttemptRecord) -> None:
    """Store attempts in one transaction."""

    def work(transaction: Any) -> None:
        for one in attempts:
            transaction.attempts.add(one)

    await store.write(work)


def offer(*labels: str, **changes: Any) -> LeaseOffer:
    """Return a worker's offer."""
    made = LeaseOffer(
        worker=WorkerId("w1"),
        labels=frozenset(labels or ("linux",)),
        limit=10,
        now=2000.0,
        deadline=2030.0,
    )
    return dataclasses.replace(made, **changes)


async def lease(store: Store, wanted: LeaseOffer) -> list[str]:
    """Lease, and return the jobs' ids."""
    got = await store.write(lambda t: t.attempts.lease(wanted))
    return [one.ref.job for one in got]


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what another task or thread makes true."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        if condition():
            return
        assert asyncio.get_running_loop().time() < end, "what was waited for did not come"
        await asyncio.sleep(0.005)
