"""Commit statuses from a run's change to the forge, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.errors import PawlError, Unavailable
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import Verdict
from pawl.core.model.status import Conclusion
from pawl.engine.control import Trigger
from pawl.engine.reporting import ReportingRules, tidy
from pawl.ports.outgoing import Outgoing
from tests.integration.controlling import CHAIN, ONE, PATH
from tests.integration.telling import NAME, PUSH, URL, Telling, telling
from tests.integration.world import SHA, away, hangs, refused
from tests.stores import url_of

DAY = 86_400.0


@pytest.fixture(params=["sqlite", "postgresql"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Telling]:
    async with telling(url_of(request.param, tmp_path, request)) as made:
        await made.project()
        yield made


async def test_a_run_is_told_from_its_creation_to_its_end(server: Telling) -> None:
    run = await server.trigger()
    assert (await server.status()).waiting
    await server.statuses.work()
    assert server.outside.shown() == "pending: Waiting"
    assert server.outside.statuses[SHA, "pawl/CI"]["target_url"] == f"{URL}/runs/{run.id}"
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await server.statuses.work()
    assert server.outside.shown() == "pending: Running"
    server.clock.advance(65.0)
    await server.control.workers.renew(hand.id, [lease])
    await hand.finish(lease)
    await server.statuses.work()
    assert server.outside.shown() == "success: Succeeded in 1 min 5 s"
    settled = await server.status()
    assert (settled.waiting, settled.sent, settled.reason) == (False, settled.sequence, "")
    assert await server.statuses.work() == 0
    assert server.statuses.counts == {"sent": 3}


async def test_only_the_newest_state_is_sent(server: Telling) -> None:
    await server.trigger()
    hand = await server.worker()
    await hand.run_all(Conclusion.FAILURE)
    assert await server.statuses.work() == 1
    ((context, description),) = server.outside.posts
    assert (context, server.outside.statuses[SHA, context]["state"]) == ("pawl/CI", "failure")
    assert description.startswith("Failed after 0 s")


async def test_a_state_that_changes_while_the_last_is_sent_is_sent_after_it(server: Telling) -> None:
    await server.trigger()
    hand = await server.worker()

    async def finish(_: Outgoing) -> None:
        server.outside.before = None
        await hand.run_all()

    server.outside.before = finish
    assert await server.statuses.work() == 2
    assert [description for _, description in server.outside.posts] == ["Waiting", "Succeeded in 0 s"]


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({"name": "acme/other"}, PUSH),
        ({"active": False}, PUSH),
        ({"forge": ForgeKind.GENERIC}, replace(PUSH, provider="generic")),
        ({}, replace(PUSH, provider="")),
        ({}, replace(PUSH, provider="github")),
        ({}, replace(PUSH, sha="0" * 40)),
        ({}, replace(PUSH, sha="aaaa")),
    ],
)
async def test_nothing_is_told_of_what_no_forge_can_show(
    server: Telling, changes: dict[str, Any], event: Event
) -> None:
    await server.store.write(lambda tx: tx.projects.remove(NAME))
    await server.project(**changes)
    await server.trigger(event=event)
    assert await server.statuses.recent() == ()


async def test_a_pull_request_is_told_at_its_head(server: Telling) -> None:
    head = "b" * 40
    event = replace(PUSH, name="pull_request", action="opened", head_sha=head, head_ref="topic", number=7)
    await server.trigger(ONE.replace("push", "pull_request"), event=event)
    (status,) = await server.statuses.recent()
    assert (status.sha, status.ref) == (head, "topic")


async def test_names_come_from_the_projects_template_and_may_be_of_jobs(server: Telling) -> None:
    await server.project(context="{event}: {workflow} / {job}")
    await server.trigger(CHAIN)
    await server.statuses.work()
    contexts = sorted(context for _, context in server.outside.statuses)
    assert contexts == ["push: CI / build", "push: CI / sum", "push: CI / test"]
    hand = await server.worker()
    (work,) = await hand.take(1)
    await hand.begin(work.lease)
    await server.statuses.work()
    assert server.outside.shown("push: CI / build") == "pending: Running"
    await hand.finish(work.lease, Conclusion.FAILURE)
    await hand.run_all()
    await server.statuses.work()
    shown = {name: server.outside.shown(name).partition(":")[0] for name in contexts}
    assert shown == {"push: CI / build": "failure", "push: CI / sum": "success", "push: CI / test": "success"}
    assert server.outside.shown("push: CI / test").startswith("success: Skipped")


async def test_a_run_that_cannot_begin_is_a_failure_with_its_reason(server: Telling) -> None:
    wanted = Trigger(path=PATH, text="on: push\njobs: [", event=PUSH)
    await server.control.runs.refuse(wanted, f"{PATH}:2:7: it is broken")
    await server.statuses.work()
    assert server.outside.shown(f"pawl/{PATH}") == f"failure: Failed after 0 s: {PATH}:2:7: it is broken"


async def test_a_run_that_waits_says_for_what(server: Telling) -> None:
    text = ONE + "concurrency: deploy\n"
    await server.trigger(text, event=replace(PUSH, sha="c" * 40))
    await server.trigger(text)
    await server.statuses.work()
    assert server.outside.shown().startswith("pending: Waiting: ")
    assert "deploy" in server.outside.shown()


async def test_the_run_that_began_last_has_the_name(server: Telling) -> None:
    first = await server.trigger()
    second = await server.trigger(ONE)
    await server.control.runs.cancel(first.id, by="ann")
    assert (await server.status()).run == second.id
    await server.statuses.work()
    assert server.outside.shown() == "pending: Waiting"
    await server.control.runs.cancel(second.id, by="ann")
    await server.control.runs.rerun(first.id, jobs="all", by="ann")
    assert (await server.status()).run == first.id
    await server.statuses.work()
    assert server.outside.shown() == "pending: Waiting"


KEPT_OUT = Verdict(
    path=PATH,
    reason="no changed file matches `paths`",
    event="push",
    verdicts=[{"filter": "on", "passed": True}, {"filter": "paths", "passed": False}],
)


async def kept_out(server: Telling, verdict: Verdict = KEPT_OUT, event: Event = PUSH) -> None:
    project = await server.store.read(lambda tx: tx.projects.get(NAME))
    assert project is not None
    await server.statuses.kept_out(project, event, [("CI", verdict)])


async def test_a_workflow_that_its_paths_kept_out_is_told_as_skipped(server: Telling) -> None:
    await kept_out(server)
    await kept_out(server)
    assert await server.statuses.work() == 1
    assert server.outside.shown() == "success: Skipped: no changed file matches `paths`"
    run = await server.trigger()
    await kept_out(server)
    await server.statuses.work()
    assert (await server.status()).run == run.id
    assert server.outside.shown() == "pending: Waiting"


@pytest.mark.parametrize(
    "verdicts",
    [[], None, [{"filter": "on", "passed": False}], [{"filter": "branches", "passed": False}]],
)
async def test_what_listens_to_other_things_is_not_told(server: Telling, verdicts: Any) -> None:
    await kept_out(server, replace(KEPT_OUT, verdicts=verdicts))
    await kept_out(server, event=replace(PUSH, provider=""))
    assert await server.statuses.recent() == ()


async def test_a_forge_that_is_away_is_asked_again_and_later_each_time(server: Telling) -> None:
    await server.trigger()
    server.outside.before = away
    delays = []
    for _ in range(4):
        assert await server.statuses.work() == 1
        status = await server.status()
        assert "refused" in status.reason
        delays.append(status.next_at - server.clock.now())
        server.clock.advance(delays[-1] + 0.001)
    assert delays == pytest.approx([5.0, 10.0, 20.0, 40.0])
    hand = await server.worker()
    await server.statuses.work()
    held = (await server.status()).next_at
    await hand.run_all()
    assert (await server.status()).next_at == held
    assert await server.statuses.work() == 0
    server.outside.before = None
    server.clock.advance(100.0)
    assert await server.statuses.work() == 1
    assert server.outside.shown().startswith("success")
    assert (await server.status()).tries == 0


async def test_a_forge_says_when_it_wants_to_be_asked_again(server: Telling) -> None:
    async def limited(_: Outgoing) -> None:
        raise Unavailable("too many requests", retry_after=700.0)

    await server.trigger()
    server.outside.before = limited
    await server.statuses.work()
    assert (await server.status()).next_at - server.clock.now() == pytest.approx(700.0)


async def test_after_a_day_it_is_given_up_with_the_reason(server: Telling) -> None:
    await server.trigger()
    server.outside.before = away
    while (await server.status()).waiting:
        await server.statuses.work()
        server.clock.advance(1800.0)
    status = await server.status()
    assert (status.sent, "refused" in status.reason) == (0, True)
    assert DAY < server.clock.now() - status.changed_at < DAY + 7200
    assert server.statuses.counts["refused"] == 1


async def test_what_the_forge_refuses_is_given_up_at_once_and_the_next_state_is_tried(
    server: Telling,
) -> None:
    await server.project(secrets={})
    await server.trigger()
    await server.statuses.work()
    status = await server.status()
    assert (status.waiting, "no token is configured" in status.reason) == (False, True)
    assert await server.statuses.work() == 0
    await server.project()
    hand = await server.worker()
    await hand.run_all()
    await server.statuses.work()
    assert server.outside.shown().startswith("success")


@pytest.mark.parametrize("fault", [RuntimeError("a mistake"), KeyError("x")])
async def test_a_mistake_of_ours_is_tried_again(server: Telling, fault: Exception) -> None:
    async def fails(_: Outgoing) -> None:
        raise fault

    await server.trigger()
    server.outside.before = fails
    await server.statuses.work()
    status = await server.status()
    assert (status.waiting, status.reason) == (True, f"a fault of Pawl's own ({type(fault).__name__})")


async def test_a_forge_that_never_answers_is_not_waited_for(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    rules = ReportingRules(patience=0.01)
    async with telling(url_of("sqlite", tmp_path, request), rules) as server:
        await server.project()
        await server.trigger()
        server.outside.before = hangs
        await server.statuses.work()
        assert "took more than" in (await server.status()).reason


async def test_a_project_that_was_removed_or_whose_key_is_lost_ends_nothing(server: Telling) -> None:
    await server.trigger()
    await server.project(secrets={"token": "sealed<other>x"})
    await server.statuses.work()
    assert "another scope" in (await server.status()).reason
    await server.store.write(lambda tx: tx.projects.remove(NAME))
    server.clock.advance(10.0)
    await server.statuses.work()
    assert "no project" in (await server.status()).reason


async def test_a_crash_between_the_post_and_its_mark_sends_the_newest_again(server: Telling) -> None:
    await server.trigger()
    arrived = asyncio.Event()

    async def dies(_: Outgoing) -> None:
        arrived.set()
        await asyncio.Event().wait()

    server.outside.after = dies
    begun = await server.statuses.crew.round()
    await arrived.wait()
    await server.statuses.crew.aclose()
    assert begun == 1
    server.outside.after = None
    hand = await server.worker()
    await hand.run_all()
    heir = server.another()
    assert await heir.statuses.work() == 0
    server.clock.advance(41.0)
    assert await heir.statuses.work() == 1
    assert server.outside.shown().startswith("success")


async def test_a_post_that_comes_after_another_servers_is_followed_by_the_newest(server: Telling) -> None:
    """A server that was paused sends an old state late: the forge must not be left with it."""
    await server.trigger()
    go_on, waits = asyncio.Event(), asyncio.Event()

    async def paused(_: Outgoing) -> None:
        server.outside.before = None
        waits.set()
        await go_on.wait()

    server.outside.before = paused
    sending = asyncio.create_task(server.statuses.work())
    await waits.wait()
    hand = await server.worker()
    await hand.run_all()
    server.clock.advance(41.0)
    heir = server.another()
    assert await heir.statuses.work() == 1
    assert server.outside.shown().startswith("success")
    go_on.set()
    await sending
    assert server.outside.posts[-2] == ("pawl/CI", "Waiting")
    assert server.outside.shown().startswith("success")
    assert not (await server.status()).waiting


async def test_a_slow_project_holds_up_no_other(server: Telling) -> None:
    for digit in "abcdef":
        await server.trigger(event=replace(PUSH, sha=digit * 40))
    server.outside.before = hangs
    crew = server.statuses.crew
    assert [await crew.round() for _ in range(5)] == [1, 1, 1, 1, 0]
    assert len(crew.tasks) == server.desk.rules.of_one == 4
    await server.project(name="acme/other")
    await server.trigger(event=replace(PUSH, repository="acme/other"))
    assert [await crew.round() for _ in range(2)] == [1, 0]
    await crew.aclose()


async def test_old_statuses_are_forgotten(server: Telling) -> None:
    await server.trigger()
    server.outside.before = refused
    await server.statuses.work()
    server.clock.advance(29 * DAY)
    assert await tidy(server.desk) == 0
    server.clock.advance(2 * DAY)
    assert await tidy(server.desk) == 1
    assert await server.statuses.recent() == ()


async def test_a_run_that_is_undone_tells_nothing(server: Telling) -> None:
    """The status is in the transaction of the run: both are there or neither (I32)."""

    class Broken:
        def on_run(self, tx: Any, seen: Any, now: float) -> None:
            raise PawlError("the commit fails")

        def on_lost_worker(self, tx: Any, attempt: Any, now: float) -> None:
            raise AssertionError

    rules = replace(server.control.rules, listeners=(*server.control.rules.listeners, Broken()))
    desk = replace(server.control._desk, rules=rules)
    runs = type(server.control.runs)(desk)
    with pytest.raises(PawlError, match="the commit fails"):
        await runs.trigger(Trigger(path=PATH, text=ONE, event=PUSH))
    assert await server.statuses.recent() == ()
