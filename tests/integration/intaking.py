"""An intake on a real store, with a real git host, real mirrors and the real adapters of forges."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pawl.adapters.forge_bitbucket import BitbucketForge
from pawl.adapters.forge_generic import GenericForge
from pawl.adapters.forge_gitea import GiteaForge
from pawl.adapters.forge_github import GitHubForge
from pawl.adapters.forge_gitlab import GitLabForge
from pawl.adapters.git.mirror import Access, GitMirrors, MirrorLimits
from pawl.adapters.store_sql import open_store
from pawl.core.model.forge import ForgeKind, Received
from pawl.core.model.projects import DeliveryRecord, Project
from pawl.core.model.records import RunRecord
from pawl.engine.control import Control, Rules
from pawl.engine.intake import (
    Accepted,
    IntakeDesk,
    IntakeRules,
    Journal,
    Poll,
    ProjectChange,
    Projects,
    Schedules,
)
from pawl.ports.forge import Forge
from pawl.ports.outgoing import Answered, Outgoing
from pawl.ports.store import RunFilter, Store
from pawl.testing.clock import FakeClock
from pawl.testing.sealing import OpenSealing
from pawl.testing.storage import CountedRandomness, MemoryBlobs, MemoryLogs
from tests.git_server import GitServer, Repository, git_server

NAME = "octo/repo"
SECRET = "a secret of sixteen or more"
ZEROS = "0" * 40
CI = ".github/workflows/ci.yml"
ON_PUSH = "on: push\njobs: {build: {runs-on: linux, steps: [{run: make}]}}\n"


class NoSender:
    """Reading webhooks calls nobody."""

    async def send(self, request: Outgoing) -> Answered:
        raise AssertionError(request)


@dataclass
class Intaking:
    """One server's intake, and the host that it works for."""

    desk: IntakeDesk
    control: Control
    clock: FakeClock
    host: GitServer
    repository: Repository
    journal: Journal = field(init=False)
    projects: Projects = field(init=False)
    poll: Poll = field(init=False)
    schedules: Schedules = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal(self.desk)
        self.projects = Projects(self.desk)
        self.poll = Poll(self.desk)
        self.schedules = Schedules(self.desk)

    @property
    def store(self) -> Store:
        return self.desk.store

    async def project(self, **changes: Any) -> Project:
        """Make the project of the repository."""
        wanted: dict[str, Any] = {
            "forge": ForgeKind.GITHUB,
            "clone_url": self.repository.url,
            "secrets": {"hook": SECRET},
            **changes,
        }
        made, _ = await self.projects.create(NAME, ProjectChange(**wanted), by="ann")
        return made

    async def push(self, after: str, before: str = ZEROS, **options: Any) -> Accepted:
        """Have GitHub's webhook of a push come in."""
        return await self.journal.accept(ForgeKind.GITHUB, self.pushed(after, before, **options))

    def pushed(
        self,
        after: str,
        before: str = ZEROS,
        *,
        ref: str = "refs/heads/main",
        key: str = "",
        secret: str = SECRET,
        message: str = "change",
        name: str = NAME,
    ) -> Received:
        self.count += 1
        body = {
            "ref": ref,
            "before": before,
            "after": after,
            "repository": {"full_name": name, "default_branch": "main", "name": "repo"},
            "sender": {"login": "ann"},
            "head_commit": {"id": after, "message": message, "author": {"name": "Ann"}},
            "commits": [],
        }
        return github("push", body, key or f"delivery-{self.count}", secret)

    async def work(self) -> None:
        """Work until nothing is due."""
        while (worked := await self.journal.work()).deliveries:
            assert worked.faults == {}

    async def runs(self) -> list[RunRecord]:
        """Return all runs, oldest first."""
        return list(reversed(await self.control.runs.list(RunFilter())))

    async def only_delivery(self) -> DeliveryRecord:
        (one,) = await self.journal.recent()
        return await self.journal.get(one.id)


def github(name: str, body: dict[str, Any], key: str = "d-1", secret: str = SECRET) -> Received:
    """Return a signed webhook request of GitHub's."""
    raw = json.dumps(body).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return Received(
        headers={
            "content-type": "application/json",
            "x-github-event": name,
            "x-github-delivery": key,
            "x-hub-signature-256": f"sha256={digest}",
            "cookie": "no",
        },
        body=raw,
    )


def signed_forges() -> dict[ForgeKind, Forge]:
    """Return the adapters of all forges, which call nobody."""
    sender, clock = NoSender(), FakeClock()
    return {
        ForgeKind.GITHUB: GitHubForge(sender, clock),
        ForgeKind.GITLAB: GitLabForge(sender, clock),
        ForgeKind.GITEA: GiteaForge(sender, clock),
        ForgeKind.BITBUCKET: BitbucketForge(sender, clock),
        ForgeKind.GENERIC: GenericForge(),
    }


def make_desk(
    store: Store, clock: FakeClock, mirrors: GitMirrors, rules: IntakeRules | None = None
) -> tuple[IntakeDesk, Control]:
    """Return what an intake works with, and the control engine beside it."""
    randomness = CountedRandomness()
    control = Control(store, MemoryLogs(), MemoryBlobs(clock), clock, randomness, Rules())
    desk = IntakeDesk(
        store=store,
        clock=clock,
        randomness=randomness,
        sealing=OpenSealing(),
        forges=signed_forges(),
        mirrors=mirrors,
        runs=control.runs,
        rules=rules or IntakeRules(),
    )
    return desk, control


@contextlib.contextmanager
def hosted(folder: Path) -> Iterator[tuple[GitServer, Repository]]:
    """Run a git host with one repository that has a workflow."""
    with git_server(folder / "host") as host:
        repository = host.repository(NAME)
        repository.commit({CI: ON_PUSH, "README.md": "hello\n"})
        yield host, repository


@contextlib.asynccontextmanager
async def intaking(
    folder: Path, url: str, host: GitServer, repository: Repository, rules: IntakeRules | None = None
) -> AsyncIterator[Intaking]:
    """Open a store and run an intake on it."""
    clock = FakeClock(1_700_000_040.0)
    store = open_store(url)
    mirrors = GitMirrors(
        folder / "mirrors", access=Access(protocols=("http",)), limits=MirrorLimits(seconds=30)
    )
    desk, control = make_desk(store, clock, mirrors, rules)
    try:
        yield Intaking(desk=desk, control=control, clock=clock, host=host, repository=repository)
    finally:
        await mirrors.close()
        await store.aclose()
