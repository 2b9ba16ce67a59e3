"""What ends a job, a lease or a worker before its time, and that nothing is left then."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from pawl.core.model.errors import Denied
from pawl.core.model.status import Conclusion, FailureClass
from tests.integration.test_worker_jobs import workflow
from tests.integration.worker_server import PATIENCE, FakeServer, Held, running_worker


def endless(folder: Path) -> str:
    """Return a job that says its process id and works until it is ended."""
    return workflow(f"echo $$ > {folder}/pid; echo started; while :; do sleep 0.1; done")


def is_alive(folder: Path) -> bool:
    """Return whether the step's process lives."""
    pid = int((folder / "pid").read_text())
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


async def until_started(server: FakeServer, held: Held) -> None:
    await server.until(lambda: "started\n" in held.text().replace("echo started", ""), "the step runs")


def job_pid(data: Path) -> int:
    """Return the id of the only job's process."""
    (found,) = (data / "jobs").glob("*/process.json")
    return int(found.read_text().partition(":")[2].strip(" }"))


async def test_a_cancelled_job_ends_as_cancelled(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data"):
        await until_started(server, held)
        held.cancel = "asked by a test"
        result = await server.finished(held)
        assert result.conclusion is Conclusion.CANCELLED
        assert result.reason == "asked by a test"
        assert not is_alive(tmp_path)


async def test_a_job_cancelled_at_once_gets_no_last_steps(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path) + "      - if: always()\n        run: echo last\n")
    async with running_worker(server, tmp_path / "data"):
        await until_started(server, held)
        held.at_once, held.cancel = True, "now"
        result = await server.finished(held)
    assert result.conclusion is Conclusion.CANCELLED
    assert "last\n" not in held.text()


async def test_a_worker_that_cannot_renew_stops_its_job_before_the_lease_ends(tmp_path: Path) -> None:
    server = FakeServer(lease_seconds=6)
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        hangs = asyncio.Event()

        async def hang(_call: str) -> None:
            await hangs.wait()

        server.before = hang
        await server.until(lambda: not is_alive(tmp_path), "the step is ended")
        await server.until(lambda: worker.spools == [], "the folder is removed")
        hangs.set()
        server.before = None
        again = server.add(workflow("echo again"))
        assert (await server.finished(again)).conclusion is Conclusion.SUCCESS
    assert held.result is None


async def test_a_job_whose_lease_is_gone_is_stopped_and_forgotten(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        held.stale = True
        await server.until(lambda: worker.spools == [], "the folder is removed")
        assert not is_alive(tmp_path)
    assert held.result is None


async def test_a_worker_whose_token_is_gone_ends_its_jobs_and_itself(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        server.denied = True
        with pytest.raises(Denied):
            async with asyncio.timeout(PATIENCE):
                await worker.task
        assert worker.spools == []
        assert not is_alive(tmp_path)


async def test_a_draining_worker_finishes_what_runs_and_takes_nothing_new(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow(f'echo started; while [ ! -e "{tmp_path}/go" ]; do sleep 0.05; done'))
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        worker.worker.interrupt()
        await server.until(lambda: server.draining, "the server knows")
        later = server.add(workflow("echo later"))
        (tmp_path / "go").touch()
        result = await server.finished(held)
        async with asyncio.timeout(PATIENCE):
            await worker.task
    assert result.conclusion is Conclusion.SUCCESS
    assert later in server.queue
    assert "draining: 1 running, nothing new is taken; once more stops them at once" in worker.notices


async def test_a_worker_that_has_nothing_to_do_tells_that_it_goes(tmp_path: Path) -> None:
    server = FakeServer()
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: bool(server.renewals), "the worker is there")
        lost = asyncio.Event()

        async def lose_the_first(call: str) -> None:
            if call == "renew" and not lost.is_set():
                lost.set()
                await asyncio.Event().wait()

        server.before = lose_the_first
        worker.worker.interrupt()
        async with asyncio.timeout(PATIENCE):
            await worker.task
    assert server.draining
    assert "stopping: nothing runs" in worker.notices


async def test_a_worker_stopped_at_once_gives_its_jobs_back(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        worker.worker.interrupt()
        worker.worker.interrupt()
        async with asyncio.timeout(PATIENCE):
            await worker.task
        assert worker.spools == []
    result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.INFRASTRUCTURE)
    assert result.reason == "the worker w was stopped"
    assert not is_alive(tmp_path)


async def test_a_job_whose_process_is_killed_fails_as_infrastructure(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        os.kill(job_pid(worker.data), signal.SIGKILL)
        result = await server.finished(held)
        assert (result.conclusion, result.failure_class) == (
            Conclusion.FAILURE,
            FailureClass.INFRASTRUCTURE,
        )
        assert "ended without a result" in result.reason
        assert "started" in held.text()
        assert not is_alive(tmp_path)


async def test_below_the_disk_floor_no_job_is_taken(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo never"))
    async with running_worker(server, tmp_path / "data", disk_floor=1 << 60) as worker:
        await server.until(lambda: "less than the floor" in server.health, "the server knows")
        assert held in server.queue
        await worker.drained()
    assert any(notice.startswith("taking no jobs: only") for notice in worker.notices)
