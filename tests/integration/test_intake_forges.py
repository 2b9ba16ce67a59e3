"""From each forge's webhooks to runs: which commit and which workflow file it is that runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.forge import ForgeKind
from pawl.core.model.records import RunRecord
from tests.contract.test_forge_payloads import PULLS, PUSHES
from tests.git_server import GitServer, Mode, Repository, git_server
from tests.integration.intaking import NAME, SECRET, Intaking, intaking
from tests.webhooks import SAMPLES, Sample, signed
from tests.webhooks.sample import AFTER, BASE, BEFORE, HEAD

JOB = "jobs: {one: {runs-on: linux, steps: [{run: make}]}}\n"
FORGES = [pytest.param(kind, id=kind.value) for kind in ForgeKind]


@dataclass(frozen=True)
class Host:
    """A repository whose `main` has three commits' workflows, and whose `topic` is one commit ahead."""

    server: GitServer
    repository: Repository
    commits: dict[str, str]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with git_server(tmp_path_factory.mktemp("host")) as server:
        repository = server.repository(NAME)
        before = repository.commit({"README.md": "hello\n"})
        main = repository.commit(
            {
                ".github/workflows/push.yml": f"on: push\n{JOB}",
                ".github/workflows/request.yml": f"on: pull_request\n{JOB}",
                ".github/workflows/target.yml": f"on: pull_request_target\n{JOB}",
            }
        )
        repository.git("checkout", "-q", "-b", "topic")
        topic = repository.commit(
            {"topic.txt": "new\n", ".github/workflows/target.yml": f"on: pull_request_target\n{JOB}"}
        )
        repository.push("topic")
        repository.git("checkout", "-q", "main")
        yield Host(server, repository, {BEFORE: before, AFTER: main, BASE: main, HEAD: topic})


@pytest.fixture
async def intake(tmp_path: Path, host: Host) -> AsyncIterator[Intaking]:
    host.server.mode = Mode.WELL
    url = f"sqlite:///{tmp_path / 'pawl.db'}"
    async with intaking(tmp_path, url, host.server, host.repository) as made:
        yield made


def sample_of(kind: ForgeKind, titles: dict[ForgeKind, str]) -> Sample:
    return next(each for each in SAMPLES if each.forge is kind and (each.title or each.name) == titles[kind])


async def told(intake: Intaking, host: Host, sample: Sample, **replaced: str) -> list[RunRecord]:
    """Have a sample come in about the real commits, work on it, and return what runs."""
    text = json.dumps(sample.body).replace("acme/app", NAME)
    for made_up, commit in host.commits.items():
        text = text.replace(made_up, commit).replace(made_up[:12], commit[:12])
    for old, new in replaced.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    await intake.project(forge=sample.forge)
    received = signed(sample.forge, sample.name, text.encode(), SECRET, intake.clock.now())
    accepted = await intake.journal.accept(sample.forge, received)
    assert accepted.ignored == ""
    await intake.work()
    return await intake.runs()


def seen(runs: list[RunRecord]) -> list[tuple[str, str, str, str]]:
    return sorted((run.event, run.path.rpartition("/")[2], run.ref, run.sha) for run in runs)


@pytest.mark.parametrize("kind", FORGES)
async def test_a_push_runs_the_commit_that_was_pushed(intake: Intaking, host: Host, kind: ForgeKind) -> None:
    runs = await told(intake, host, sample_of(kind, PUSHES))
    assert seen(runs) == [("push", "push.yml", "refs/heads/main", host.commits[AFTER])]
    assert runs[0].actor == "ann"


@pytest.mark.parametrize("kind", FORGES)
async def test_a_pull_request_runs_its_head_and_its_target_the_base(
    intake: Intaking, host: Host, kind: ForgeKind
) -> None:
    runs = await told(intake, host, sample_of(kind, PULLS))
    assert seen(runs) == [
        ("pull_request", "request.yml", "refs/pull/7/merge", host.commits[HEAD]),
        ("pull_request_target", "target.yml", "refs/heads/main", host.commits[BASE]),
    ]


@pytest.mark.parametrize("kind", [ForgeKind.GITLAB, ForgeKind.BITBUCKET])
async def test_a_target_is_never_run_at_the_head(intake: Intaking, host: Host, kind: ForgeKind) -> None:
    """Also where the base branch is gone and the forge did not say at which commit it was."""
    runs = await told(intake, host, sample_of(kind, PULLS), main="gone")
    assert [run.event for run in runs if run.event == "pull_request_target"] == []
    assert "commit_not_found" in (await intake.only_delivery()).reason


async def test_a_head_that_is_told_by_its_first_digits_is_found_and_no_other(
    intake: Intaking, host: Host
) -> None:
    sample = sample_of(ForgeKind.BITBUCKET, PULLS)
    runs: Any = await told(intake, host, sample, **{host.commits[HEAD][:12]: "e" * 12})
    assert runs == []
    assert "commit_not_found" in (await intake.only_delivery()).reason
