"""From a webhook to runs: accepting, working, failing, replaying, on both databases and a real git host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.errors import Conflict, Denied, NotFound, UsageError
from pawl.core.model.forge import ForgeKind, Received
from pawl.core.model.projects import DeliveryState, ForkPolicy
from pawl.core.model.status import Conclusion, Status
from pawl.core.planning.storage import plan_from_json
from pawl.engine.intake import ProjectChange, tidy
from pawl.ports.store import Store
from tests.git_server import GitServer, Mode, Repository
from tests.integration.intaking import CI, NAME, ON_PUSH, Intaking, github, hosted, intaking
from tests.stores import url_of

DAY = 86_400.0


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


def head(intake: Intaking) -> str:
    return intake.repository.git("rev-parse", "HEAD")


async def test_a_push_becomes_a_run_of_its_commit(intake: Intaking) -> None:
    await intake.project()
    sha = head(intake)
    accepted = await intake.push(sha)
    assert (accepted.duplicate, accepted.ignored) == (False, "")
    assert await intake.runs() == []
    await intake.work()
    (run,) = await intake.runs()
    assert (run.path, run.event, run.sha, run.ref, run.actor) == (CI, "push", sha, "refs/heads/main", "ann")
    event = plan_from_json(await intake.store.read(lambda tx: tx.runs.plan(run.id))).event
    assert (event.server_url, event.repository) == (intake.host.address, NAME)
    assert run.source is None  # its worker fetches them, and only when a job wants them
    delivery = await intake.only_delivery()
    assert delivery.state is DeliveryState.DONE
    (verdict,) = delivery.verdicts
    assert (verdict.path, verdict.run, verdict.event) == (CI, run.id, "push")
    assert run.correlation == delivery.correlation
    assert set(delivery.headers) == {"content-type", "x-github-event", "x-github-delivery"}


async def test_the_same_delivery_again_is_told_and_does_nothing(intake: Intaking) -> None:
    await intake.project()
    first = await intake.push(head(intake), key="same")
    assert await intake.push(head(intake), key="same") == replace(first, duplicate=True)
    await intake.work()
    assert (await intake.push(head(intake), key="same")).duplicate
    await intake.work()
    assert len(await intake.runs()) == 1


async def test_a_storm_of_pushes_sent_twice_is_stored_whole_and_once(intake: Intaking) -> None:
    await intake.project()
    requests = [intake.pushed(f"{number:040x}") for number in range(1, 201)]
    accepted = await asyncio.gather(
        *(intake.journal.accept(ForgeKind.GITHUB, each, project=NAME) for each in requests for _ in range(2))
    )
    assert sum(each.duplicate for each in accepted) == len(requests)
    assert len({each.delivery for each in accepted}) == len(requests)
    assert (await intake.journal.counts())["stored"] == len(requests)


async def test_a_project_is_known_as_soon_as_it_is_there(intake: Intaking) -> None:
    with pytest.raises(Denied):
        await intake.push("a" * 40)
    await intake.project()
    async with asyncio.timeout(30):
        while not await _is_accepted(intake):  # noqa: ASYNC110 - the news comes by another thread
            await asyncio.sleep(0.01)


async def _is_accepted(intake: Intaking) -> bool:
    """Return whether a webhook is accepted; what one commit told comes a moment later with PostgreSQL."""
    try:
        await intake.push("a" * 40)
    except Denied:
        return False
    return True


class _Traced:
    """A store that counts what is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.writes = 0

    async def write(self, work: Any) -> Any:
        self.writes += 1
        return await self._store.write(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def test_nothing_is_written_without_a_good_signature_and_nothing_is_told(intake: Intaking) -> None:
    await intake.project()
    traced = _Traced(intake.store)
    intake = Intaking(
        desk=replace(intake.desk, store=traced),  # type: ignore[arg-type]  # all but one method is the store's own
        control=intake.control,
        clock=intake.clock,
        host=intake.host,
        repository=intake.repository,
    )
    good = intake.pushed("a" * 40)
    unsigned = Received(headers={**good.headers, "x-hub-signature-256": ""}, body=good.body)
    changed = Received(headers=good.headers, body=good.body + b" ")
    wrong = intake.pushed("a" * 40, secret="another secret of sixteen")
    unknown = intake.pushed("a" * 40, name="octo/none")
    told = set()
    for received in (unsigned, changed, wrong, unknown):
        for project in ("", "octo/none", *([NAME] if received is not unknown else [])):
            with pytest.raises(Denied) as refused:
                await intake.journal.accept(ForgeKind.GITHUB, received, project=project)
            told.add((refused.value.message, refused.value.hint))
    with pytest.raises(Denied):  # signed well, for a project that speaks another way
        await intake.journal.accept(ForgeKind.GENERIC, good, project=NAME)
    assert len(told) == 1
    assert traced.writes == 0
    assert (await intake.journal.accept(ForgeKind.GITHUB, good)).delivery > 0
    assert traced.writes == 1


async def test_a_good_signature_for_another_repository_is_refused(intake: Intaking) -> None:
    await intake.project()
    with pytest.raises(UsageError, match="another repository"):
        await intake.journal.accept(
            ForgeKind.GITHUB, intake.pushed("a" * 40, name="octo/other"), project=NAME
        )
    assert await intake.journal.recent() == ()


async def test_a_ping_is_kept_and_starts_nothing(intake: Intaking) -> None:
    await intake.project()
    ping = github("ping", {"zen": "Keep it", "repository": {"full_name": NAME}})
    assert (await intake.journal.accept(ForgeKind.GITHUB, ping)).ignored == "ping"
    assert (await intake.journal.work()).deliveries == 0
    delivery = await intake.only_delivery()
    assert (delivery.state, delivery.reason, delivery.name) == (DeliveryState.DONE, "ping", "ping")


async def test_every_workflow_has_a_verdict_and_the_files_that_changed_count(intake: Intaking) -> None:
    await intake.project()
    before = head(intake)
    filtered = ON_PUSH.replace("on: push", "on: {push: {paths: ['handbook/**']}}")
    tags = ON_PUSH.replace("on: push", "on: {push: {tags: ['v*']}}")
    files = {".github/workflows/docs.yml": filtered, ".github/workflows/tags.yml": tags}
    middle = intake.repository.commit({**files, "src/a.py": "1\n"})
    last = intake.repository.commit({"handbook/page.txt": "text\n"})
    await intake.push(middle, before)
    await intake.work()
    await intake.push(last, middle)
    await intake.work()
    intake.repository.commit(dict.fromkeys([*files, "src/a.py", "handbook/page.txt"]))
    verdicts = [
        {verdict.path.rpartition("/")[2]: verdict for verdict in (await intake.journal.get(each.id)).verdicts}
        for each in reversed(await intake.journal.recent())
    ]
    assert [[name for name, verdict in each.items() if verdict.run] for each in verdicts] == [
        ["ci.yml"],
        ["ci.yml", "docs.yml"],
    ]
    refused = verdicts[0]["docs.yml"]
    assert "matches `paths`" in refused.reason
    assert isinstance(refused.verdicts, list)
    assert "only tags are listened to" in verdicts[1]["tags.yml"].reason


async def test_a_commit_may_ask_to_be_left_alone(intake: Intaking) -> None:
    await intake.project()
    await intake.push(head(intake), message="wip [skip ci]")
    await intake.work()
    delivery = await intake.only_delivery()
    assert [verdict.reason for verdict in delivery.verdicts] == ["the commit's message says `[skip ci]`"]
    assert await intake.runs() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("on: push\njobs: [", "has an error"),
        ("on: push\njobs: {build: {runs-on: linux, steps: [{runn: make}]}}", "runn"),
        ("on: push\nconcurrency: ${{ fromJSON('[') }}\n" + ON_PUSH[9:], "concurrency"),
    ],
)
async def test_a_broken_workflow_is_a_failed_run_that_says_why(
    intake: Intaking, text: str, said: str
) -> None:
    await intake.project()
    sha = intake.repository.commit({".github/workflows/broken.yml": text})
    await intake.push(sha)
    await intake.work()
    intake.repository.commit({".github/workflows/broken.yml": None})
    runs = {run.path: run for run in await intake.runs()}
    broken = runs[".github/workflows/broken.yml"]
    assert (broken.status, broken.conclusion, broken.sha) == (Status.COMPLETED, Conclusion.FAILURE, sha)
    assert said in broken.reason
    assert runs[CI].status is Status.QUEUED
    verdicts = {verdict.path: verdict for verdict in (await intake.only_delivery()).verdicts}
    assert (verdicts[broken.path].run, verdicts[broken.path].reason) == (broken.id, broken.reason)


def requested(intake: Intaking, head_repository: str, key: str) -> Received:
    """Return the webhook of a pull request that was opened."""
    sha = head(intake)
    side = {"ref": "main", "sha": sha, "repo": {"full_name": NAME}}
    body = {
        "action": "opened",
        "number": 7,
        "repository": {"full_name": NAME, "default_branch": "main"},
        "sender": {"login": "eve"},
        "pull_request": {
            "number": 7,
            "title": "$(id)",
            "base": side,
            "head": {"ref": "topic", "sha": sha, "repo": {"full_name": head_repository}},
            "user": {"login": "eve"},
        },
    }
    return github("pull_request", body, key)


async def test_a_pull_request_starts_at_its_head_and_one_of_a_fork_waits_where_that_is_wanted(
    intake: Intaking,
) -> None:
    await intake.project()
    both = ON_PUSH.replace("on: push", "on: [pull_request, pull_request_target]")
    intake.repository.commit({CI: both})
    await intake.journal.accept(ForgeKind.GITHUB, requested(intake, NAME, "own"))
    await intake.work()
    assert [run.event for run in await intake.runs()] == ["pull_request", "pull_request_target"]
    await intake.journal.accept(ForgeKind.GITHUB, requested(intake, "eve/repo", "fork"))
    await intake.work()
    assert [(run.event, run.status.value) for run in await intake.runs()][2:] == [
        ("pull_request", "waiting"),
        ("pull_request_target", "queued"),
    ]
    held = (await intake.journal.get((await intake.journal.recent())[0].id)).verdicts[0]
    assert held.reason.startswith("it waits for approval: ")
    await intake.projects.change(NAME, ProjectChange(forks=ForkPolicy.NEVER), by="ann")
    await intake.journal.accept(ForgeKind.GITHUB, requested(intake, "eve/repo", "again"))
    await intake.work()
    intake.repository.commit({CI: ON_PUSH})
    assert [(run.event, run.ref) for run in await intake.runs()][4:] == [
        ("pull_request", "refs/pull/7/merge"),
        ("pull_request_target", "refs/heads/main"),
    ]


async def test_the_head_of_a_pull_request_may_ask_to_be_left_alone_though_the_forge_does_not_tell_it(
    intake: Intaking,
) -> None:
    await intake.project()
    intake.repository.commit({CI: ON_PUSH.replace("on: push", "on: [pull_request, pull_request_target]")})
    intake.repository.commit({"a": "a"}, "wip [skip ci]")
    await intake.journal.accept(ForgeKind.GITHUB, requested(intake, NAME, "own"))
    await intake.work()
    assert [run.event for run in await intake.runs()] == ["pull_request_target"]
    told = [verdict.reason for verdict in (await intake.only_delivery()).verdicts]
    assert "the commit's message says `[skip ci]`" in told


async def test_a_broken_workflow_is_no_run_of_what_nobody_expects_one(intake: Intaking) -> None:
    await intake.project()
    intake.repository.commit({CI: "jobs: ["})
    body = {
        "action": "created",
        "repository": {"full_name": NAME, "default_branch": "main"},
        "sender": {"login": "ann"},
        "issue": {"number": 1},
        "comment": {"body": "hi"},
    }
    await intake.journal.accept(ForgeKind.GITHUB, github("issue_comment", body))
    await intake.work()
    intake.repository.commit({CI: ON_PUSH})
    assert await intake.runs() == []
    (verdict,) = (await intake.only_delivery()).verdicts
    assert "errors" in verdict.reason


async def test_a_host_that_is_down_is_asked_again_for_a_day(intake: Intaking) -> None:
    await intake.project()
    sha = head(intake)
    await intake.push(sha)
    intake.host.mode = Mode.ERROR
    await intake.work()
    delivery = await intake.only_delivery()
    assert (delivery.state, delivery.tries) == (DeliveryState.STORED, 1)
    assert delivery.reason.startswith("fetch_failed: ")
    assert await intake.runs() == []
    for tries in (2, 3):
        waits = delivery.next_at - intake.clock.now()
        assert waits > 0
        intake.clock.advance(waits)
        await intake.work()
        delivery = await intake.only_delivery()
        assert delivery.tries == tries
        assert delivery.next_at - intake.clock.now() > waits
    intake.host.mode = Mode.WELL
    intake.clock.advance(300.0)
    await intake.work()
    assert [run.sha for run in await intake.runs()] == [sha]


async def test_after_a_day_it_is_given_up_and_the_forge_may_send_it_again(intake: Intaking) -> None:
    await intake.project()
    await intake.push(head(intake), key="same")
    intake.host.mode = Mode.ERROR
    await intake.work()
    intake.clock.advance(DAY + 1)
    await intake.work()
    delivery = await intake.only_delivery()
    assert (delivery.state, delivery.done_at) == (DeliveryState.FAILED, intake.clock.now())
    assert delivery.reason.startswith("fetch_failed: ")
    intake.host.mode = Mode.WELL
    again = await intake.push(head(intake), key="same")
    assert (again.duplicate, again.delivery) == (False, delivery.id)
    await intake.work()
    assert (await intake.only_delivery()).state is DeliveryState.DONE
    assert len(await intake.runs()) == 1


async def test_what_was_given_up_long_ago_is_done_with_the_body_that_comes_again(intake: Intaking) -> None:
    await intake.project()
    await intake.push(head(intake), key="same")
    intake.host.mode = Mode.ERROR
    await intake.work()
    intake.clock.advance(DAY + 1)
    await intake.work()
    intake.clock.advance(8 * DAY)
    assert (await tidy(intake.desk)).bodies == 1
    intake.host.mode = Mode.WELL
    again = await intake.push(head(intake), key="same")
    assert not again.duplicate
    await intake.work()
    assert (await intake.journal.get(again.delivery)).state is DeliveryState.DONE
    assert len(await intake.runs()) == 1
    once_more = await intake.push(head(intake), key="same")
    assert (once_more.duplicate, once_more.delivery) == (True, again.delivery)


async def test_a_commit_that_vanished_is_told(intake: Intaking) -> None:
    await intake.project()
    await intake.push("b" * 40)
    for _ in range(4):
        await intake.work()
        intake.clock.advance(60.0)
    delivery = await intake.only_delivery()
    assert delivery.state is DeliveryState.FAILED
    assert delivery.reason.startswith("commit_not_found: ")
    await intake.push(head(intake))
    await intake.work()
    assert len(await intake.runs()) == 1


async def test_an_older_push_that_comes_late_has_its_run_and_stops_no_newer_one(intake: Intaking) -> None:
    await intake.project()
    alone = "concurrency: {group: '${{ github.ref }}', cancel-in-progress: true}\n" + ON_PUSH
    start = head(intake)
    older = intake.repository.commit({CI: alone})
    newer = intake.repository.commit({"a": "1"})
    await intake.push(newer, older)
    await intake.push(older, start)
    await intake.work()
    runs = {run.sha: run for run in await intake.runs()}
    assert [runs[sha].conclusion for sha in (newer, older)] == [None, None]
    newest = intake.repository.commit({"a": "2"})
    await intake.push(newest, newer)
    await intake.work()
    intake.repository.commit({CI: ON_PUSH, "a": None})
    runs = {run.sha: run for run in await intake.runs()}
    assert [runs[sha].conclusion for sha in (newer, older, newest)] == [
        Conclusion.CANCELLED,
        Conclusion.CANCELLED,
        None,
    ]


async def test_a_replay_is_a_new_delivery_and_makes_new_runs(intake: Intaking) -> None:
    await intake.project()
    await intake.push(head(intake))
    await intake.work()
    first = await intake.only_delivery()
    replayed = await intake.journal.replay(first.id, by="ann")
    assert (replayed.replay_of, replayed.body, replayed.state) == (first.id, first.body, DeliveryState.STORED)
    await intake.work()
    assert len(await intake.runs()) == 2
    assert [entry.action for entry in await intake.control.audit()] == ["project.create", "delivery.replay"]
    with pytest.raises(NotFound):
        await intake.journal.replay(999, by="ann")


async def test_what_is_done_for_long_is_forgotten(intake: Intaking) -> None:
    await intake.project()
    await intake.push(head(intake))
    await intake.work()
    first = await intake.only_delivery()
    intake.clock.advance(8 * DAY)
    assert (await tidy(intake.desk)).bodies == 1
    assert (await tidy(intake.desk)).bodies == 0
    with pytest.raises(Conflict, match="not kept"):
        await intake.journal.replay(first.id, by="ann")
    intake.clock.advance(90 * DAY)
    assert (await tidy(intake.desk)).deliveries == 1
    assert await intake.journal.recent() == ()


async def test_a_project_that_is_not_active_or_gone_starts_nothing(intake: Intaking) -> None:
    await intake.project()
    await intake.push(head(intake))
    await intake.projects.change(NAME, ProjectChange(active=False), by="ann")
    await intake.work()
    assert "not active" in (await intake.only_delivery()).reason
    intake.clock.advance(2.0)
    assert "not active" in (await intake.push(head(intake))).ignored
    await intake.projects.remove(NAME, by="ann")
    intake.clock.advance(2.0)
    with pytest.raises(Denied):
        await intake.push(head(intake))
    assert await intake.runs() == []


async def test_whoever_lost_a_delivery_to_another_changes_nothing_of_it(intake: Intaking) -> None:
    """A server that was paused goes on after its hold has ended and another has done the work."""
    await intake.project()
    await intake.push(head(intake))
    entered, go_on = asyncio.Event(), asyncio.Event()
    mirrors = intake.desk.mirrors

    class Paused:
        async def fetch(self, *args: Any, **options: Any) -> None:
            entered.set()
            await go_on.wait()
            raise NotFound("the paused one has an outdated view")

        def __getattr__(self, name: str) -> Any:
            return getattr(mirrors, name)

    paused = Intaking(
        desk=replace(intake.desk, mirrors=Paused()),  # type: ignore[arg-type]  # all but one method is the real one's
        control=intake.control,
        clock=intake.clock,
        host=intake.host,
        repository=intake.repository,
    )
    working = asyncio.create_task(paused.journal.work())
    await entered.wait()
    held_until = intake.clock.now() + 41
    await intake.store.write(lambda tx: tx.deliveries.claim(intake.clock.now() + 21, held_until, 1))
    go_on.set()
    await working
    held = await intake.only_delivery()
    assert (held.state, held.next_at, held.tries) == (DeliveryState.STORED, held_until, 0)
    intake.clock.advance(41)
    await intake.work()
    assert (await intake.only_delivery()).state is DeliveryState.DONE
    assert len(await intake.runs()) == 1
