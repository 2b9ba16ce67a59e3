"""How a job of a forge's run gets its files: from a mirror of its worker's, or packed by the server."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.adapters.git.pack import pack
from pawl.core.model.clones import Clone
from pawl.core.model.errors import NotFound
from pawl.core.model.events import Event
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Begun
from pawl.core.planning.storage import plan_to_json
from pawl.testing.builders import GITHUB_FILE, make_plan
from tests.git_server import GitServer, Mode, Repository, git, git_server
from tests.integration.test_worker_jobs import content, kept_files
from tests.integration.worker_server import OF_THE_FORGE, FakeServer, Held, running_worker

NAME = "octo/repo"
SECRET = "s3cret-t0ken-of-the-forge"
AS_GIT = base64.b64encode(f"bot:{SECRET}".encode())
AT_COMMIT = 'test "$(git log -1 --format=%H)" = "$GITHUB_SHA" && test -e README.md'


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path / "host") as server:
        yield server


@pytest.fixture
def repository(host: GitServer) -> Repository:
    made = host.repository(NAME)
    made.commit({"README.md": "1", "act/action.yml": ACTION, "vars.env": "FROM_FILE=yes\n"}, "first")
    made.commit({"README.md": "2"}, "second")
    host.user, host.secret = "bot", SECRET
    return made


ACTION = """
name: local
runs: {using: composite, steps: [{run: echo the local action, shell: sh}]}
"""
JOB = """
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    %s
    steps:
      - uses: actions/checkout@v4
        with: %s
      - run: |
          %s
"""


def wanted(script: str = AT_COMMIT, inputs: str = "{}", more: str = "timeout-minutes: 5") -> str:
    return JOB % (more, inputs, script)


def add(
    server: FakeServer, repository: Repository, workflow: str, clone: Clone | None, sha: str = ""
) -> Held:
    """Queue the job of a push that a forge told of."""
    event = Event(
        name="push",
        ref="refs/heads/main",
        sha=sha or repository.git("rev-parse", "HEAD"),
        repository=NAME,
        provider="github",
    )
    held = server.add(workflow)
    plan = replace(make_plan(workflow, path=GITHUB_FILE), event=event)
    held.work = replace(held.work, plan=plan_to_json(plan))
    held.given = Begun(clone=clone)
    return held


def clone_of(repository: Repository, *, shared: bool = False) -> Clone:
    return Clone(url=repository.url, user="bot", secret=SECRET, shared=shared)


async def packed(server: FakeServer, repository: Repository) -> None:
    sha = repository.git("rev-parse", "HEAD")
    blocks = [block async for block in pack(repository.tree, sha, ref="refs/heads/main", name=NAME)]
    server.sources[OF_THE_FORGE] = b"".join(blocks)


async def run(server: FakeServer, data: Path, held: Held, **options: object) -> str:
    """Run a job that is to succeed and return its log."""
    async with running_worker(server, data, plain_git=True, **options):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
    return held.text()


@pytest.mark.parametrize(
    ("inputs", "script"),
    [
        ("{}", f'{AT_COMMIT} && test "$(git rev-list --count HEAD)" = 1'),
        ("{fetch-depth: 0}", f'{AT_COMMIT} && test "$(git rev-list --count HEAD)" = 2'),
        ("{path: below}", "test -e below/README.md"),
        ("{ref: refs/heads/side}", 'test "$(git log -1 --format=%s)" = "on the side"'),
        ("{}", "test -n '${{ hashFiles('README.md') }}'"),
    ],
)
async def test_a_private_repository_is_checked_out_and_its_token_is_nowhere(
    tmp_path: Path, host: GitServer, repository: Repository, inputs: str, script: str
) -> None:
    repository.git("checkout", "-q", "-b", "side")
    repository.commit({"side": "1"}, "on the side")
    repository.git("checkout", "-q", "main")
    server = FakeServer()
    held = add(server, repository, wanted(script, inputs), clone_of(repository))
    async with running_worker(server, tmp_path / "data", plain_git=True):
        await server.until(lambda: held.told("step_finished"), "begun")
        during = {path: content(path) for path in kept_files(tmp_path / "data")}
        result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
    assert "source" not in server.calls
    files = {**during, **{path: content(path) for path in kept_files(tmp_path / "data")}}
    assert any("mirrors" in path.parts for path in files)
    assert [path for path, told in files.items() if SECRET.encode() in told or AS_GIT in told] == []
    assert SECRET not in held.text()
    assert host.fetches.total() == 1


async def test_ten_jobs_of_one_push_fetch_once(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    server = FakeServer()
    jobs = [add(server, repository, wanted(), clone_of(repository)) for _ in range(10)]
    async with running_worker(server, tmp_path / "data", plain_git=True, slots=5):
        results = [await server.finished(each) for each in jobs]
    assert {result.conclusion for result in results} == {Conclusion.SUCCESS}, jobs[0].text()
    assert host.fetches.total() == 1
    # A new mirror asks what there is, and fetches: no job but the first has said a word to the host.
    assert [method for method, _, _ in host.seen].count("GET") == 2


async def test_a_job_that_wants_no_files_asks_nobody(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    server = FakeServer()
    workflow = wanted().replace("      - uses: actions/checkout@v4\n        with: {}\n", "")
    await run(server, tmp_path / "data", add(server, repository, workflow.replace(AT_COMMIT, "ls"), None))
    assert host.seen == []
    assert "source" not in server.calls


async def test_local_actions_and_env_files_work(tmp_path: Path, repository: Repository) -> None:
    server = FakeServer()
    workflow = wanted('test "$FROM_FILE" = yes', more="env_file: vars.env") + "      - uses: ./act\n"
    held = add(server, repository, workflow, clone_of(repository))
    assert "the local action" in await run(server, tmp_path / "data", held)


async def test_a_host_that_is_away_does_not_keep_the_commit_away(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    server = FakeServer()
    await packed(server, repository)
    host.mode = Mode.ERROR
    await run(server, tmp_path / "data", add(server, repository, wanted(), clone_of(repository)))
    assert "source" in server.calls


async def test_what_only_the_host_has_fails_the_job_for_no_fault_of_its_own(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    server = FakeServer()
    await packed(server, repository)
    host.mode = Mode.ERROR
    held = add(server, repository, wanted(inputs="{fetch-depth: 0}"), clone_of(repository))
    async with running_worker(server, tmp_path / "data", plain_git=True):
        result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.INFRASTRUCTURE)
    assert NAME in result.reason
    assert SECRET not in result.reason + held.text()


@pytest.mark.parametrize("clone", [Clone(), None], ids=["told to ask the server", "an operator's wish"])
async def test_a_worker_that_may_not_reach_the_host_has_the_commit_of_the_server(
    tmp_path: Path, host: GitServer, repository: Repository, clone: Clone | None
) -> None:
    server = FakeServer()
    await packed(server, repository)
    held = add(server, repository, wanted(inputs="{fetch-depth: 5}"), clone or clone_of(repository))
    told = await run(server, tmp_path / "data", held, fetches=clone is not None)
    assert "The history is not there" in told
    assert (host.seen, server.calls.count("source")) == ([], 1)


async def test_a_commit_that_vanished_is_told(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    sha = repository.git("rev-parse", "HEAD")
    repository.git("commit", "-q", "--amend", "-m", "another")
    repository.push()
    git(repository.bare, "-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now")
    server = FakeServer()

    async def refuse(call: str) -> None:
        if call == "source":
            raise NotFound(f"There is no commit {sha} in `{NAME}`")

    server.before = refuse
    held = add(server, repository, wanted(), clone_of(repository), sha)
    async with running_worker(server, tmp_path / "data", plain_git=True):
        result = await server.finished(held)
    assert result.conclusion is Conclusion.FAILURE
    assert f"There is no commit {sha}" in result.reason + held.text()


KEEPS = "{persist-credentials: true}"


async def test_a_token_that_is_not_shared_stays_out_of_the_workspace(
    tmp_path: Path, repository: Repository
) -> None:
    server = FakeServer()
    held = add(server, repository, wanted("! git ls-remote -q origin", KEEPS), clone_of(repository))
    assert "--share-token" in await run(server, tmp_path / "data", held)


async def test_a_token_that_is_shared_is_kept_where_that_is_asked_for_and_masked(
    tmp_path: Path, repository: Repository
) -> None:
    server = FakeServer()
    script = "git ls-remote -q origin && cat .git/config"
    held = add(server, repository, wanted(script, KEEPS), clone_of(repository, shared=True))
    told = await run(server, tmp_path / "data", held)
    assert "extraheader = " in told
    assert "***" in told
    assert SECRET not in told
    assert AS_GIT.decode() not in told


async def test_a_step_may_fetch_with_a_token_of_its_own(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    server = FakeServer()
    held = add(
        server,
        repository,
        wanted(inputs="{fetch-depth: 0, token: '${{ secrets.MINE }}'}"),
        Clone(url=repository.url, user="bot", secret="one that the host does not take"),
    )
    held.given = replace(held.given, secrets={"MINE": SECRET})
    await run(server, tmp_path / "data", held)
    assert host.fetches.total() == 1


async def test_an_ssh_key_is_refused_in_plain_words(tmp_path: Path, repository: Repository) -> None:
    server = FakeServer()
    held = add(server, repository, wanted(inputs="{ssh-key: KEY}"), clone_of(repository))
    async with running_worker(server, tmp_path / "data", plain_git=True):
        result = await server.finished(held)
    assert result.failure_class is FailureClass.USER
    assert "`ssh-key` is not taken" in result.reason + held.text()


async def test_a_mirror_that_was_removed_is_made_again(
    tmp_path: Path, host: GitServer, repository: Repository
) -> None:
    server = FakeServer()
    for _ in range(2):
        await run(server, tmp_path / "data", add(server, repository, wanted(), clone_of(repository)))
        shutil.rmtree(tmp_path / "data/mirrors")
    assert host.fetches.total() == 2
