"""Kills while jobs run in containers: each run ends, the engine has nothing left (fault F5)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.core.model.errors import InfrastructureError
from tests.faults.cycles import kill_and_check, left_by

pytestmark = pytest.mark.engine


@pytest.fixture
def engine() -> None:
    """Ask the engine whether it is there."""

    async def probe() -> None:
        found = DockerExecutor()
        try:
            await found.probe()
        finally:
            await found.aclose()

    try:
        asyncio.run(probe())
    except InfrastructureError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")


@pytest.mark.usefixtures("engine")
def test_jobs_in_containers_survive_kills_and_leave_none_behind(tmp_path: Path) -> None:
    survived = kill_and_check(tmp_path, cycles=2, seed=5, executor="docker")
    assert survived.runs >= 1
    assert left_by(tmp_path) == ()
