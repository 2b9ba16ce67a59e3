"""The store's contract: attempts and their lease, on every database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.errors import Conflict, InternalError
from pawl.core.model.ids import Epoch, JobId, RunId, WorkerId
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState
from pawl.core.model.status import Conclusion, FailureClass
from pawl.ports.store import Store
from tests.stores import KINDS, add_attempts, add_run, attempt, lease, offer, opened, url_of


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: str = request.param
    async with opened(url_of(kind, tmp_path, request), inline=kind == "inline") as made:
        yield made


@pytest.fixture
async def run(store: Store) -> RunId:
    return (await add_run(store)).id


async def test_an_attempt_comes_back_as_it_was_stored(store: Store, run: RunId) -> None:
    full = attempt(
        run,
        "test#3",
        2,
        requires=("big", "linux"),
        queue_key=1.5,
        payload={"combination": {"os": "ü"}},
        blocked="waits for group deploy",
        group="deploy",
        deadline=4.5,
        epoch=Epoch(3),
        leases=1,
        worker=WorkerId("w"),
        leased_at=2.0,
        started_at=3.0,
        finished_at=4.0,
        cancel="superseded",
        cancel_at_once=True,
        conclusion=Conclusion.FAILURE,
        reason="exit code 2",
        failure_class=FailureClass.USER,
        exit_code=2,
        result_key="k",
        log_note="cut",
        state=AttemptState.FINISHED,
    )
    await add_attempts(store, attempt(run), full)
    assert await store.read(lambda t: t.attempts.get(full.ref)) == full
    assert await store.write(lambda t: t.attempts.get(attempt(run).ref, lock=True)) == attempt(run)
    assert await store.read(lambda t: t.attempts.get(AttemptRef(run=run, job=JobId("x"), attempt=1))) is None


async def test_an_attempt_is_saved_whole(store: Store, run: RunId) -> None:
    first = attempt(run)
    await add_attempts(store, first)
    changed = dataclasses.replace(
        first, state=AttemptState.RUNNING, requires=("arm",), payload=None, exit_code=-9
    )
    await store.write(lambda t: t.attempts.save(changed))
    assert await store.read(lambda t: t.attempts.get(first.ref)) == changed


async def test_names_are_taken_once(store: Store, run: RunId) -> None:
    await add_attempts(store, attempt(run))
    with pytest.raises(Conflict):
        await add_attempts(store, attempt(run))
    with pytest.raises(InternalError):
        await store.write(lambda t: t.attempts.save(attempt(run, "other")))


async def test_a_lease_takes_the_first_in_the_queue(store: Store, run: RunId) -> None:
    await add_attempts(
        store,
        attempt(run, "c", queue_key=2.0),
        attempt(run, "b", queue_key=1.0),
        attempt(run, "a", queue_key=2.0),
        attempt(run, "a", 2, queue_key=2.0),
        attempt(run, "B", queue_key=2.0),
    )
    assert await lease(store, offer(limit=1)) == ["b"]
    assert await lease(store, offer(limit=4)) == ["B", "a", "a", "c"]
    assert await lease(store, offer(limit=4)) == []


async def test_a_leased_attempt_says_whose_it_is(store: Store, run: RunId) -> None:
    stored = attempt(run, epoch=Epoch(4), leases=2)
    await add_attempts(store, stored)
    (got,) = await store.write(lambda t: t.attempts.lease(offer(now=2000.5, deadline=2030.25)))
    assert got == dataclasses.replace(
        stored,
        state=AttemptState.LEASED,
        epoch=Epoch(5),
        worker=WorkerId("w1"),
        leased_at=2000.5,
        deadline=2030.25,
    )
    assert await store.read(lambda t: t.attempts.get(stored.ref)) == got


async def test_a_worker_gets_only_what_its_labels_allow(store: Store, run: RunId) -> None:
    await add_attempts(
        store,
        attempt(run, "both", requires=("gpu", "linux"), queue_key=1.0),
        attempt(run, "gpu", requires=("gpu",), queue_key=2.0),
        attempt(run, "linux", requires=("linux",), queue_key=3.0),
        attempt(run, "any", requires=(), queue_key=4.0),
        attempt(run, "odd", requires=('a"b, [c]', "ü"), queue_key=0.0),
    )
    assert await lease(store, offer("windows", limit=2)) == ["any"]
    assert await lease(store, offer("linux", "x")) == ["linux"]
    assert await lease(store, offer("gpu", "linux")) == ["both", "gpu"]
    assert await lease(store, offer("ü", 'a"b, [c]')) == ["odd"]


async def test_the_order_holds_over_sets_of_labels(store: Store, run: RunId) -> None:
    rows = [
        attempt(run, f"j{number:02}", requires=(f"label{number % 7}",), queue_key=float(number * 13 % 40))
        for number in range(40)
    ]
    await add_attempts(store, *rows)
    wanted = [
        row.ref.job for row in sorted(rows, key=lambda row: row.queue_key) if row.requires != ("label6",)
    ]
    labels = [f"label{number}" for number in range(6)]
    got: list[str] = []
    for limit in (1, 2, 3, 5, 8, 40):
        got += await lease(store, offer(*labels, limit=limit))
    assert got == wanted


async def test_what_may_not_be_leased(store: Store, run: RunId) -> None:
    await add_attempts(
        store,
        attempt(run, "blocked", blocked="group"),
        attempt(run, "later", available_at=2000.5, queue_key=0.0),
        attempt(run, "cancelled", cancel="because"),
        attempt(run, "leased", state=AttemptState.LEASED),
        attempt(run, "running", state=AttemptState.RUNNING),
        attempt(run, "finished", state=AttemptState.FINISHED),
    )
    assert await lease(store, offer()) == []
    assert await lease(store, offer(limit=0, now=3000.0)) == []
    await add_attempts(store, attempt(run, "now", queue_key=5.0))
    assert await lease(store, offer(limit=1)) == ["now"]
    assert await lease(store, offer(now=2000.5)) == ["later"]


async def test_no_two_workers_get_the_same(store: Store, run: RunId) -> None:
    await add_attempts(
        store, *(attempt(run, f"j{number:03}", queue_key=float(number)) for number in range(120))
    )
    got: list[str] = []

    async def work(number: int) -> None:
        # Others may hold what is left for a moment: only what is asked for alone shows that there is none.
        for _ in range(15):
            got.extend(await lease(store, offer(limit=1 + number % 3, worker=WorkerId(f"w{number}"))))

    await asyncio.gather(*(work(number) for number in range(8)))
    got += await lease(store, offer(limit=120))
    assert sorted(got) == [f"j{number:03}" for number in range(120)]


async def test_lists_of_the_queue_and_of_what_is_alive(store: Store, run: RunId) -> None:
    other = (await add_run(store)).id
    held: dict[str, Any] = {"worker": WorkerId("w1"), "epoch": Epoch(1)}
    rows = [
        attempt(run, "q2", queue_key=5.0, deadline=50.0),
        attempt(run, "q1", queue_key=4.0, deadline=60.0, blocked="group"),
        attempt(other, "q3", queue_key=5.0),
        attempt(run, "r1", state=AttemptState.RUNNING, deadline=30.0, **held),
        attempt(run, "l1", state=AttemptState.LEASED, deadline=20.0, **held),
        attempt(run, "l2", state=AttemptState.LEASED, deadline=10.0, worker=WorkerId("w2"), epoch=Epoch(1)),
        attempt(run, "f1", state=AttemptState.FINISHED, deadline=5.0, **held),
    ]
    await add_attempts(store, *rows)

    def jobs(attempts: tuple[AttemptRecord, ...]) -> list[str]:
        return [one.ref.job for one in attempts]

    assert jobs(await store.read(lambda t: t.attempts.queued(10))) == ["q1", "q2", "q3"]
    assert jobs(await store.read(lambda t: t.attempts.queued(1))) == ["q1"]
    assert jobs(await store.read(lambda t: t.attempts.live())) == ["l2", "l1", "r1"]
    assert jobs(await store.read(lambda t: t.attempts.of_worker(WorkerId("w1")))) == ["l1", "r1"]
    assert jobs(await store.read(lambda t: t.attempts.of_run(other))) == ["q3"]
    assert jobs(await store.read(lambda t: t.attempts.lapsed(50.0, 10))) == ["l2", "l1", "r1"]
    assert jobs(await store.read(lambda t: t.attempts.lapsed(60.5, 10))) == ["l2", "l1", "r1", "q2", "q1"]
    assert jobs(await store.read(lambda t: t.attempts.lapsed(60.5, 2))) == ["l2", "l1"]
    assert await store.read(lambda t: t.attempts.counts()) == {
        "queued": 2,
        "blocked": 1,
        "leased": 2,
        "running": 1,
    }


async def test_an_empty_queue(store: Store) -> None:
    assert await lease(store, offer()) == []
    assert await store.read(lambda t: t.attempts.counts()) == dict.fromkeys(
        ("queued", "blocked", "leased", "running"), 0
    )
