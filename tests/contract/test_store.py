"""The store's contract: transactions, runs and what belongs to them, on every database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.core.model.errors import Unavailable
from pawl.core.model.ids import JobId, RunId, WorkerId
from pawl.core.model.records import (
    ArtifactEntry,
    ArtifactRecord,
    AttemptRef,
    GroupMember,
    LogRecord,
    TokenRecord,
    WorkerRecord,
)
from pawl.core.model.status import Conclusion, Status
from pawl.ports.store import RunFilter, Store, Transaction
from tests.stores import KINDS, add_attempts, add_run, attempt, new_run, opened, url_of


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: str = request.param
    async with opened(url_of(kind, tmp_path, request), inline=kind == "inline") as made:
        yield made


class Wrong(Exception):  # noqa: N818 - a test's own
    """Raised by a test's work."""


async def test_a_run_comes_back_as_it_was_stored(store: Store) -> None:
    record = await add_run(store, source="d" * 64, priority=3)
    assert record.id == 1
    assert record.number == 1
    assert record.status is Status.QUEUED
    got = await store.read(
        lambda t: (
            t.runs.get(record.id),
            t.runs.lock(record.id),
            t.runs.state(record.id),
            t.runs.plan(record.id),
        )
    )
    assert got == (record, (record, {"jobs": {}}), {"jobs": {}}, {"jobs": [1, 2]})
    assert await store.write(lambda t: t.runs.lock(record.id)) == (record, {"jobs": {}})


async def test_what_is_not_there_is_none(store: Store) -> None:
    missing = RunId(7)
    assert await store.read(
        lambda t: (t.runs.get(missing), t.runs.lock(missing), t.runs.state(missing), t.runs.plan(missing))
    ) == (None, None, None, None)


async def test_numbers_count_the_runs_of_one_workflow(store: Store) -> None:
    numbers = [
        (await add_run(store, path=path, repository=repository)).number
        for path, repository in (("a", "r"), ("a", "r"), ("b", "r"), ("a", "other"), ("a", "r"))
    ]
    assert numbers == [1, 2, 1, 1, 3]


async def test_a_run_is_saved_with_its_state(store: Store) -> None:
    record = await add_run(store)
    changed = dataclasses.replace(
        record,
        attempt=2,
        status=Status.COMPLETED,
        conclusion=Conclusion.TIMED_OUT,
        cancelling=True,
        reason="too long",
        started_at=2.25,
        completed_at=3.5,
        source="e" * 64,
        priority=-5,
        needs_attention="look",
    )
    await store.write(lambda t: t.runs.save(changed, {"new": "état \ud800 \x00"}))
    assert await store.read(lambda t: t.runs.lock(record.id)) == (changed, {"new": "état \ud800 \x00"})


async def test_texts_no_database_keeps_do_not_stop_a_run(store: Store) -> None:
    record = await add_run(store, run_name="half \ud800 a character, and zero \x00")
    got = await store.read(lambda t: t.runs.get(record.id))
    assert got is not None
    assert got.run_name.startswith("half ")


async def test_ids_and_numbers_are_never_used_again(store: Store) -> None:
    first, second = await add_run(store), await add_run(store)
    await store.write(lambda t: t.runs.delete(second.id))
    third = await add_run(store)
    assert third.id > second.id > first.id
    assert third.number == 3


async def test_runs_are_found_by_their_fields_newest_first(store: Store) -> None:
    a = await add_run(store, actor="ann", ref="refs/heads/a")
    b = await add_run(store, actor="bob", event="schedule", path="other.yml")
    c = await add_run(store, actor="ann", repository="acme/door")

    async def find(limit: int = 10, **wanted: object) -> list[RunId]:
        by = RunFilter(**wanted)  # type: ignore[arg-type]  # test data
        return [run.id for run in await store.read(lambda t: t.runs.find(by, limit))]

    assert await find() == [c.id, b.id, a.id]
    assert await find(limit=2) == [c.id, b.id]
    assert await find(actor="ann") == [c.id, a.id]
    assert await find(actor="ann", before=c.id) == [a.id]
    assert await find(event="schedule", path="other.yml") == [b.id]
    assert await find(repository="acme/door", ref="refs/heads/main", status=Status.QUEUED) == [c.id]
    assert await find(conclusion=Conclusion.SUCCESS) == []


async def test_unfinished_and_completed_runs(store: Store) -> None:
    runs = [await add_run(store) for _ in range(4)]

    def complete(transaction: Transaction) -> None:
        for run, at in ((runs[0], 30.0), (runs[2], 20.0)):
            transaction.runs.save(dataclasses.replace(run, status=Status.COMPLETED, completed_at=at), None)

    await store.write(complete)
    assert await store.read(lambda t: t.runs.unfinished()) == (runs[1].id, runs[3].id)
    assert await store.read(lambda t: t.runs.completed_before(30.0, 10)) == (runs[2].id,)
    assert await store.read(lambda t: t.runs.completed_before(31.0, 10)) == (runs[2].id, runs[0].id)
    assert await store.read(lambda t: t.runs.completed_before(31.0, 1)) == (runs[2].id,)


async def test_what_raises_leaves_nothing_and_takes_nothing_along(store: Store) -> None:
    def good(transaction: Transaction) -> RunId:
        return transaction.runs.add(new_run()).id

    def bad(transaction: Transaction) -> None:
        transaction.runs.add(new_run())
        transaction.notify("never")
        raise Wrong

    told: list[frozenset[str]] = []
    store.subscribe(told.append)
    done = await asyncio.gather(
        *(store.write(bad if i % 3 == 1 else good) for i in range(9)), return_exceptions=True
    )
    assert [isinstance(one, Wrong) for one in done] == [i % 3 == 1 for i in range(9)]
    ids = [run.id for run in await store.read(lambda t: t.runs.find(RunFilter(), 20))]
    assert sorted(ids) == sorted(one for one in done if isinstance(one, int))
    assert all("never" not in topics for topics in told)


async def test_what_raises_alone_leaves_nothing_either(store: Store) -> None:
    def bad(transaction: Transaction) -> None:
        transaction.runs.add(new_run())
        transaction.notify("never")
        raise Wrong

    told: list[frozenset[str]] = []
    store.subscribe(told.append)
    with pytest.raises(Wrong):
        await store.write(bad)
    assert await store.read(lambda t: t.runs.find(RunFilter(), 20)) == ()
    run = await add_run(store)
    assert [each.id for each in await store.read(lambda t: t.runs.find(RunFilter(), 20))] == [run.id]
    assert all("never" not in topics for topics in told)


async def test_a_read_never_changes_anything(store: Store) -> None:
    await add_run(store)

    def read(transaction: Transaction) -> int:
        return len(transaction.runs.find(RunFilter(), 5))

    assert await asyncio.gather(*(store.read(read) for _ in range(20))) == [1] * 20


async def test_what_a_read_raises_is_raised(store: Store) -> None:
    def bad(_: Transaction) -> None:
        raise Wrong

    with pytest.raises(Wrong):
        await store.read(bad)
    assert await store.read(lambda t: t.runs.get(RunId(1))) is None


async def test_listeners_hear_topics_once_a_commit_until_they_go(store: Store) -> None:
    record = await add_run(store)
    heard: list[frozenset[str]] = []
    woken = asyncio.Event()

    def listen(topics: frozenset[str]) -> None:
        heard.append(topics)
        woken.set()

    end = store.subscribe(listen)

    def work(transaction: Transaction) -> None:
        transaction.notify("queue")
        transaction.notify("queue")
        transaction.events.append(record.id, [{"type": "a"}], 1.0)

    await store.write(work)
    await asyncio.wait_for(woken.wait(), 60)
    assert heard == [frozenset({"queue", f"run:{record.id}"})]
    end()
    await store.write(work)
    await store.write(lambda t: t.keys.get("x"))
    assert len(heard) == 1


async def test_events_are_numbered_without_gaps(store: Store) -> None:
    one, two = await add_run(store), await add_run(store)
    assert await store.read(lambda t: t.events.last(one.id)) == 0
    assert await store.write(lambda t: t.events.append(one.id, [{"n": 1}, {"n": 2}], 5.5)) == 2
    assert await store.write(lambda t: t.events.append(two.id, [{"n": "other"}], 6.0)) == 1
    assert await store.write(lambda t: t.events.append(one.id, [], 7.0)) == 2
    assert await store.write(lambda t: t.events.append(one.id, [{"n": 3}], 8.0)) == 3
    got = await store.read(lambda t: t.events.read(one.id))
    assert [(event.sequence, event.time, event.event) for event in got] == [
        (1, 5.5, {"n": 1}),
        (2, 5.5, {"n": 2}),
        (3, 8.0, {"n": 3}),
    ]
    assert [
        event.sequence for event in await store.read(lambda t: t.events.read(one.id, after=1, limit=1))
    ] == [2]
    assert await store.read(lambda t: t.events.last(one.id)) == 3


async def test_events_told_at_the_same_time_have_no_gap(store: Store) -> None:
    record = await add_run(store)
    await asyncio.gather(
        *(store.write(lambda t, n=n: t.events.append(record.id, [{"n": n}] * 3, 1.0)) for n in range(20))  # type: ignore[misc]  # bound early
    )
    got = await store.read(lambda t: t.events.read(record.id))
    assert [event.sequence for event in got] == list(range(1, 61))


async def test_writes_to_one_run_are_in_one_order(store: Store) -> None:
    record = await add_run(store)

    def count(transaction: Transaction) -> None:
        locked = transaction.runs.lock(record.id)
        assert locked is not None
        run, state = locked
        assert isinstance(state, dict)
        transaction.runs.save(run, {"n": int(str(state.get("n", 0))) + 1})

    await asyncio.gather(*(store.write(count) for _ in range(30)))
    assert await store.read(lambda t: t.runs.state(record.id)) == {"n": 30}


async def test_logs(store: Store) -> None:
    record = await add_run(store)
    ref = AttemptRef(run=record.id, job=JobId("b"), attempt=1)
    other = AttemptRef(run=record.id, job=JobId("a"), attempt=2)
    full = LogRecord(
        attempt=ref,
        index=1,
        name="Test",
        size=5,
        lines=2,
        sha256="f" * 64,
        dropped=3,
        note="cut",
        finished=True,
    )
    logs = [
        LogRecord(attempt=ref, index=1, name="Test"),
        LogRecord(attempt=ref, index=0, name="Set up"),
        full,
    ]
    for log in (*logs, LogRecord(attempt=other, index=0, name="Other")):
        await store.write(lambda t, log=log: t.logs.put(log))  # type: ignore[misc]  # bound early
    assert await store.read(lambda t: t.logs.of_attempt(ref)) == (logs[1], full)
    assert [log.name for log in await store.read(lambda t: t.logs.of_run(record.id))] == [
        "Other",
        "Set up",
        "Test",
    ]
    assert [log.name for log in await store.read(lambda t: t.logs.of_run(record.id, JobId("a")))] == ["Other"]


async def test_artifacts(store: Store) -> None:
    run = await add_run(store, source="5" * 64)
    entry = ArtifactEntry(name="a/b.txt", size=3, sha256="a" * 64, content_type="text/plain")
    site = ArtifactRecord(
        run=run.id,
        name="site",
        job=JobId("b"),
        attempt=1,
        created_at=5.0,
        size=3,
        files=(entry,),
        final=False,
    )
    await store.write(lambda t: t.artifacts.put(site))
    assert await store.read(lambda t: (t.artifacts.get(run.id, "site"), t.artifacts.of_run(run.id))) == (
        site,
        (),
    )
    final = dataclasses.replace(site, final=True)
    other = dataclasses.replace(final, name="logs", created_at=4.0, size=10, files=())
    await store.write(lambda t: t.artifacts.put(final))
    await store.write(lambda t: t.artifacts.put(other))
    assert await store.read(lambda t: t.artifacts.of_run(run.id)) == (other, final)
    assert await store.read(lambda t: (t.artifacts.total_size(), t.artifacts.total_size(run.id))) == (13, 13)
    assert await store.read(lambda t: t.artifacts.total_size(RunId(99))) == 0
    assert await store.read(lambda t: t.artifacts.created_before(5.0, 9)) == (other,)
    assert await store.read(lambda t: t.artifacts.digests()) == {"a" * 64, "5" * 64}
    await store.write(lambda t: (t.artifacts.remove(run.id, "site"), t.artifacts.remove(run.id, "site")))
    assert await store.read(lambda t: t.artifacts.get(run.id, "site")) is None


async def test_workers(store: Store) -> None:
    ann = WorkerRecord(
        id=WorkerId("2"), name="ann", token="t", labels=("x",), slots=2, first_seen=1.0, last_seen=2.0
    )
    bob = WorkerRecord(
        id=WorkerId("1"),
        name="bob",
        token="t",
        labels=(),
        slots=1,
        first_seen=1.0,
        last_seen=2.0,
        draining=True,
        health="disk full",
        facts={"os": "Linux"},
    )
    await store.write(lambda t: (t.workers.put(bob), t.workers.put(ann)))
    assert await store.read(lambda t: t.workers.all()) == (ann, bob)
    again = dataclasses.replace(ann, last_seen=9.0, slots=4)
    await store.write(lambda t: t.workers.put(again))
    await store.write(lambda t: t.workers.remove(bob.id))
    await store.write(lambda t: t.workers.remove(bob.id))
    assert await store.read(lambda t: (t.workers.get(ann.id), t.workers.get(bob.id))) == (again, None)


async def test_tokens(store: Store) -> None:
    old = TokenRecord(digest="b", name="old", scope="admin", created_at=1.0)
    new = TokenRecord(digest="a", name="new", scope="read", created_at=2.0, last_used=3.0, expires_at=4.0)
    await store.write(lambda t: (t.tokens.put(new), t.tokens.put(old)))
    revoked = dataclasses.replace(old, revoked=True)
    await store.write(lambda t: t.tokens.put(revoked))
    assert await store.read(lambda t: t.tokens.all()) == (revoked, new)
    assert await store.read(lambda t: (t.tokens.get("b"), t.tokens.get("c"))) == (revoked, None)


async def test_keys(store: Store) -> None:
    await store.write(lambda t: t.keys.put("a:1", {"x": [1, "ü", None]}, time=1.0))
    await store.write(lambda t: t.keys.put("a:2", 5, time=1.0, lasting=True))
    await store.write(lambda t: t.keys.put("a:3", False, time=9.0))
    await store.write(lambda t: t.keys.put("a:1", "again", time=2.0))
    assert await store.read(lambda t: (t.keys.get("a:1"), t.keys.get("a:9"))) == ("again", None)
    assert await store.write(lambda t: t.keys.purge(9.0)) == 1
    assert await store.read(lambda t: (t.keys.get("a:1"), t.keys.get("a:2"), t.keys.get("a:3"))) == (
        None,
        5,
        False,
    )


async def test_a_key_that_was_read_is_nobody_elses_till_the_end(store: Store) -> None:
    def count(transaction: Transaction) -> None:
        value = transaction.keys.get("count:x")
        transaction.keys.put("count:x", int(str(value or 0)) + 1, time=1.0)

    await asyncio.gather(*(store.write(count) for _ in range(30)))
    assert await store.read(lambda t: t.keys.get("count:x")) == 30


async def test_groups_are_in_the_order_their_members_came(store: Store) -> None:
    one, two = await add_run(store), await add_run(store)
    members = (
        GroupMember(group="g", run=two.id, job=JobId("b"), active=False, since=3.0),
        GroupMember(group="g", run=one.id, job=None, active=True, since=1.0),
        GroupMember(group="g", run=one.id, job=JobId("a"), active=False, since=3.0),
        GroupMember(group="h", run=one.id, job=None, active=True, since=2.0),
    )
    for member in members:
        await store.write(lambda t, member=member: t.groups.put(member))  # type: ignore[misc]  # bound early
    assert await store.write(lambda t: t.groups.members("g")) == (members[1], members[0], members[2])
    assert await store.read(lambda t: t.groups.of_run(one.id)) == (members[1], members[3], members[2])
    active = dataclasses.replace(members[0], active=True)
    await store.write(lambda t: t.groups.put(active))
    await store.write(lambda t: t.groups.remove("g", one.id, None))
    await store.write(lambda t: t.groups.remove("g", one.id, None))
    assert await store.read(lambda t: t.groups.members("g")) == (active, members[2])


async def test_a_group_goes_to_one_of_those_that_ask_together(store: Store) -> None:
    run = await add_run(store)

    def ask(transaction: Transaction, job: str) -> None:
        free = not any(member.active for member in transaction.groups.members("deploy"))
        transaction.groups.put(
            GroupMember(group="deploy", run=run.id, job=JobId(job), active=free, since=1.0)
        )

    await asyncio.gather(*(store.write(lambda t, n=n: ask(t, f"j{n}")) for n in range(12)))  # type: ignore[misc]  # bound early
    members = await store.read(lambda t: t.groups.members("deploy"))
    assert len(members) == 12
    assert sum(member.active for member in members) == 1


async def test_all_that_belongs_to_a_run_goes_with_it(store: Store) -> None:
    gone, stays = await add_run(store), await add_run(store)

    def fill(transaction: Transaction) -> None:
        for run in (gone.id, stays.id):
            transaction.attempts.add(attempt(run))
            transaction.events.append(run, [1], 1.0)
            transaction.logs.put(LogRecord(attempt=attempt(run).ref, index=0, name="x"))
            transaction.groups.put(GroupMember(group="g", run=run, job=None, active=True, since=1.0))
            transaction.artifacts.put(
                ArtifactRecord(run=run, name="a", job=JobId("b"), attempt=1, created_at=1.0, size=1, files=())
            )

    await store.write(fill)
    await store.write(lambda t: t.runs.delete(gone.id))

    def left(transaction: Transaction, run: RunId) -> tuple[int, ...]:
        return (
            len(transaction.attempts.of_run(run)),
            len(transaction.events.read(run)),
            len(transaction.logs.of_run(run)),
            len(transaction.groups.of_run(run)),
            len(transaction.artifacts.of_run(run)),
        )

    assert await store.read(lambda t: (left(t, gone.id), left(t, stays.id))) == ((0,) * 5, (1,) * 5)
    assert await store.read(lambda t: (t.runs.plan(gone.id), t.runs.state(gone.id))) == (None, None)


async def test_it_says_that_it_can_be_written_and_refuses_once_closed(store: Store) -> None:
    await store.check()
    await add_attempts(store, attempt((await add_run(store)).id))
    await store.aclose()
    with pytest.raises(Unavailable):
        await store.check()
    with pytest.raises(Unavailable):
        await store.read(lambda t: t.runs.get(RunId(1)))
