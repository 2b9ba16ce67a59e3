"""Whatever comes twice and whenever the server is killed: one run a workflow and delivery (I21, I22)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.adapters.git.mirror import Access, GitMirrors
from pawl.adapters.store_sql.inline_store import InlineStore
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import DeliveryState
from pawl.engine.intake import IntakeRules, Journal, ProjectChange, Projects
from pawl.ports.store import RunFilter
from pawl.testing.clock import FakeClock
from tests.git_server import GitServer, Repository
from tests.integration.intaking import NAME, ON_PUSH, SECRET, ZEROS, github, hosted, make_desk

HOLD = IntakeRules().hold
KEYS = ("d-1", "d-2")
WORKFLOWS = (".github/workflows/ci.yml", ".github/workflows/more.yml")
_folders = itertools.count()


class Killed(BaseException):
    """The server ends here, without a word."""


@dataclass
class Power:
    """Ends the server at a commit: before it is kept, or after, when nobody hears that it was."""

    left: int | None = None
    after: bool = False

    def at(self, *, after: bool) -> None:
        if self.left is None or after is not self.after:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Killed


@dataclass
class World:
    """One database file, and the servers that come and go on it."""

    path: Path
    mirrors: GitMirrors
    sha: str
    clock: FakeClock = field(default_factory=FakeClock)
    power: Power = field(default_factory=Power)

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.store = InlineStore(
            str(self.path),
            before_commit=lambda: self.power.at(after=False),
            after_commit=lambda: self.power.at(after=True),
        )
        desk, self.control = make_desk(self.store, self.clock, self.mirrors)
        self.journal, self.projects = Journal(desk), Projects(desk)

    async def send(self, key: str) -> None:
        body = {
            "ref": "refs/heads/main",
            "before": ZEROS,
            "after": self.sha,
            "repository": {"full_name": NAME, "default_branch": "main"},
            "sender": {"login": "ann"},
        }
        received = github("push", body, key)
        await asyncio.gather(
            *(self.journal.accept(ForgeKind.GITHUB, received, project=NAME) for _ in range(2))
        )

    async def work(self) -> None:
        while (await self.journal.work()).deliveries:
            pass

    async def killed_at(self, what: str, commit: int, *, after: bool) -> None:
        """Do something until the power goes off at that commit, or to its end; start again."""
        self.power.left, self.power.after = commit, after
        with contextlib.suppress(Killed):
            await (self.work() if what == "work" else self.send(what))
        self.power.left = None
        await self.store.aclose()
        self._start()
        self.clock.advance(HOLD + 1)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from((*KEYS, "work")), st.just(None)),
        st.tuples(st.sampled_from((*KEYS, "work")), st.tuples(st.integers(0, 6), st.booleans())),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, Repository]]:
    with hosted(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@given(steps=STEPS)
@settings(max_examples=25, deadline=None)
def test_each_delivery_makes_one_run_for_each_workflow(
    steps: list[tuple[str, tuple[int, bool] | None]], host: tuple[GitServer, Repository], folder: Path
) -> None:
    asyncio.run(_check(steps, host[1], folder))


async def _check(
    steps: list[tuple[str, tuple[int, bool] | None]], repository: Repository, folder: Path
) -> None:
    sha = repository.commit(dict.fromkeys(WORKFLOWS, ON_PUSH))
    mirrors = GitMirrors(folder / "mirrors", access=Access(protocols=("http",)))
    world = World(folder / f"{next(_folders)}.db", mirrors, sha)
    project = ProjectChange(forge=ForgeKind.GITHUB, clone_url=repository.url, secrets={"hook": SECRET})
    await world.projects.create(NAME, project, by="ann")
    for what, killed in steps:
        if killed is not None:
            await world.killed_at(what, killed[0], after=killed[1])
        elif what == "work":
            await world.work()
        else:
            await world.send(what)
    # A forge sends again what was not acknowledged.
    for key in KEYS:
        await world.send(key)
    await world.work()
    runs = await world.control.runs.list(RunFilter())
    assert Counter(run.path for run in runs) == dict.fromkeys(WORKFLOWS, len(KEYS))
    deliveries = await world.journal.recent()
    assert [each.state for each in deliveries] == [DeliveryState.DONE] * len(KEYS)
    named = [verdict.run for each in deliveries for verdict in each.verdicts]
    assert sorted(named, key=str) == sorted((run.id for run in runs), key=str)
    await mirrors.close()
    await world.store.aclose()
