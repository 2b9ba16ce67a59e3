"""What an intake tells others of workflows that it does not start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pawl.core.model.events import Event
from pawl.core.model.projects import Project, Verdict
from tests.git_server import GitServer, Repository
from tests.integration.intaking import NAME, ON_PUSH, hosted, intaking


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[GitServer, Repository]]:
    with hosted(tmp_path / "host") as made:
        yield made


async def test_what_filters_keep_out_is_told_by_name(
    tmp_path: Path, host: tuple[GitServer, Repository]
) -> None:
    told: list[Any] = []

    async def tell(project: Project, event: Event, refused: Sequence[tuple[str, Verdict]]) -> None:
        told.append((project.name, event.sha, [(name, verdict.path) for name, verdict in refused]))

    filtered = ON_PUSH.replace("on: push", "on: {push: {paths: ['handbook/**']}}")
    files = {".github/workflows/docs.yml": f"name: Docs\n{filtered}", ".github/workflows/bare.yml": filtered}
    async with intaking(tmp_path, f"sqlite:///{tmp_path}/pawl.db", *host) as made:
        intake = replace(made, desk=replace(made.desk, tell_refused=tell))
        await intake.project()
        sha = host[1].commit(files)
        await intake.push(sha, host[1].git("rev-parse", "HEAD~"))
        await intake.work()
        assert len(await intake.runs()) == 1
    bare, docs = sorted(files)
    assert told == [(NAME, sha, [(bare, bare), ("Docs", docs)])]
