"""A container engine that is restarted under a running job (fault F11)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from tests.faults.engines import Engine, engine
from tests.faults.installation import Installation, installation
from tests.faults.processes import until
from tests.faults.work import assert_counted
from tests.simulation.check import check_database

pytestmark = pytest.mark.engine

WORKFLOW = """\
on: workflow_dispatch
jobs:
  work:
    runs-on: ubuntu-latest
    container: pawl/busybox:test
    steps:
      - run: |
          i=0
          until [ -e gate ]; do i=$((i + 1)); echo "line $i"; sleep 0.05; done
          echo "last $i"
"""


class Counting:
    """A run of one job in a container, which counts until a file is in its workspace."""

    def __init__(self, pawl: Installation) -> None:
        """Trigger it and wait until it counts."""
        self._pawl = pawl
        self.run = pawl.api.trigger(WORKFLOW)
        self.wait_for_lines()

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Return the job's attempts."""
        return self._pawl.api.attempts(self.run)

    def wait_for_lines(self) -> None:
        """Wait until the last attempt has told five lines more."""
        before = self._count()
        until(lambda: self._count() >= before + 5, "five more lines")

    def _count(self) -> int:
        lines = self._pawl.api.log_lines(self.run, attempt=len(self.attempts))
        return sum(line.startswith("line ") for line in lines)

    def assert_whole(self, *, attempts: int) -> None:
        """Let it end, and check that its last attempt lost and doubled nothing."""
        for workspace in self._pawl.data.rglob("workspace"):
            (workspace / "gate").touch()
        assert self._pawl.wait_for_end(self.run)["conclusion"] == "success"
        assert len(self.attempts) == attempts
        assert_counted(self._pawl.api.log_lines(self.run, attempt=attempts))


def _left() -> tuple[str, ...]:
    """Return what Pawl has on the engine: containers, networks, volumes."""

    async def look() -> tuple[str, ...]:
        executor = DockerExecutor()
        try:
            return await executor.sweep(lambda _owner: False, dry_run=True)
        finally:
            await executor.aclose()

    return asyncio.run(look())


def _is_holders(line: str) -> bool:
    """Return whether a thing is a holder's, which a worker keeps for its next job."""
    return "pawl-holder-" in line


def _health(pawl: Installation) -> str:
    return str(pawl.api.get("/api/workers")["workers"][0]["health"])


def _assert_first_failed_for(reason: str, work: Counting) -> None:
    first = work.attempts[0]
    assert (first["conclusion"], first["failure_class"]) == ("failure", "infrastructure"), first
    assert reason in first["reason"]


def _end(pawl: Installation) -> None:
    until(lambda: all(_is_holders(line) for line in _left()), "nothing of jobs to be left on the engine")
    assert pawl.stop_server() == 0
    until(lambda: not _left(), "nothing to be left on the engine")
    check_database(pawl.data)


def test_a_job_is_tried_again_once_an_engine_that_was_stopped_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine() as docker:
        monkeypatch.setenv("DOCKER_HOST", docker.address)
        with installation(tmp_path, slots=1, executor="docker") as pawl:
            work = Counting(pawl)
            docker.stop()
            until(lambda: len(work.attempts) == 2, "the end of the attempt whose container is gone")
            until(lambda: "cannot be used" in _health(pawl), "the worker to say that its engine is away")
            assert work.attempts[1]["started_at"] is None
            _start(docker)
            until(lambda: not _health(pawl), "the worker to be well")
            work.wait_for_lines()
            work.assert_whole(attempts=2)
            _assert_first_failed_for("cannot be used", work)
            _end(pawl)


def test_a_job_whose_container_died_with_its_engine_is_not_to_blame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine() as docker:
        monkeypatch.setenv("DOCKER_HOST", docker.address)
        with installation(tmp_path, slots=1, executor="docker") as pawl:
            work = Counting(pawl)
            docker.kill()
            _start(docker)
            until(lambda: len(work.attempts) == 2, "the end of the attempt whose container is gone")
            work.wait_for_lines()
            work.assert_whole(attempts=2)
            _assert_first_failed_for("did not survive its engine's restart", work)
            _end(pawl)


def test_a_job_goes_on_where_containers_outlive_their_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine("--live-restore") as docker:
        monkeypatch.setenv("DOCKER_HOST", docker.address)
        with installation(tmp_path, slots=1, executor="docker") as pawl:
            work = Counting(pawl)
            docker.stop()
            work.wait_for_lines()
            _start(docker)
            work.wait_for_lines()
            work.assert_whole(attempts=1)
            _end(pawl)


def _start(docker: Engine) -> None:
    started = docker.start()
    assert started.returncode == 0, started.stderr
