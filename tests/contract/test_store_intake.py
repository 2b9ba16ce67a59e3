"""The store's contract: projects, deliveries, heads and schedules, on every database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.forge import ForgeKind
from pawl.core.model.ids import RunId
from pawl.core.model.projects import (
    DeliveryRecord,
    DeliverySource,
    DeliveryState,
    ForkPolicy,
    HeadRecord,
    Project,
    ScheduleRecord,
    Verdict,
)
from pawl.ports.store import Store
from tests.stores import KINDS, opened, url_of

SITE = Project(
    name="acme/site",
    forge=ForgeKind.GITLAB,
    clone_url="https://git.example/acme/site.git",
    created_at=10.5,
    default_branch="trunk",
    api_url="https://git.example/api/v4",
    web_url="https://git.example/acme/site",
    secrets={"hook": "sealed-1", "token": "sealed-2"},
    user="bot",
    app_id="77",
    context="ci/{workflow}",
    forks=ForkPolicy.FIRST,
    poll_seconds=60.0,
    active=False,
)


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: str = request.param
    async with opened(url_of(kind, tmp_path, request), inline=kind == "inline") as made:
        yield made


def delivery(key: str = "d-1", **changes: Any) -> DeliveryRecord:
    made = DeliveryRecord(
        project="acme/site",
        key=key,
        source=DeliverySource.WEBHOOK,
        name="push",
        received_at=100.0,
        correlation="c1",
        headers={"x-github-event": "push"},
        body=b'{"\x00\xff": 1}',
    )
    return dataclasses.replace(made, **changes)


async def add(store: Store, *made: DeliveryRecord) -> list[int]:
    """Store deliveries, each in a transaction of its own; return their ids, 0 for one whose key is taken."""
    ids = []
    for one in made:
        stored = await store.write(lambda tx, one=one: tx.deliveries.add(one))  # type: ignore[misc]  # a default binds the loop's value
        ids.append(stored.id if stored else 0)
    return ids


async def claim(store: Store, now: float = 1000.0, limit: int = 10) -> list[str]:
    return [one.key for one in await store.write(lambda tx: tx.deliveries.claim(now, now + 30.0, limit))]


async def finish(store: Store, number: int, at: float = 1000.0) -> None:
    def work(tx: Any) -> None:
        found = tx.deliveries.get(number, lock=True)
        tx.deliveries.save(dataclasses.replace(found, state=DeliveryState.DONE, done_at=at))

    await store.write(work)


async def test_a_project_comes_back_as_it_was_stored(store: Store) -> None:
    plain = Project(
        name="acme/door", forge=ForgeKind.GENERIC, clone_url="https://x.example/d", created_at=1.0
    )
    for project in (SITE, plain):
        await store.write(lambda tx, each=project: tx.projects.put(each))  # type: ignore[misc]  # as below
    assert await store.read(lambda tx: tx.projects.get("acme/site")) == SITE
    assert await store.read(lambda tx: tx.projects.get("acme/none")) is None
    assert await store.read(lambda tx: tx.projects.all()) == (plain, SITE)
    changed = dataclasses.replace(SITE, secrets={}, active=True)
    await store.write(lambda tx: tx.projects.put(changed))
    assert await store.read(lambda tx: tx.projects.get("acme/site")) == changed


async def test_a_project_goes_with_its_schedules_and_heads_and_leaves_its_deliveries(store: Store) -> None:
    head = HeadRecord(project="acme/site", ref="refs/heads/main", sha="a" * 40, told_at=1.0)
    schedule = ScheduleRecord(
        project="acme/site", path="ci.yml", cron="0 1 * * *", zone="UTC", set_at=1.0, next_at=2.0
    )

    def fill(tx: Any) -> None:
        tx.projects.put(SITE)
        tx.heads.tell(head)
        tx.schedules.replace("acme/site", [schedule])
        tx.deliveries.add(delivery())

    await store.write(fill)
    await store.write(lambda tx: tx.projects.remove("acme/site"))
    await store.write(lambda tx: tx.projects.remove("acme/never"))
    assert await store.read(
        lambda tx: (tx.projects.all(), tx.heads.of_project("acme/site"), tx.schedules.of_project("acme/site"))
    ) == ((), (), ())
    assert [one.key for one in await store.read(lambda tx: tx.deliveries.recent(None))] == ["d-1"]


async def test_a_delivery_comes_back_as_it_was_stored_bytes_and_all(store: Store) -> None:
    (number,) = await add(store, delivery())
    stored = await store.read(lambda tx: tx.deliveries.get(number))
    assert stored == delivery(id=number)
    assert await store.read(lambda tx: tx.deliveries.find("acme/site", "d-1")) == stored
    assert await store.read(lambda tx: tx.deliveries.find("acme/door", "d-1")) is None
    assert await store.read(lambda tx: tx.deliveries.get(number + 1)) is None
    verdicts = (
        Verdict(path="a.yml", reason="it listens", event="push", run=RunId(3)),
        Verdict(path="b.yml", reason="only tags", verdicts=[{"filter": "tags"}]),
    )
    changed = dataclasses.replace(
        stored,
        state=DeliveryState.FAILED,
        tries=3,
        next_at=7.0,
        done_at=8.0,
        reason="no",
        verdicts=verdicts,
        replay_of=number,
        source=DeliverySource.POLL,
    )
    await store.write(lambda tx: tx.deliveries.save(changed))
    assert await store.read(lambda tx: tx.deliveries.get(number)) == changed


async def test_a_key_is_taken_once_for_a_project_and_its_id_is_not_lost(store: Store) -> None:
    assert await add(store, delivery(), delivery(), delivery(project="acme/door")) == [
        1,
        0,
        pytest.approx(2, abs=1),
    ]
    both = await asyncio.gather(*(add(store, delivery("twice")) for _ in range(2)))
    assert sorted(bool(ids[0]) for ids in both) == [False, True]


async def test_each_project_is_worked_on_in_order_one_at_a_time(store: Store) -> None:
    first, second, other = await add(store, delivery("1"), delivery("2"), delivery("x", project="acme/door"))
    assert await claim(store) == ["1", "x"]
    assert await claim(store) == []
    await finish(store, first)
    assert await claim(store) == ["2"]
    await finish(store, second)
    await finish(store, other)
    assert await claim(store, 5000.0) == []


async def test_a_claim_that_ends_is_anybodys(store: Store) -> None:
    await add(store, delivery("1"), delivery("2"))
    assert await claim(store, 1000.0) == ["1"]
    assert await claim(store, 1029.0) == []
    assert await claim(store, 1030.0) == ["1"]


async def test_what_waits_for_its_next_try_holds_up_its_project_alone(store: Store) -> None:
    await add(store, delivery("1", next_at=2000.0), delivery("2"), delivery("x", project="acme/door"))
    assert await claim(store, 1999.0) == ["x"]
    assert await claim(store, 2000.0) == ["1"]


async def test_two_that_claim_at_once_get_different_deliveries(store: Store) -> None:
    await add(store, *(delivery("1", project=f"acme/p{number}") for number in range(12)))
    got = await asyncio.gather(
        *(store.write(lambda tx: tx.deliveries.claim(1000.0, 1030.0, 4)) for _ in range(6))
    )
    projects = [one.project for some in got for one in some]
    assert len(projects) == len(set(projects))
    rest = await store.write(lambda tx: tx.deliveries.claim(1000.0, 1030.0, 100))
    assert len(projects) + len(rest) == 12


async def test_deliveries_are_listed_newest_first_without_their_bodies(store: Store) -> None:
    one, two, three = await add(store, delivery("1"), delivery("2", project="acme/door"), delivery("3"))

    async def listed(project: str | None = None, **options: Any) -> list[int]:
        found = await store.read(lambda tx: tx.deliveries.recent(project, **options))
        assert {each.body for each in found} <= {b""}
        return [each.id for each in found]

    assert await listed() == [three, two, one]
    assert await listed("acme/site") == [three, one]
    assert await listed(before=three, limit=1) == [two]
    assert await listed("acme/site", before=three) == [one]
    assert await store.read(lambda tx: tx.deliveries.counts()) == {"stored": 3, "done": 0, "failed": 0}


async def test_bodies_are_forgotten_and_deliveries_removed_once_they_are_done_for_long(store: Store) -> None:
    old, young, waiting = await add(store, delivery("1"), delivery("2"), delivery("3"))
    await finish(store, old, 100.0)
    await finish(store, young, 200.0)
    assert await store.write(lambda tx: tx.deliveries.forget_bodies(200.0, 10)) == 1
    assert await store.write(lambda tx: tx.deliveries.forget_bodies(200.0, 10)) == 0
    found = await store.read(lambda tx: [tx.deliveries.get(each) for each in (old, young, waiting)])
    assert [(each.body_kept, bool(each.body)) for each in found if each] == [
        (False, False),
        (True, True),
        (True, True),
    ]
    assert await store.write(lambda tx: tx.deliveries.purge(201.0, 1)) == 1
    assert await store.write(lambda tx: tx.deliveries.purge(201.0, 10)) == 1
    assert await store.read(lambda tx: tx.deliveries.counts()) == {"stored": 1, "done": 0, "failed": 0}


async def test_a_head_is_new_once(store: Store) -> None:
    def head(sha: str, at: float, ref: str = "refs/heads/main", number: int = 0) -> HeadRecord:
        return HeadRecord(project="acme/site", ref=ref, sha=sha, told_at=at, delivery=number)

    tell = [
        head("a", 1.0, number=4),
        head("b", 2.0),
        head("a", 3.0, number=9),
        head("c", 1.0, "refs/tags/v1"),
    ]
    assert [
        await store.write(lambda tx, each=each: tx.heads.tell(each))  # type: ignore[misc]  # as above
        for each in tell
    ] == [True, True, False, True]
    kept = (head("a", 3.0, number=4), head("b", 2.0))
    assert await store.read(lambda tx: tx.heads.of_ref("acme/site", "refs/heads/main", 9)) == kept
    assert await store.read(lambda tx: tx.heads.of_ref("acme/site", "refs/heads/main", 1)) == kept[:1]
    assert await store.read(lambda tx: tx.heads.of_project("acme/site")) == (*kept, tell[3])
    assert await store.read(lambda tx: tx.heads.get("acme/site", "refs/heads/main", "b")) == kept[1]
    assert await store.read(lambda tx: tx.heads.get("acme/door", "refs/heads/main", "b")) is None
    await store.write(lambda tx: tx.heads.forget("acme/site", "refs/heads/main", before=3.0))
    assert await store.read(lambda tx: tx.heads.of_project("acme/site")) == (kept[0], tell[3])


async def test_schedules_are_due_in_order_and_when_the_clock_was_set_back(store: Store) -> None:
    def schedule(path: str, **changes: Any) -> ScheduleRecord:
        made = ScheduleRecord(
            project="acme/site", path=path, cron="0 1 * * *", zone="UTC", set_at=10.0, next_at=500.0
        )
        return dataclasses.replace(made, **changes)

    late, never = schedule("late", next_at=100.0), schedule("never", next_at=None)
    ahead = schedule("ahead", set_at=900.0, next_at=5000.0)
    await store.write(lambda tx: tx.schedules.replace("acme/site", [schedule("a"), late, never, ahead]))
    assert await store.read(lambda tx: tx.schedules.of_project("acme/site")) == (
        schedule("a"),
        ahead,
        late,
        never,
    )

    async def due(now: float) -> list[str]:
        return [one.path for one in await store.write(lambda tx: tx.schedules.due(now, 10))]

    assert await due(900.0) == ["late", "a"]
    assert await due(839.0) == ["late", "a", "ahead"]
    await store.write(lambda tx: tx.schedules.save(dataclasses.replace(late, next_at=9000.0, fired_at=100.0)))
    assert await due(900.0) == ["a"]
    await store.write(lambda tx: tx.schedules.replace("acme/site", [never]))
    assert await store.read(lambda tx: tx.schedules.of_project("acme/site")) == (never,)
