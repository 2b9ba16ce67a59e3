"""How a worker starts, and what it does when it must not or cannot."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from pawl.adapters.executor_host import HostExecutor
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Welcome, WorkerHello
from pawl.worker.health import Health, disk_problem
from pawl.worker.main import choose_executor, own_folder
from pawl.worker.watchdog import Watchdog
from tests.integration.test_worker_jobs import workflow
from tests.integration.worker_server import PATIENCE, FakeServer, running_worker


def test_a_data_folder_has_one_worker_and_keeps_its_identity(tmp_path: Path) -> None:
    with own_folder(tmp_path / "data") as first:
        refused = pytest.raises(UsageError, match="another worker uses")
        with refused, own_folder(tmp_path / "data"):
            pass
    with own_folder(tmp_path / "data") as again, own_folder(tmp_path / "other") as other:
        assert again == first != other
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="cannot be used"), own_folder(tmp_path / "file/data"):
        pass


async def test_the_executor_that_was_asked_for_is_taken(tmp_path: Path) -> None:
    assert (await choose_executor("host", print, data=tmp_path, identity="me")).kind == "host"
    docker = await choose_executor("docker", print, data=tmp_path, identity="me")
    assert docker.kind == "docker"
    await docker.aclose()


def test_a_loop_that_does_not_turn_is_noticed() -> None:
    noticed = threading.Event()
    watchdog = Watchdog(0.2, on_stuck=lambda _: noticed.set())
    watchdog.start()
    assert noticed.wait(60)
    watchdog.stop()


async def test_an_executor_that_does_not_answer_makes_the_worker_ill_until_it_does(tmp_path: Path) -> None:
    executor = HostExecutor()
    health = Health(executor, tmp_path, floor=0)

    async def refuse() -> str:
        raise InfrastructureError("the engine does not answer")

    works = executor.probe
    executor.probe = refuse  # type: ignore[method-assign]  # - a lever of this test
    assert await health.problem(0.0) == "the engine does not answer"
    executor.probe = works  # type: ignore[method-assign]  # - as above
    assert await health.problem(0.1) == "the engine does not answer"
    assert await health.problem(60.0) == ""


def test_a_disk_with_room_is_no_problem(tmp_path: Path) -> None:
    assert disk_problem(tmp_path, 0) == ""
    assert "less than the floor of" in disk_problem(tmp_path, 1 << 60)
    assert "cannot be looked at" in disk_problem(tmp_path / "nothing", 0)


async def test_a_worker_without_a_common_version_ends(tmp_path: Path) -> None:
    server = FakeServer()

    async def refuse(_hello: WorkerHello) -> Welcome:
        raise UsageError("this server speaks version 7", hint="update the worker")

    server.hello = refuse  # type: ignore[method-assign]  # - a lever of this test
    async with running_worker(server, tmp_path / "data") as worker:
        with pytest.raises(UsageError, match="version 7"):
            async with asyncio.timeout(PATIENCE):
                await worker.task


async def test_a_worker_waits_for_a_server_that_is_not_there_and_says_so(tmp_path: Path) -> None:
    server = FakeServer()
    server.down = True
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: len(worker.notices) > 1, "it says so, again")
        assert all("the test took the server down; trying again in" in each for each in worker.notices)
        server.down = False
        held = server.add(workflow("echo hello"))
        assert (await server.finished(held)).conclusion is Conclusion.SUCCESS


async def test_a_worker_that_waits_for_a_server_can_be_stopped(tmp_path: Path) -> None:
    server = FakeServer()
    server.down = True
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: worker.notices, "it waits")
        await worker.drained()


async def test_one_job_only_where_that_was_asked_for(tmp_path: Path) -> None:
    server = FakeServer()
    first, second = server.add(workflow("echo 1")), server.add(workflow("echo 2"))
    async with running_worker(server, tmp_path / "data", once=True) as worker:
        async with asyncio.timeout(PATIENCE):
            await worker.task
    assert first.result is not None
    assert second.result is None


async def test_a_plan_that_makes_no_sense_fails_the_job_with_a_reason(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo never"))
    plan = held.work.plan
    assert isinstance(plan, dict)
    plan["version"] = 99
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.SYSTEM)
    assert "stored plan of version" in result.reason
