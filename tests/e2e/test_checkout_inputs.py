"""The inputs of `actions/checkout` reach the source of a run; what it does not do is told in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.adapters.executor_host import HostExecutor
from pawl.adapters.git.mirror import Access, GitMirrors, MirrorSource
from pawl.adapters.git.tree import WorkingTree
from pawl.core.model.status import Conclusion
from pawl.ports.mirrors import Origin
from pawl.ports.source import Source, SourceState
from pawl.testing.builders import GITHUB_FILE, make_plan
from pawl.testing.scenarios import Finished, Scenario
from tests.git_server import Repository, git_server

NAME = "octo/repo"
WORKFLOW = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {inputs}
      - run: |
          {script}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with git_server(tmp_path / "host") as host:
        made = host.repository(NAME)
        made.commit({"top": "1\n", "src/a": "a\n", "pages/b": "b\n"}, "first")
        made.git("tag", "v1")
        made.git("checkout", "-q", "-b", "side")
        made.commit({"side": "1\n"}, "on the side")
        made.git("checkout", "-q", "main")
        made.push("v1")
        made.commit({"top": "2\n"}, "second")
        made.commit({"top": "3\n"}, "third")
        yield made


def mirrored(repository: Repository, tmp_path: Path) -> Source:
    mirrors = GitMirrors(tmp_path / "mirrors", access=Access(protocols=("http",)))
    sha = repository.git("rev-parse", "HEAD")
    state = SourceState(sha=sha, branch="main", tag=None, dirty=False, repository=NAME, default_branch="main")
    return MirrorSource(mirrors, Origin(name=NAME, url=repository.url), state, ref="refs/heads/main")


async def run(tmp_path: Path, source: Source, inputs: str, script: str) -> Finished:
    plan = make_plan(WORKFLOW.format(inputs=inputs, script=script), path=GITHUB_FILE)
    return await Scenario(executor=HostExecutor(), root=tmp_path / "run", source=source).run(plan)


@pytest.mark.parametrize(
    ("inputs", "script"),
    [
        ("{}", 'test "$(git log --format=%s)" = third && test -e pages/b'),
        ("{fetch-depth: 2}", 'test "$(git rev-list --count HEAD)" = 2'),
        ("{fetch-depth: 0}", 'test "$(git rev-list --count HEAD)" = 3'),
        ("{sparse-checkout: src}", "test -e src/a && test -e top && test ! -e pages"),
        (
            "{ref: side}",
            'test "$(git log --format=%s)" = "on the side" && test "$(git branch --show-current)" = side',
        ),
        ("{ref: refs/tags/v1}", 'test "$(git log --format=%s)" = first && git describe --tags --exact-match'),
        ("{path: below}", "test -e below/pages/b && test ! -e pages"),
    ],
)
async def test_a_mirror_gives_what_is_asked_for(
    repository: Repository, tmp_path: Path, inputs: str, script: str
) -> None:
    ended = await run(tmp_path, mirrored(repository, tmp_path), inputs, script)
    assert ended.conclusion is Conclusion.SUCCESS, ended.log


async def test_a_working_tree_tells_that_it_copies_all(repository: Repository, tmp_path: Path) -> None:
    inputs = "{sparse-checkout: src, fetch-dept: 2, lfs: maybe}"
    ended = await run(tmp_path, WorkingTree(repository.tree), inputs, "test -e pages/b")
    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert "All files are copied, not only src: a local run has them all at hand" in ended.log
    assert "actions/checkout has no input `fetch-dept`" in ended.log
    assert "`lfs: maybe` counts as `false`" in ended.log


async def test_a_ref_that_is_not_there_ends_the_step(repository: Repository, tmp_path: Path) -> None:
    ended = await run(tmp_path, mirrored(repository, tmp_path), "{ref: --upload-pack=id}", "true")
    assert ended.conclusion is Conclusion.FAILURE
    assert "has no branch, tag or commit `--upload-pack=id`" in ended.log


async def test_what_a_mirror_cannot_do_ends_the_step(repository: Repository, tmp_path: Path) -> None:
    ended = await run(tmp_path, mirrored(repository, tmp_path), "{lfs: true}", "true")
    assert ended.conclusion is Conclusion.FAILURE
    assert "`lfs: true` is not done yet" in ended.log
