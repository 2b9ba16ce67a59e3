"""Schedules and the poll: what comes without a webhook, once, whoever looks and whatever the clock does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.core.model.projects import DeliverySource, DeliveryState
from pawl.engine.intake import Poll, ProjectChange, Schedules
from pawl.testing.clock import FakeClock
from tests.git_server import GitServer, Mode, Repository
from tests.integration.intaking import CI, NAME, ON_PUSH, Intaking, hosted, intaking
from tests.stores import url_of

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
EVERY_TEN = ON_PUSH.replace("on: push", "on: {push: , schedule: [{cron: '*/10 * * * *'}]}")
NIGHTLY = ON_PUSH.replace(
    "on: push", "on: {push: , schedule: [{cron: '0 2 * * *', timezone: Europe/Berlin}]}"
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, Repository]]:
    with hosted(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def intake(
    request: pytest.FixtureRequest, tmp_path: Path, host: tuple[GitServer, Repository]
) -> AsyncIterator[Intaking]:
    host[0].mode = Mode.WELL
    async with intaking(tmp_path, url_of(request.param, tmp_path, request), *host) as made:
        yield made
    host[1].commit({CI: ON_PUSH})


async def test_a_push_to_the_default_branch_brings_its_schedules(intake: Intaking) -> None:
    await intake.project()
    sha = intake.repository.commit({CI: EVERY_TEN})
    await intake.push(sha)
    await intake.work()
    (schedule,) = await intake.store.read(lambda tx: tx.schedules.of_project(NAME))
    assert (schedule.cron, schedule.zone, schedule.fired_at) == ("*/10 * * * *", "UTC", None)
    assert schedule.next_at is not None
    assert 0 < schedule.next_at - intake.clock.now() <= 10 * MINUTE
    assert (await intake.schedules.fire()).deliveries == 0
    intake.clock.advance(schedule.next_at - intake.clock.now())
    assert (await intake.schedules.fire()).deliveries == 1
    assert (await intake.schedules.fire()).deliveries == 0
    await intake.work()
    run = (await intake.runs())[-1]
    assert (run.event, run.path, run.sha, run.ref) == ("schedule", CI, sha, "refs/heads/main")
    await intake.push(intake.repository.commit({CI: ON_PUSH}))
    await intake.work()
    assert await intake.store.read(lambda tx: tx.schedules.of_project(NAME)) == ()


async def test_two_servers_fire_a_minute_once(intake: Intaking) -> None:
    await intake.project()
    await intake.push(intake.repository.commit({CI: EVERY_TEN}))
    await intake.work()
    for _ in range(5):
        intake.clock.advance(10 * MINUTE)
        made = await asyncio.gather(*(Schedules(intake.desk).fire() for _ in range(4)))
        assert sum(each.deliveries for each in made) == 1
    await intake.work()
    assert [run.event for run in await intake.runs()] == ["push", *["schedule"] * 5]


async def test_after_a_silence_the_latest_minute_is_made_up_for_once(intake: Intaking) -> None:
    await intake.project()
    await intake.push(intake.repository.commit({CI: EVERY_TEN}))
    await intake.work()
    intake.clock.advance(5 * HOUR)
    assert (await intake.schedules.fire()).deliveries == 1
    assert (await intake.schedules.fire()).deliveries == 0
    intake.clock.advance(10 * MINUTE)
    assert (await intake.schedules.fire()).deliveries == 1


async def test_what_is_too_old_is_not_made_up_for_and_that_is_told(intake: Intaking) -> None:
    await intake.project()
    await intake.push(intake.repository.commit({CI: NIGHTLY}))
    await intake.work()
    (schedule,) = await intake.store.read(lambda tx: tx.schedules.of_project(NAME))
    assert schedule.zone == "Europe/Berlin"
    assert schedule.next_at is not None
    intake.clock.advance(schedule.next_at - intake.clock.now() + 13 * HOUR)
    await intake.schedules.fire()
    await intake.work()
    told = (await intake.journal.recent())[0]
    assert (told.source, told.state) == (DeliverySource.SCHEDULE, DeliveryState.DONE)
    assert "not made up for" in told.reason
    assert [run.event for run in await intake.runs()] == ["push"]


async def test_a_clock_that_jumps_neither_repeats_a_minute_nor_loses_the_schedule(intake: Intaking) -> None:
    await intake.project()
    await intake.push(intake.repository.commit({CI: EVERY_TEN}))
    await intake.work()
    clock = intake.clock
    intake.clock.advance(10 * MINUTE)
    await intake.schedules.fire()
    intake.clock.advance(HOUR)  # a jump: of what lies between only the latest
    assert (await intake.schedules.fire()).deliveries == 1
    back = FakeClock(clock.now() - HOUR + 5.0)
    schedules = Schedules(replace(intake.desk, clock=back))
    assert (await schedules.fire()).deliveries == 0
    made = []
    for _ in range(12):
        back.advance(10 * MINUTE)
        made.append((await schedules.fire()).deliveries)
    # The minutes of the wrong hour come now, but for the one that fired already; then all goes on.
    assert made == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]


async def test_default_branches_are_read_again_from_time_to_time(intake: Intaking) -> None:
    await intake.project()
    intake.repository.commit({CI: EVERY_TEN})
    made = await asyncio.gather(*(Schedules(intake.desk).fire() for _ in range(2)))
    assert [each.faults for each in made] == [{}, {}]
    assert len(await intake.store.read(lambda tx: tx.schedules.of_project(NAME))) == 1
    intake.repository.commit({CI: ON_PUSH})
    await intake.schedules.fire()
    assert len(await intake.store.read(lambda tx: tx.schedules.of_project(NAME))) == 1
    intake.clock.advance(HOUR + 1)
    intake.host.mode = Mode.ERROR
    assert list((await intake.schedules.fire()).faults) == [NAME]
    intake.host.mode = Mode.WELL
    intake.clock.advance(HOUR + 1)
    await intake.schedules.fire()
    assert await intake.store.read(lambda tx: tx.schedules.of_project(NAME)) == ()


async def test_the_first_poll_takes_what_is_there_for_known(intake: Intaking) -> None:
    await intake.project(poll_seconds=300.0)
    assert (await intake.poll.poll()).projects == 1
    assert (await intake.poll.poll()).projects == 0
    intake.clock.advance(301.0)
    polled = await intake.poll.poll()
    assert (polled.projects, polled.deliveries) == (1, 0)


async def test_the_poll_finds_what_a_lost_webhook_missed_and_tells_it_once(intake: Intaking) -> None:
    await intake.project(poll_seconds=300.0)
    await intake.poll.poll()
    before = intake.repository.git("rev-parse", "HEAD")
    sha = intake.repository.commit({"lost.txt": "1"})
    intake.clock.advance(301.0)
    assert (await intake.poll.poll()).deliveries == 0, "its webhook may be on its way"
    intake.clock.advance(61.0)
    both = await asyncio.gather(*(Poll(intake.desk).poll() for _ in range(2)))
    assert sum(each.deliveries for each in both) == 1
    await intake.work()
    (run,) = await intake.runs()
    assert (run.event, run.sha, run.ref) == ("push", sha, "refs/heads/main")
    delivery = await intake.only_delivery()
    assert delivery.source is DeliverySource.POLL
    assert before.encode() in delivery.body
    # The webhook comes at last: the push has its run.
    await intake.push(sha, before)
    await intake.work()
    assert len(await intake.runs()) == 1
    late = (await intake.journal.recent())[0]
    assert f"delivery {delivery.id}" in late.verdicts[0].reason
    intake.clock.advance(1000.0)
    assert (await intake.poll.poll()).deliveries == 0


async def test_a_commit_that_the_poll_found_has_another_run_when_it_is_pushed_back(intake: Intaking) -> None:
    await intake.project(poll_seconds=300.0)
    await intake.poll.poll()
    found = intake.repository.commit({"found.txt": "1"})
    for seconds in (301.0, 61.0):
        intake.clock.advance(seconds)
        await intake.poll.poll()
    await intake.work()
    newer = intake.repository.commit({"found.txt": "2"})
    for sha, before in ((newer, found), (found, newer)):
        intake.clock.advance(60.0)
        await intake.push(sha, before)
        await intake.work()
    assert [run.sha for run in await intake.runs()] == [found, newer, found]


async def test_the_poll_tells_nothing_that_a_webhook_told(intake: Intaking) -> None:
    await intake.project(poll_seconds=300.0)
    await intake.poll.poll()
    start = intake.repository.git("rev-parse", "HEAD")
    older = intake.repository.commit({"a.txt": "1"})
    newer = intake.repository.commit({"a.txt": "2"})
    # Out of order, and not worked on yet.
    await intake.push(newer, older)
    await intake.push(older, start)
    for _ in range(3):
        intake.clock.advance(301.0)
        polled = await intake.poll.poll()
        assert (polled.projects, polled.deliveries) == (1, 0)


async def test_a_new_branch_and_a_tag_are_found_and_one_that_is_gone_is_forgotten(intake: Intaking) -> None:
    await intake.project(poll_seconds=300.0)
    await intake.poll.poll()
    intake.repository.git("tag", "-a", "v1", "-m", "one")
    intake.repository.push("HEAD:refs/heads/topic", "v1")
    for _ in range(2):
        intake.clock.advance(301.0)
        polled = await intake.poll.poll()
    assert polled.deliveries == 2
    await intake.work()
    assert sorted(run.ref for run in await intake.runs()) == ["refs/heads/topic", "refs/tags/v1"]
    intake.repository.push(":refs/heads/topic", ":refs/tags/v1")
    intake.repository.git("tag", "-d", "v1")
    intake.clock.advance(301.0)
    assert (await intake.poll.poll()).deliveries == 0
    refs = {head.ref for head in await intake.store.read(lambda tx: tx.heads.of_project(NAME))}
    assert refs == {"refs/heads/main"}


async def test_a_host_that_is_down_is_told_and_asked_at_the_next_poll(intake: Intaking) -> None:
    await intake.project(poll_seconds=300.0)
    intake.host.mode = Mode.ERROR
    assert list((await intake.poll.poll()).faults) == [NAME]
    intake.host.mode = Mode.WELL
    assert (await intake.poll.poll()).projects == 0
    intake.clock.advance(301.0)
    polled = await intake.poll.poll()
    assert (polled.projects, polled.faults) == (1, {})


async def test_projects_that_want_no_poll_have_none(intake: Intaking) -> None:
    await intake.project(poll_seconds=0.0)
    assert (await intake.poll.poll()).projects == 0
    await intake.projects.change(NAME, ProjectChange(poll_seconds=60.0, active=False), by="ann")
    assert (await intake.poll.poll()).projects == 0
