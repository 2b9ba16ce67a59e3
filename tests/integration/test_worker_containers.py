"""A worker's jobs in real containers, and that none is left when their process is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.status import Conclusion, FailureClass
from tests.git_server import git_server
from tests.integration.test_worker_files import NAME, SECRET, add, clone_of, wanted
from tests.integration.test_worker_jobs import content, kept_files, workflow
from tests.integration.test_worker_stopping import job_pid, until_started
from tests.integration.worker_server import FakeServer, identity_of, running_worker

pytestmark = pytest.mark.engine
IN_IMAGE = "container: pawl/busybox:test"


@pytest.fixture
async def docker() -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor()
    try:
        await executor.probe()
    except InfrastructureError as error:
        await executor.aclose()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    yield executor
    await executor.aclose()


async def test_a_job_runs_in_a_container(tmp_path: Path, docker: DockerExecutor) -> None:
    server = FakeServer()
    held = server.add(workflow("cat /proc/1/comm; echo hello > file; cat file", IN_IMAGE))
    async with running_worker(server, tmp_path / "data", on=docker) as worker:
        result = await server.finished(held)
        await server.until(lambda: worker.spools == [], "the folder is removed")
    assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
    assert held.log(1).endswith("hello\n")


async def test_a_job_in_a_container_has_the_commit_from_its_workers_mirror_and_no_token(
    tmp_path: Path, docker: DockerExecutor
) -> None:
    script = 'grep "^$GITHUB_SHA" .git/packed-refs && test -e README.md && ! grep -r s3cret .git; env'
    with git_server(tmp_path / "host") as host:
        repository = host.repository(NAME)
        repository.commit({"README.md": "1"})
        host.user, host.secret = "bot", SECRET
        server = FakeServer()
        held = add(server, repository, wanted(script, more=IN_IMAGE), clone_of(repository))
        async with running_worker(server, tmp_path / "data", on=docker, plain_git=True):
            result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, (result.reason, held.text())
    assert "GITHUB_SHA=" in held.text()
    assert SECRET not in held.text()


async def test_the_container_of_a_job_whose_process_was_killed_is_removed(
    tmp_path: Path, docker: DockerExecutor
) -> None:
    server = FakeServer()
    held = server.add(workflow("echo started; while :; do sleep 0.1; done", IN_IMAGE))
    async with running_worker(server, tmp_path / "data", on=docker) as worker:
        await until_started(server, held)
        (spool,) = worker.spools
        owner = f"{identity_of(worker.data)}/{spool}"
        assert await docker.sweep(lambda other: other != owner, dry_run=True) != ()
        os.kill(job_pid(worker.data), signal.SIGKILL)
        result = await server.finished(held)
        assert await docker.sweep(lambda other: other != owner, dry_run=True) == ()
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.INFRASTRUCTURE)


async def test_a_secret_of_a_job_in_a_container_is_in_no_file_but_what_its_steps_write(
    tmp_path: Path, docker: DockerExecutor
) -> None:
    server = FakeServer()
    held = server.add(
        workflow(
            'echo "it is $IT"; while [ ! -e go ]; do sleep 0.05; done; env',
            f"{IN_IMAGE}\n    env:\n      IT: ${{{{ secrets.IT }}}}",
        ),
        secrets={"IT": "correct-horse-battery"},
    )
    async with running_worker(server, tmp_path / "data", on=docker) as worker:
        await server.until(lambda: "it is ***" in held.text(), "it prints")
        holding = [path for path in kept_files(worker.data) if b"correct-horse" in content(path)]
        assert {path.suffix for path in holding} <= {".out"}  # what the step itself printed
        held.cancel, held.at_once = "enough", True
        await server.finished(held)
        await server.until(lambda: worker.spools == [], "the folder is removed")
        assert [path for path in kept_files(worker.data) if b"correct-horse" in content(path)] == []
    assert "correct-horse" not in held.text() + str(held.events)
