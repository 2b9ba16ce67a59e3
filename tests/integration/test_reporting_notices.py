"""Notices from a run's change to webhooks and mail, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.approvals import Environment
from pawl.core.model.errors import Conflict, NotFound, TransientError, Unavailable, UsageError
from pawl.core.model.events import Event
from pawl.core.model.forge import CommitState
from pawl.core.model.records import RunRecord
from pawl.core.model.reporting import DestinationKind, NoticeState, Told, Topic
from pawl.core.model.status import Conclusion
from pawl.engine.control import Trigger
from pawl.engine.control.approvals import Decision
from pawl.engine.reporting import NewDestination, tidy
from pawl.ports.outgoing import Answered, Outgoing
from tests.integration.controlling import PATH
from tests.integration.telling import NAME, PUSH, URL, Telling, telling
from tests.integration.world import away, refused
from tests.stores import url_of

DAY = 86_400.0
HOOK = "https://hooks.example/x"


@pytest.fixture(params=["sqlite", "postgresql"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Telling]:
    async with telling(url_of(request.param, tmp_path, request)) as made:
        await made.project()
        yield made


async def hear(server: Telling, **changes: Any) -> int:
    wanted: dict[str, Any] = {"project": NAME, "kind": DestinationKind.WEBHOOK, "target": HOOK, **changes}
    made, _ = await server.destinations.create(NewDestination(**wanted), by="ann")
    return made.id


async def run(server: Telling, conclusion: Conclusion = Conclusion.SUCCESS, event: Event = PUSH) -> RunRecord:
    made = await server.trigger(event=event)
    hand = await server.worker()
    await hand.run_all(conclusion)
    return made


def told(server: Telling) -> list[Any]:
    return [json.loads(each.body) for each in server.outside.hooks]


async def test_a_run_is_told_from_its_creation_to_its_end(server: Telling) -> None:
    await hear(server, topics=tuple(topic for topic in Topic if topic is not Topic.PING))
    made = await run(server)
    await server.notices.work()
    topics = sorted(each["topic"] for each in told(server))
    assert topics == ["job.completed", "run.completed", "run.created", "run.started"]
    by_topic = {each["topic"]: each for each in told(server)}
    assert by_topic["job.completed"]["job"]["id"] == "build"
    ended = by_topic["run.completed"]
    assert (ended["repository"], ended["url"], ended["change"]) == (NAME, f"{URL}/runs/{made.id}", "none")
    assert (ended["run"]["conclusion"], ended["run"]["number"]) == ("success", 1)
    assert len({each["id"] for each in told(server)}) == 4


async def test_a_run_that_waits_for_approval_in_its_middle_is_told_to_start_once(server: Telling) -> None:
    await hear(server, topics=(Topic.RUN_STARTED,))
    live = Environment(project=NAME, name="live", created_at=1.0, reviewers=("ann",))
    await server.store.write(lambda tx: tx.environments.put(live))
    made = await server.trigger(
        "on: push\njobs:\n  build: {runs-on: linux, steps: [{run: make}]}\n"
        "  ship: {needs: build, environment: live, runs-on: linux, steps: [{run: make}]}\n"
    )
    hand = await server.worker()
    assert await hand.run_all() == ["build"]
    status = await server.status()
    assert (status.state, status.description) == (
        CommitState.PENDING,
        "Waiting: it waits to be let in to environment `live`",
    )
    decision = Decision(run=made.id, environment="live", approve=True, by="ann")
    await server.control.approvals.decide(decision)
    assert await hand.run_all() == ["ship"]
    await server.notices.work()
    assert [each["topic"] for each in told(server)] == ["run.started"]


async def test_everybody_hears_what_they_asked_for_and_nobody_else(server: Telling) -> None:
    await server.project(name="acme/other")
    mine = await hear(server)
    everyones = await hear(server, project="")
    await hear(server, project="acme/other")
    await hear(server, topics=(Topic.RUN_CREATED,))
    await run(server)
    recent = await server.notices.recent()
    assert sorted(each.destination for each in recent if each.topic is Topic.RUN_COMPLETED) == [
        mine,
        everyones,
    ]
    await run(server, event=replace(PUSH, repository="local/none", provider=""))
    assert len(await server.notices.recent(everyones)) == 2


async def test_only_changes_are_told_and_what_broke_and_fixed_it(server: Telling) -> None:
    changes = await hear(server, told=Told.CHANGES)
    failures = await hear(server, told=Told.FAILURES)
    for conclusion in ("success", "failure", "cancelled", "failure", "success", "success", "timed_out"):
        await run(server, Conclusion(conclusion))
    other = replace(PUSH, ref="refs/heads/other")
    await run(server, Conclusion.SUCCESS, other)

    async def heard(destination: int) -> list[tuple[int, str, int | None]]:
        bodies = [json.loads(each.body) for each in reversed(await server.notices.recent(destination))]
        return [(each["run"]["number"], each["change"], each["broken_since"]) for each in bodies]

    assert await heard(changes) == [(2, "broken", 2), (5, "fixed", 2), (7, "broken", 7)]
    assert await heard(failures) == [(2, "broken", 2), (4, "still_broken", 2), (7, "broken", 7)]


async def test_a_rerun_that_succeeds_fixes_what_it_broke(server: Telling) -> None:
    changes = await hear(server, told=Told.CHANGES)
    first = await run(server, Conclusion.FAILURE)
    await server.control.runs.rerun(first.id, jobs="all", by="ann")
    hand = await server.worker()
    await hand.run_all()
    words = [json.loads(each.body)["change"] for each in reversed(await server.notices.recent(changes))]
    assert words == ["broken", "fixed"]


async def test_a_lost_worker_is_told(server: Telling) -> None:
    await hear(server, topics=(Topic.WORKER_LOST,))
    made = await server.trigger()
    hand = await server.worker()
    await hand.begin(await hand.take_one())
    server.clock.advance(31.0)
    await server.control.sweep()
    await server.notices.work()
    (body,) = told(server)
    assert (body["topic"], body["worker"], body["job"]["id"]) == ("worker.lost", str(hand.id), "build")
    assert body["run"]["id"] == made.id


async def test_a_run_that_cannot_begin_is_told_too(server: Telling) -> None:
    await hear(server)
    await server.control.runs.refuse(Trigger(path=PATH, text="jobs: [", event=PUSH), "it is broken")
    await server.notices.work()
    (body,) = told(server)
    assert (body["run"]["conclusion"], body["run"]["reason"], body["change"]) == (
        "failure",
        "it is broken",
        "broken",
    )


async def test_a_receiver_that_fails_is_asked_again_till_a_day_is_over(server: Telling) -> None:
    number = await hear(server)
    await run(server)
    server.outside.hook = lambda _: Answered(status=500, body=b"no\r\n")
    delays = []
    while (notice := (await server.notices.recent())[0]).state is NoticeState.WAITING:
        assert await server.notices.work() == 1
        notice = (await server.notices.recent())[0]
        delays.append(notice.next_at - server.clock.now())
        server.clock.advance(max(0.0, delays[-1]) + 0.001)
    assert delays[:4] == pytest.approx([5.0, 10.0, 20.0, 40.0])
    assert max(delays) == 1800.0
    assert (notice.state, notice.reason) == (NoticeState.FAILED, "the answer was 500")
    assert [(reply.status, reply.text) for reply in notice.replies] == [(500, "no")] * 5
    assert len({each.headers["X-CI-Delivery"] for each in server.outside.hooks}) == 1
    (destination,) = await server.destinations.all()
    assert (destination.id, destination.failing_since is not None) == (number, True)
    server.outside.hook = lambda _: Answered(status=200)
    await server.notices.again(notice.id, by="ann")
    await server.notices.work()
    (destination,) = await server.destinations.all()
    assert destination.failing_since is None


async def test_what_never_arrives_is_switched_off_and_says_why(server: Telling) -> None:
    number = await hear(server)
    server.outside.before = away
    for _ in range(5):
        await run(server)
        await server.notices.work()
        server.clock.advance(0.9 * DAY)
        await server.notices.work()
    (destination,) = await server.destinations.all()
    assert not destination.active
    assert destination.reason.startswith("nothing arrived there for 3 days: git.example cannot be called")
    count = len(await server.notices.recent())
    assert {each.state for each in await server.notices.recent()} == {NoticeState.FAILED}
    await run(server)
    assert len(await server.notices.recent()) == count
    with pytest.raises(Conflict, match="switched off"):
        await server.destinations.ping(number, by="ann")
    with pytest.raises(Conflict, match="switched off"):
        await server.notices.again(1, by="ann")
    await server.destinations.enable(number, by="ann")
    server.outside.before = None
    await server.destinations.ping(number, by="ann")
    await server.notices.work()
    assert told(server)[-1]["topic"] == "ping"


async def test_what_may_not_be_called_fails_at_once(server: Telling) -> None:
    await hear(server)
    await run(server)
    server.outside.before = refused
    assert await server.notices.work() == 1
    (notice,) = await server.notices.recent()
    assert (notice.state, notice.reason) == (NoticeState.FAILED, "git.example may not be called")


async def test_a_receiver_says_when_it_wants_to_be_asked_again(server: Telling) -> None:
    await hear(server)
    await run(server)
    server.outside.hook = lambda _: Answered(status=429, headers={"retry-after": "120"})
    await server.notices.work()
    (notice,) = await server.notices.recent()
    assert notice.next_at - server.clock.now() == pytest.approx(120.0)

    async def limited(_: Outgoing) -> None:
        raise Unavailable("later", retry_after=300.0)

    server.outside.before = limited
    server.clock.advance(121.0)
    await server.notices.work()
    (notice,) = await server.notices.recent()
    assert notice.next_at - server.clock.now() == pytest.approx(300.0)


async def test_mail_tells_the_same_in_words(server: Telling) -> None:
    await hear(
        server, kind=DestinationKind.MAIL, target="ann@example.org, bob@example.org", told=Told.CHANGES
    )
    hostile = "refs/heads/x<b>&y"
    failed = await run(
        server, Conclusion.FAILURE, replace(PUSH, ref=hostile, message="a\r\nBcc: eve@example.org")
    )
    await server.notices.work()
    (mail,) = server.outside.mails
    assert mail.to == ("ann@example.org", "bob@example.org")
    assert mail.subject == f"Failed: CI #1 of {NAME} at x<b>&y"
    assert "Change: broken by #1\n" in mail.text
    assert f"Link: {URL}/runs/{failed.id}\n" in mail.text
    assert "x&lt;b&gt;&amp;y" in mail.html
    assert "<b>&y" not in mail.html
    assert "\nBcc" not in mail.text
    server.outside.mail_fault = TransientError("451 later")
    await run(server, Conclusion.SUCCESS, replace(PUSH, ref=hostile))
    await server.notices.work()
    assert (await server.notices.recent())[0].reason == "451 later"
    server.outside.mail_fault = UsageError("550 nobody")
    server.clock.advance(6.0)
    await server.notices.work()
    assert (await server.notices.recent())[0].state is NoticeState.FAILED


async def test_what_is_gone_is_told(server: Telling) -> None:
    number = await hear(server)
    await run(server)
    await server.notices.work()
    server.clock.advance(29 * DAY)
    assert await tidy(server.desk) == 0
    server.clock.advance(2 * DAY)
    assert await tidy(server.desk) >= 1
    for missing in (server.notices.get(1), server.notices.again(1, by="ann")):
        with pytest.raises(NotFound):
            await missing
    await server.destinations.remove(number, by="ann")
    with pytest.raises(NotFound):
        await server.destinations.remove(number, by="ann")
    actions = [entry.action for entry in await server.control.audit()]
    assert actions == ["destination.create", "destination.remove"]
