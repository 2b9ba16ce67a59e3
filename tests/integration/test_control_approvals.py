"""Runs from forks and jobs that deploy wait for people, on a real store: who, when, and what comes of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from pawl.core.model.approvals import ApprovalState, BranchRule, Environment
from pawl.core.model.errors import Conflict, Denied, NotFound, UsageError
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.projects import ForkPolicy, Project
from pawl.core.model.records import AttemptState, RunRecord, TokenRecord
from pawl.core.model.status import Conclusion, Status
from pawl.engine.control.approvals import Decided, Decision
from pawl.engine.control.environments import EnvironmentChange
from tests.integration.controlling import Server, make_server

SITE = Project(
    name="local/repository",
    forge=ForgeKind.GITHUB,
    clone_url="https://git.example/local/repository.git",
    created_at=0.0,
)
LIVE = Environment(project=SITE.name, name="live", created_at=0.0, reviewers=("ann", "bob"))
SHA = "a" * 40
DAY = 86_400.0
FORKED = """
on: {pull_request: {types: [opened, closed]}, pull_request_target: }
concurrency: one
jobs: {build: {runs-on: linux, steps: [{run: make}]}}
"""
DEPLOY = """
on: push
jobs:
  build: {runs-on: linux, steps: [{run: make}]}
  ship: {needs: build, environment: Live, runs-on: linux, steps: [{run: make ship}]}
  tell: {needs: build, environment: {name: live}, runs-on: linux, steps: [{run: make tell}]}
"""
SHIP = "on: push\njobs: {ship: {environment: live, runs-on: linux, steps: [{run: make}]}}\n"


async def server_with(
    *environments: Environment, forks: ForkPolicy = ForkPolicy.ALWAYS, **more: Any
) -> Server:
    server = make_server(**more)
    await server.store.write(lambda tx: tx.projects.put(replace(SITE, forks=forks)))
    for name in ("ann", "bob"):
        token = TokenRecord(digest=name, name=name, scope="user", created_at=0.0)
        await server.store.write(lambda tx, token=token: tx.tokens.put(token))  # type: ignore[misc]  # as below
    for each in environments:
        await server.store.write(lambda tx, each=each: tx.environments.put(each))  # type: ignore[misc]  # a default binds the loop's value
    return server


def fork(number: int = 7, sha: str = SHA, name: str = "pull_request", action: str = "opened") -> Event:
    return Event(
        name=name,
        action=action,
        ref=f"refs/pull/{number}/merge",
        sha="b" * 40,
        head_sha=sha,
        number=number,
        from_fork=True,
        actor="stranger",
        payload={"pull_request": {"user": {"login": "stranger"}, "state": "open"}},
    )


async def decide(
    server: Server, run: RunRecord, *, by: str = "ann", approve: bool = True, **more: Any
) -> Decided:
    if "environment" not in more and run.id < 99:
        found = await server.control.approvals.of_run(run.id)
        more["environment"] = found[-1].environment if found else ""
    return await server.control.approvals.decide(Decision(run=run.id, approve=approve, by=by, **more))


async def approvals(server: Server, run: RunRecord) -> list[tuple[str, ApprovalState, str]]:
    found = await server.control.approvals.of_run(run.id)
    return [(each.environment, each.state, each.decided_by) for each in found]


async def look(server: Server, run: RunRecord) -> RunRecord:
    return await server.control.runs.get(run.id)


async def audited(server: Server) -> list[tuple[str, str, str]]:
    return [(each.by, each.action, each.target) for each in await server.control.audit()]


# Runs from forks.


async def test_a_run_from_a_fork_is_stored_whole_and_holds_nothing_while_it_waits() -> None:
    server = await server_with()
    run = await server.trigger(FORKED, event=fork())
    assert (run.status, run.conclusion) == (Status.WAITING, None)
    assert run.reason == "it waits for approval: the project asks for approval of what comes from a fork"
    assert await server.states(run.id) == {}
    assert await server.store.read(lambda tx: tx.groups.of_run(run.id)) == ()
    (entry,) = await server.control.queue.entries()
    assert (entry.run, entry.job, entry.reason, entry.blocked) == (run.id, None, run.reason, True)
    assert [each.run for each in await server.control.approvals.waiting()] == [run.id]
    # Its group is free: another run of it goes on.
    own = await server.trigger(FORKED, event=replace(fork(), from_fork=False))
    assert await server.states(own.id) == {"build/1": AttemptState.QUEUED}


async def test_an_approved_run_starts_and_its_record_says_who_approved() -> None:
    server = await server_with()
    run = await server.trigger(FORKED, event=fork())
    decided = await decide(server, run, comment="looks good")
    assert (decided.approval.state, decided.repeated) == (ApprovalState.APPROVED, False)
    assert await server.states(run.id) == {"build/1": AttemptState.QUEUED}
    now = await look(server, run)
    assert (now.status, now.reason) == (Status.QUEUED, "")
    hand = await server.worker()
    assert await hand.run_all() == ["build"]
    assert (await look(server, run)).conclusion is Conclusion.SUCCESS
    assert await approvals(server, run) == [("", ApprovalState.APPROVED, "ann")]
    assert await audited(server) == [("ann", "approval.approve", f"run {run.id}, commit {SHA}: looks good")]


async def test_an_approval_holds_for_its_commit_and_for_no_other() -> None:
    server = await server_with()
    first = await server.trigger(FORKED, event=fork())
    twin = await server.trigger(FORKED, event=fork(), path="other.yml")
    await decide(server, first)
    assert (await look(server, twin)).status is Status.QUEUED, "the same commit"
    again = await server.trigger(FORKED, event=fork(action="closed"))
    assert again.status is Status.QUEUED
    assert await approvals(server, again) == [("", ApprovalState.EXEMPT, "")]
    (exempt,) = await server.control.approvals.of_run(again.id)
    assert exempt.rule == f"ann approved this commit with run {first.id}"
    for event in (fork(sha="c" * 40), fork(number=8), fork(sha="a" * 12), replace(fork(), number=None)):
        other = await server.trigger(FORKED, event=event)
        assert other.status is Status.WAITING, event


async def test_what_the_base_branch_holds_runs_at_once() -> None:
    server = await server_with(forks=ForkPolicy.REFUSE)
    run = await server.trigger(FORKED, event=fork(name="pull_request_target"))
    assert run.status is Status.QUEUED
    (exempt,) = await server.control.approvals.of_run(run.id)
    assert (exempt.state, exempt.rule) == (ApprovalState.EXEMPT, "it runs what the base branch holds")


async def test_what_no_commit_can_be_told_of_is_approved_alone() -> None:
    server = await server_with()
    one, two = [await server.trigger(FORKED, event=fork(sha="a" * 12)) for _ in range(2)]
    await decide(server, one)
    assert (await look(server, two)).status is Status.WAITING


async def test_a_rejected_run_ends_as_cancelled_with_the_reason() -> None:
    server = await server_with()
    run = await server.trigger(FORKED, event=fork())
    twin = await server.trigger(FORKED, event=fork())
    await decide(server, run, approve=False, comment="mines coins")
    for each in (run, twin):
        ended = await look(server, each)
        assert ended.conclusion is Conclusion.CANCELLED
        assert ended.reason == "it was rejected by ann: mines coins"
    assert await approvals(server, twin) == [("", ApprovalState.REJECTED, "ann")]
    assert (await server.trigger(FORKED, event=fork())).status is Status.WAITING, "it is asked again"


async def test_saying_the_same_again_changes_nothing_and_the_contrary_is_a_conflict() -> None:
    server = await server_with()
    yes, no = [await server.trigger(FORKED, event=fork(sha=letter * 40)) for letter in "de"]
    await decide(server, yes)
    await decide(server, no, approve=False)
    before = await audited(server)
    assert (await decide(server, yes, by="bob")).repeated
    assert (await decide(server, no, by="bob", approve=False)).repeated
    with pytest.raises(Conflict, match="approved already by ann"):
        await decide(server, yes, approve=False)
    with pytest.raises(Conflict, match="rejected already by ann"):
        await decide(server, no)
    assert await audited(server) == before


async def test_nobody_approves_their_own_request() -> None:
    server = await server_with()
    run = await server.trigger(FORKED, event=fork())
    with pytest.raises(Denied, match="somebody else"):
        await decide(server, run, by="Stranger")
    assert (await look(server, run)).status is Status.WAITING


async def test_a_run_that_nobody_approves_is_given_up() -> None:
    server = await server_with()
    run = await server.trigger(FORKED, event=fork())
    server.clock.advance(30 * DAY - 1)
    assert (await server.control.sweep()).decided == 0
    server.clock.advance(1)
    assert (await server.control.sweep()).decided == 1
    ended = await look(server, run)
    assert (ended.conclusion, ended.reason) == (Conclusion.CANCELLED, "nobody approved it within 30 days")
    assert await approvals(server, run) == [("", ApprovalState.EXPIRED, "")]
    with pytest.raises(Conflict, match="expired"):
        await decide(server, run)


async def test_a_cancelled_run_waits_for_nobody_any_more() -> None:
    server = await server_with()
    run = await server.trigger(FORKED, event=fork())
    await server.control.runs.cancel(run.id, by="bob")
    assert (await look(server, run)).conclusion is Conclusion.CANCELLED
    assert await server.control.approvals.waiting() == ()
    with pytest.raises(Conflict, match="withdrawn"):
        await decide(server, run)


async def test_the_projects_rules_are_looked_at_again_when_a_run_is_started_again() -> None:
    server = await server_with(forks=ForkPolicy.NEVER)
    run = await server.trigger(FORKED, event=fork())
    assert await approvals(server, run) == [("", ApprovalState.EXEMPT, "")]
    await (await server.worker()).run_all()
    await server.store.write(lambda tx: tx.projects.put(SITE))
    again = await server.control.runs.rerun(run.id, jobs="all", by="bob")
    assert again.status is Status.WAITING
    await server.control.runs.cancel(run.id, by="bob")
    await server.store.write(lambda tx: tx.projects.put(replace(SITE, forks=ForkPolicy.REFUSE)))
    with pytest.raises(UsageError, match="runs nothing that comes from a fork"):
        await server.control.runs.rerun(run.id, jobs="all", by="bob")


async def test_policies_decide_and_an_unknown_project_always_asks() -> None:
    server = await server_with(forks=ForkPolicy.REFUSE)
    with pytest.raises(UsageError, match="refused"):
        await server.trigger(FORKED, event=fork())
    await server.store.write(lambda tx: tx.projects.put(replace(SITE, forks=ForkPolicy.FIRST)))
    first = await server.trigger(FORKED, event=fork())
    assert first.status is Status.WAITING
    await decide(server, first)
    assert (await server.trigger(FORKED, event=fork(number=9, sha="9" * 40))).status is Status.QUEUED
    foreign = replace(fork(), repository="nobody/knows")
    assert (await server.trigger(FORKED, event=foreign)).status is Status.WAITING


async def test_an_approved_run_waits_for_its_group_and_ends_when_that_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pawl.core.queue.groups.MOST_WAITING", 1)
    server = await server_with()
    text = FORKED.replace("concurrency: one", "concurrency: {group: one, queue: max}")
    held = await server.trigger(text, event=replace(fork(), from_fork=False))
    one, two = [await server.trigger(text, event=fork(sha=letter * 40)) for letter in "de"]
    await decide(server, one)
    waits = await look(server, one)
    assert (waits.status, waits.reason) == (
        Status.QUEUED,
        f"concurrency group `one` is held by run {held.id}",
    )
    await decide(server, two)
    ended = await look(server, two)
    assert ended.conclusion is Conclusion.CANCELLED
    assert "too many runs wait" in ended.reason


async def test_a_run_that_was_held_stops_what_is_older_and_nothing_that_came_meanwhile() -> None:
    server = await server_with()
    text = FORKED.replace("concurrency: one", "concurrency: {group: one, cancel-in-progress: true}")
    held, newer = [await server.trigger(text, event=fork(sha=letter * 40)) for letter in "de"]
    await decide(server, newer)
    await decide(server, held)
    assert (await look(server, newer)).conclusion is None
    waits = await look(server, held)
    assert waits.reason == f"concurrency group `one` is held by run {newer.id}"
    newest = await server.trigger(text, event=fork(sha="f" * 40))
    await decide(server, newest)
    assert (await look(server, newer)).conclusion is Conclusion.CANCELLED


# Environments.


async def test_one_approval_lets_in_all_jobs_of_the_run_that_wait_for_it() -> None:
    server = await server_with(LIVE)
    hand = await server.worker()
    run = await server.trigger(DEPLOY)
    assert await hand.run_all() == ["build"]
    waits = await look(server, run)
    assert (waits.status, waits.reason) == (
        Status.WAITING,
        "it waits to be let in to environments `Live`, `live`",
    )
    (entry,) = await server.control.queue.entries()
    assert entry.reason == (
        "it waits for approval to deploy to environment `Live`: one of ann, bob has to approve"
    )
    with pytest.raises(Denied, match="no reviewer"):
        await decide(server, run, by="eve")
    await decide(server, run, by="bob", environment="LIVE")
    assert sorted(await hand.run_all()) == ["ship", "tell"]
    assert (await look(server, run)).conclusion is Conclusion.SUCCESS
    assert await approvals(server, run) == [("Live", ApprovalState.APPROVED, "bob")]


async def test_a_rejected_environment_fails_its_jobs_and_those_that_come_later() -> None:
    server = await server_with(LIVE)
    hand = await server.worker()
    late = DEPLOY.replace("tell: {needs: build,", "tell: {needs: [build, ship], if: always(),")
    run = await server.trigger(late)
    await hand.run_all()
    await decide(server, run, approve=False, comment="not today")
    ended = await look(server, run)
    assert ended.conclusion is Conclusion.FAILURE
    state = await server.control.runs.state(run.id)
    for name in ("ship", "tell"):
        found = state.find(JobId(name))
        assert found is not None
        assert found[1].reason == "environment `Live` was rejected by ann: not today"


async def test_a_later_start_of_a_run_needs_an_approval_of_its_own() -> None:
    server = await server_with(LIVE)
    hand = await server.worker()
    run = await server.trigger(SHIP)
    await decide(server, run)
    await hand.run_all(Conclusion.FAILURE)
    again = await server.control.runs.rerun(run.id, jobs="failed", by="bob")
    assert again.status is Status.WAITING
    assert await hand.run_all() == []
    await decide(server, run, by="bob")
    assert await hand.run_all() == ["ship"]
    assert len(await approvals(server, run)) == 2


async def test_who_started_a_run_or_started_it_again_may_be_kept_from_approving() -> None:
    server = await server_with(replace(LIVE, prevent_self_review=True))
    hand = await server.worker()
    run = await server.trigger(SHIP, event=Event(name="push", actor="ann"))
    with pytest.raises(Denied, match="somebody else"):
        await decide(server, run, by="ann")
    await decide(server, run, by="bob")
    await hand.run_all()
    await server.control.runs.rerun(run.id, jobs="all", by="bob")
    for by in ("ann", "bob"):
        with pytest.raises(Denied, match="somebody else"):
            await decide(server, run, by=by)


async def test_who_is_taken_off_the_reviewers_approves_no_more() -> None:
    server = await server_with(LIVE)
    run = await server.trigger(SHIP)
    change = EnvironmentChange(reviewers=("bob",))
    await server.control.environments.change(SITE.name, "live", change, by="root")
    with pytest.raises(Denied, match="no reviewer"):
        await decide(server, run, by="ann")
    await decide(server, run, by="bob")


async def test_a_ref_that_may_not_deploy_fails_at_once() -> None:
    server = await server_with(replace(LIVE, rule=BranchRule.DEFAULT))
    run = await server.trigger(SHIP, event=Event(name="push", ref="refs/heads/topic"))
    ended = await look(server, run)
    assert ended.conclusion is Conclusion.FAILURE
    found = (await server.control.runs.state(run.id)).find(JobId("ship"))
    assert found is not None
    assert "only the default branch `main` may" in found[1].reason
    assert await server.states(run.id) == {}


async def test_a_condition_is_looked_at_before_anybody_is_asked() -> None:
    server = await server_with(LIVE)
    run = await server.trigger(SHIP.replace("environment", "if: false, environment"))
    assert (await look(server, run)).conclusion is Conclusion.SUCCESS
    assert await approvals(server, run) == []


async def test_a_wait_ends_by_the_clock_also_after_a_restart(tmp_path: Any) -> None:
    path = str(tmp_path / "pawl.db")
    server = await server_with(replace(LIVE, reviewers=(), wait_minutes=10), path=path)
    run = await server.trigger(SHIP)
    assert (await look(server, run)).status is Status.WAITING
    with pytest.raises(Conflict, match="waits for nobody"):
        await decide(server, run)
    server.clock.advance(599)
    await server.control.sweep()
    assert await server.states(run.id) == {}
    await server.store.aclose()
    later = make_server(path, clock=server.clock)
    await later.control.recover()
    server.clock.advance(1)
    assert (await later.control.sweep()).decided == 1
    assert await later.states(run.id) == {"ship/1": AttemptState.QUEUED}
    assert (await later.control.sweep()).decided == 0


async def test_a_review_and_a_wait_are_both_waited_for() -> None:
    server = await server_with(replace(LIVE, wait_minutes=10))
    run = await server.trigger(SHIP)
    early = await decide(server, run)
    assert early.approval.state is ApprovalState.WAITING
    assert (await decide(server, run)).repeated
    with pytest.raises(Conflict, match="approved already by ann"):
        await decide(server, run, approve=False)
    assert await server.states(run.id) == {}
    server.clock.advance(600)
    await server.control.sweep()
    assert await server.states(run.id) == {"ship/1": AttemptState.QUEUED}
    assert await approvals(server, run) == [("live", ApprovalState.APPROVED, "ann")]


async def test_an_environment_that_nobody_approves_is_given_up() -> None:
    server = await server_with(LIVE)
    run = await server.trigger(SHIP)
    server.clock.advance(30 * DAY)
    await server.control.sweep()
    found = (await server.control.runs.state(run.id)).find(JobId("ship"))
    assert found is not None
    assert (found[1].conclusion, found[1].reason) == (
        Conclusion.TIMED_OUT,
        "nobody approved environment `live` within 30 days",
    )
    assert (await look(server, run)).conclusion is Conclusion.FAILURE


async def test_a_job_that_is_cancelled_at_its_gate_is_waited_for_no_more() -> None:
    server = await server_with(LIVE)
    run = await server.trigger(SHIP)
    await server.control.runs.cancel(run.id, job=JobId("ship"), by="bob")
    assert (await look(server, run)).conclusion is Conclusion.CANCELLED
    assert await approvals(server, run) == [("live", ApprovalState.WITHDRAWN, "")]


async def test_each_environment_is_decided_by_its_name() -> None:
    server = await server_with(LIVE, replace(LIVE, name="test"))
    text = SHIP.replace("}}\n", "}, too: {environment: test, runs-on: linux, steps: [{run: make}]}}\n")
    run = await server.trigger(text)
    with pytest.raises(NotFound, match="nothing of run 1 waits for approval"):
        await decide(server, run, environment="")
    await decide(server, run, environment="test")
    assert await server.states(run.id) == {"too/1": AttemptState.QUEUED}
    with pytest.raises(NotFound, match="`other`"):
        await decide(server, run, environment="other")
    with pytest.raises(Conflict, match="started again meanwhile"):
        await decide(server, run, environment="live", attempt=2)
    await decide(server, run, environment="live", attempt=1)


async def test_a_matrix_waits_for_the_environment_that_each_of_its_jobs_names() -> None:
    server = await server_with(LIVE)
    text = (
        "on: push\njobs: {ship: {strategy: {matrix: {to: [live, test]}}, environment: '${{ matrix.to }}',"
        " runs-on: linux, steps: [{run: make}]}}\n"
    )
    run = await server.trigger(text)
    assert await server.states(run.id) == {"ship#1/1": AttemptState.QUEUED}
    assert (await look(server, run)).status is Status.QUEUED


async def test_what_is_no_decision_is_refused() -> None:
    server = await server_with()
    run = await server.trigger(SHIP)
    with pytest.raises(NotFound, match="nothing of run 1 waits"):
        await decide(server, run)
    with pytest.raises(NotFound):
        await decide(server, replace(run, id=RunId(99)))
    with pytest.raises(NotFound):
        await server.control.approvals.of_run(RunId(99))
    for comment in ("x" * 2001, "a\x1bb"):
        with pytest.raises(UsageError):
            await decide(server, run, comment=comment)


@pytest.mark.parametrize(
    "order", [*itertools.permutations(("approve", "reject", "cancel", "sweep", "later"))]
)
async def test_no_order_of_decisions_starts_a_job_twice_or_without_approval(order: tuple[str, ...]) -> None:
    server = await server_with(replace(LIVE, wait_minutes=10))
    run = await server.trigger(SHIP)
    approved = False
    for act in order:
        try:
            match act:
                case "approve" | "reject":
                    decided = await decide(server, run, approve=act == "approve")
                    approved = approved or decided.approval.state is not ApprovalState.REJECTED
                case "cancel":
                    await server.control.runs.cancel(run.id, by="bob")
                case "sweep":
                    await server.control.sweep()
                case _:
                    server.clock.advance(601)
        except Conflict:
            assert act in {"approve", "reject", "cancel"}
        rows = await server.control.runs.attempts(run.id)
        assert len(rows) <= 1
        assert approved or not rows
    (found,) = await server.control.approvals.of_run(run.id)
    assert found.state is not ApprovalState.WAITING or approved


async def test_environments_are_kept_and_noted() -> None:
    server = await server_with()
    environments = server.control.environments
    wanted = EnvironmentChange(
        reviewers=("ann",), wait_minutes=2, rule=BranchRule.PATTERNS, branches=("main",), tags=("v*",)
    )
    made = await environments.change(SITE.name, "live", wanted, by="root")
    changed = await environments.change(SITE.name, "LIVE", EnvironmentChange(wait_minutes=0), by="root")
    assert changed == replace(made, wait_minutes=0)
    assert await environments.of_project(SITE.name) == (changed,)
    await environments.remove(SITE.name, "Live", by="root")
    assert await environments.of_project(SITE.name) == ()
    target = f"project {SITE.name}, environment live"
    assert await audited(server) == [
        ("root", "environment.change", target),
        ("root", "environment.change", target),
        ("root", "environment.remove", target),
    ]
    with pytest.raises(NotFound):
        await environments.remove(SITE.name, "live", by="root")
    with pytest.raises(NotFound):
        await environments.change("nobody/knows", "live", wanted, by="root")


@pytest.mark.parametrize(
    "wanted",
    [
        EnvironmentChange(wait_minutes=-1),
        EnvironmentChange(wait_minutes=43_201),
        EnvironmentChange(reviewers=("",)),
        EnvironmentChange(reviewers=("a\n",)),
        EnvironmentChange(reviewers=tuple(map(str, range(51)))),
        EnvironmentChange(branches=("[",)),
        EnvironmentChange(tags=tuple(map(str, range(51)))),
        EnvironmentChange(rule=BranchRule.PATTERNS),
    ],
)
async def test_an_environment_that_makes_no_sense_is_refused(wanted: EnvironmentChange) -> None:
    server = await server_with()
    with pytest.raises(UsageError):
        await server.control.environments.change(SITE.name, "live", wanted, by="root")
    with pytest.raises(UsageError):
        await server.control.environments.change(SITE.name, 'a"b', EnvironmentChange(), by="root")
