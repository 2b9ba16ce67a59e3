"""Approvals in a simulated world: what is protected, who approves, and whether anything went past (Q13)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pawl.core.model.approvals import Approval, BranchRule, Environment, same_name
from pawl.core.model.errors import PawlError
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.ids import RunId
from pawl.core.model.projects import ForkPolicy, Project
from pawl.core.model.records import AttemptRecord
from pawl.core.planning.storage import plan_from_json
from pawl.engine.control.approvals import Decision
from pawl.ports.store import Transaction
from tests.simulation.network import Network
from tests.simulation.views import RunView

REVIEWER = "reviewer"
REPOSITORY = Event(name="push").repository
_LIVE = Environment(project=REPOSITORY, name="live", created_at=0.0, reviewers=(REVIEWER,))
ENVIRONMENTS = {
    each.name: each
    for each in (
        _LIVE,
        replace(_LIVE, name="slow", reviewers=(), wait_minutes=0.3),
        replace(_LIVE, name="both", wait_minutes=0.2, prevent_self_review=True),
        replace(_LIVE, name="trunk", reviewers=(), rule=BranchRule.DEFAULT),
    )
}
_POLICIES = (ForkPolicy.ALWAYS, ForkPolicy.ALWAYS, ForkPolicy.FIRST, ForkPolicy.NEVER, ForkPolicy.REFUSE)
_AUTHORS = ("stranger", "guest")


def is_gated(draw: random.Random) -> bool:
    """Return whether a seed has approvals: without, all that was ever found is as it was."""
    return draw.random() < 0.3


def with_environments(text: str, draw: random.Random) -> str:
    """Return a workflow some jobs of which deploy."""
    workflow = json.loads(text)
    for job in workflow["jobs"].values():
        if draw.random() < 0.3:
            job["environment"] = draw.choice(("live", "LIVE", "slow", "both", "trunk", "free"))
    workflow["on"] = ["push", "pull_request"]
    return json.dumps(workflow)


def maybe_from_fork(event: Event, draw: random.Random) -> Event:
    """Return an event, or in its place one of a pull request from a fork."""
    if draw.random() < 0.6:
        return event
    number = draw.choice((1, 2))
    request = {"user": {"login": draw.choice(_AUTHORS)}, "state": "open"}
    return replace(
        event,
        name="pull_request",
        action="opened",
        ref=f"refs/pull/{number}/merge",
        head_sha=draw.choice("abc") * draw.choice((40, 40, 12)),
        number=number,
        from_fork=True,
        payload={"pull_request": request},
    )


@dataclass(kw_only=True)
class Gates:
    """What is protected, and what people said.

    Attributes:
        environments, commits, authors: what a person was about to approve, noted before it is sent.
        runs: those from forks that were approved without a commit to bind that to.
        asked: when the jobs of an environment were first seen to wait, by the server's clock.
    """

    policy: ForkPolicy
    environments: set[tuple[RunId, int, str]] = field(default_factory=set)
    commits: set[tuple[int, str]] = field(default_factory=set)
    authors: set[str] = field(default_factory=set)
    runs: set[RunId] = field(default_factory=set)
    asked: dict[tuple[RunId, int, str], float] = field(default_factory=dict)
    events: dict[RunId, Event] = field(default_factory=dict)

    def prepare(self, transaction: Transaction) -> None:
        """Store the project and its environments."""
        project = Project(
            name=REPOSITORY,
            forge=ForgeKind.GITHUB,
            clone_url="https://git.example/x.git",
            created_at=0.0,
            forks=self.policy,
        )
        transaction.projects.put(project)
        for each in ENVIRONMENTS.values():
            transaction.environments.put(each)

    def approve(self, approval: Approval) -> None:
        """Note that somebody is about to approve."""
        if approval.environment:
            self.environments.add((approval.run, approval.attempt, same_name(approval.environment)))
            return
        self.authors.add(approval.author)
        self.runs.add(approval.run)
        if approval.number is not None and approval.sha:
            self.commits.add((approval.number, approval.sha))

    def learn(self, transaction: Transaction, run: RunId) -> None:
        """Note what event a run is of."""
        if run not in self.events and transaction.runs.get(run) is not None:
            self.events[run] = plan_from_json(transaction.runs.plan(run)).event

    def check(self, before: RunView | None, view: RunView, wall: float) -> Iterator[str]:
        """Yield which attempts were made that nobody let through."""
        for group in view.state.groups.values():
            for job in group.jobs or ():
                if job.environment and job.attempt == job.earlier:
                    key = (view.id, view.record.attempt, same_name(job.environment))
                    self.asked.setdefault(key, wall)
        for ref, row in view.attempts.items():
            if before is None or ref not in before.attempts:
                yield from self._fork(view, row)
                yield from self._environment(view, row, wall)

    def _fork(self, view: RunView, row: AttemptRecord) -> Iterator[str]:
        event = self.events[view.id]
        if not event.from_fork or self.policy is ForkPolicy.NEVER:
            return
        request: Any = event.payload["pull_request"]
        whole = len(event.head_sha) == 40
        bound = whole and event.number is not None and (event.number, event.head_sha) in self.commits
        first = self.policy is ForkPolicy.FIRST and request["user"]["login"] in self.authors
        if not bound and not first and (whole or view.id not in self.runs):
            yield f"Q13: {row.ref} is of a fork's commit that nobody approved ({self.policy})"

    def _environment(self, view: RunView, row: AttemptRecord, wall: float) -> Iterator[str]:
        found = view.state.find(row.ref.job)
        environment = ENVIRONMENTS.get(same_name(found[1].environment)) if found else None
        if environment is None:
            return
        key = (view.id, view.record.attempt, same_name(environment.name))
        if environment.reviewers and key not in self.environments:
            yield f"Q13: {row.ref} deploys to {environment.name}, which nobody approved"
        if wall < self.asked.get(key, wall) + environment.wait_minutes * 60 - 0.001:
            yield f"Q13: {row.ref} deploys to {environment.name} before its time"
        ref = self.events[view.id].ref
        if environment.rule is BranchRule.DEFAULT and ref != "refs/heads/main":
            yield f"Q13: {row.ref} deploys from {ref} to {environment.name}"


def draw_gates(draw: random.Random) -> Gates:
    """Return what is protected in a world."""
    return Gates(policy=draw.choice(_POLICIES))


@dataclass(kw_only=True)
class Reviewers:
    """The people that approve and reject, or do neither."""

    network: Network
    gates: Gates
    draw: random.Random
    trace: Callable[[str], None]

    async def live(self) -> None:
        """Look at what waits from time to time, and decide some of it; for ever."""
        while True:
            await asyncio.sleep(self.draw.uniform(1.0, 20.0))
            try:
                waiting = await self.network.call(
                    "user", "waiting", lambda front: front.control.approvals.waiting()
                )
            except PawlError:
                continue
            if waiting:
                await self._decide(self.draw.choice(waiting))

    async def _decide(self, approval: Approval) -> None:
        approve = self.draw.random() < 0.75
        by = self.draw.choice((REVIEWER, REVIEWER, REVIEWER, "user", *_AUTHORS))
        for _ in range(self.draw.choice((1, 1, 2))):
            decision = Decision(
                run=approval.run,
                attempt=approval.attempt,
                environment=approval.environment,
                approve=approve,
                by=by,
            )
            # Others than reviewers, and authors of what they ask for themselves, are to be refused.
            allowed = by == REVIEWER if approval.environment else by != approval.author
            if approve and allowed:
                self.gates.approve(approval)
            try:
                await self.network.call(
                    "user",
                    f"decide {approval.run}",
                    lambda front, decision=decision: front.control.approvals.decide(decision),  # type: ignore[misc]  # a default binds the loop's value
                )
            except PawlError as error:
                self.trace(f"reviewer: {error}")
            if self.draw.random() < 0.3:
                approve = not approve
