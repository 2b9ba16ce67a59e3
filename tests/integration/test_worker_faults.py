"""What goes wrong around a worker's jobs must cost no other job its slot, its lease or its result."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.adapters.executor_host import HostExecutor
from pawl.core.model.errors import InfrastructureError, Unavailable, UsageError
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Lease, Work
from pawl.worker.spool import Order, Spool
from tests.integration.test_worker_jobs import workflow
from tests.integration.test_worker_stopping import endless, is_alive, until_started
from tests.integration.worker_server import FakeServer, identity_of, running_worker


class LateServer(FakeServer):
    """A server whose first answer with work is lost, and asked for again when the leases are over."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = ""

    async def lease(self, request: str, slots: int, wait: float) -> tuple[Work, ...]:
        if request == self.lost:
            return ()
        works = await super().lease(request, slots, wait)
        if works and not self.lost:
            self.lost = request
            raise Unavailable("the answer is lost")
        return works


class LinkLikeHttp(FakeServer):
    """Tells every error of the bytes that it sends as one of the connection, as HTTP clients do."""

    async def put_blob(self, lease: Lease, chunks: AsyncIterator[bytes], *, digest: str, size: int) -> None:
        try:
            await super().put_blob(lease, chunks, digest=digest, size=size)
        except OSError as error:
            raise Unavailable("the request cannot be written") from error


class BrokenSweep(HostExecutor):
    """An executor that fails in a way that no port allows, while it is told to."""

    broken = False
    swept = 0

    async def sweep(self, is_alive: Callable[[str], bool], *, dry_run: bool = False) -> tuple[str, ...]:
        if self.broken:
            raise RuntimeError("a fault of the test's")
        self.swept += 1
        return await super().sweep(is_alive, dry_run=dry_run)


async def test_an_attempt_that_cannot_be_cleaned_up_keeps_no_slot_and_no_lease(tmp_path: Path) -> None:
    server, executor = FakeServer(), BrokenSweep()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data", on=executor, slots=1) as worker:
        await until_started(server, held)
        executor.broken = True
        held.stale = True
        again = server.add(workflow("echo again"))
        assert (await server.finished(again)).conclusion is Conclusion.SUCCESS
        executor.broken = False
        mine = identity_of(tmp_path / "data")
        assert await executor.sweep(lambda owner: not owner.startswith(mine))
    assert not is_alive(tmp_path)
    assert any("something of it is left" in notice for notice in worker.notices)


async def test_what_a_sweep_could_not_remove_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawl.worker.worker._SWEEP_EVERY", 0.0)
    server, executor = FakeServer(), BrokenSweep()
    executor.broken = True
    async with running_worker(server, tmp_path / "data", on=executor) as worker:
        await server.until(lambda: any("left failed" in told for told in worker.notices), "a sweep failed")
        executor.broken = False
        await server.until(lambda: executor.swept, "another sweep")
        held = server.add(workflow("echo hello"))
        assert (await server.finished(held)).conclusion is Conclusion.SUCCESS


async def test_a_worker_whose_leases_lapsed_before_it_heard_of_them_gets_others(tmp_path: Path) -> None:
    server = LateServer()
    server.add(workflow("echo never"))
    async with running_worker(server, tmp_path / "data"):
        await server.until(lambda: server.lost, "the answer is lost")
        again = server.add(workflow("echo again"))
        assert (await server.finished(again)).conclusion is Conclusion.SUCCESS


async def test_an_order_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_order = Spool.write_order
    refused: list[Path] = []

    def refuse_once(spool: Spool, order: Order) -> None:
        if not refused:
            refused.append(spool.path)
            (spool.path / ".request.json.new").write_text("secret")
            raise InfrastructureError("the disk is full")
        write_order(spool, order)

    monkeypatch.setattr(Spool, "write_order", refuse_once)
    server = FakeServer()
    server.add(workflow("echo never"))
    async with running_worker(server, tmp_path / "data"):
        await server.until(lambda: refused, "refused")
        assert (await server.finished(server.add(workflow("echo next")))).conclusion is Conclusion.SUCCESS
        assert not refused[0].exists()


async def test_a_disk_that_takes_no_source_fails_the_job_and_says_so(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow("echo never").replace("steps:", "steps:\n      - uses: actions/checkout@v4"))
    held.work = replace(held.work, source="a" * 64)
    server.sources["a" * 64] = b"packed"

    async def be_in_the_way(call: str) -> None:
        if call == "begin":
            (spool,) = (tmp_path / "data" / "jobs").iterdir()
            (spool / ".source.pack.new").mkdir()

    server.before = be_in_the_way
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.INFRASTRUCTURE)
    assert f"the worker cannot write them: {_said(errno.EISDIR)}" in result.reason


async def test_artifacts_that_cannot_be_read_any_more_fail_the_job(tmp_path: Path) -> None:
    server = LinkLikeHttp()
    upload = "- uses: actions/upload-artifact@v4\n        with: {name: site, path: out}"
    held = server.add(workflow("echo 1 > out") + f"      {upload}\n")

    async def lose_them(call: str) -> None:
        if call == "put_blob":
            for kept in (tmp_path / "data" / "jobs").glob("*/artifacts/**/out"):
                kept.unlink()

    server.before = lose_them
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.INFRASTRUCTURE)
    assert result.reason.startswith("the worker cannot read the job's artifacts")


def _said(number: int) -> str:
    return OSError(number, "Is a directory").strerror or ""


async def test_a_job_that_has_ended_is_told_after_a_server_was_away_for_longer_than_its_lease(
    tmp_path: Path,
) -> None:
    server = FakeServer(lease_seconds=6)
    held = server.add(workflow("echo done"))
    calls: list[str] = []

    async def be_away(call: str) -> None:
        calls.append(call)
        if "finish" in calls:
            raise Unavailable("the test took the server down")

    server.before = be_away
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: "finish" in calls, "the job has ended")
        (attempt,) = worker.worker._attempts.values()
        await server.until(lambda: attempt.fence.left < -0.5, "the lease is over")
        server.before = None
        assert (await server.finished(held)).conclusion is Conclusion.SUCCESS
        await server.until(lambda: worker.spools == [], "the folder is removed")


async def test_a_worker_whose_server_is_away_ends_when_it_is_told_so_twice(tmp_path: Path) -> None:
    server = FakeServer(lease_seconds=6)
    server.add(workflow("echo done"))
    calls: list[str] = []

    async def be_away(call: str) -> None:
        calls.append(call)
        if "finish" in calls:
            raise Unavailable("the test took the server down")

    server.before = be_away
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: "finish" in calls, "the job has ended")
        worker.worker.interrupt()
        (attempt,) = worker.worker._attempts.values()
        await server.until(lambda: attempt.fence.left < -0.5, "the lease is over")
        await worker.drained()


@pytest.mark.parametrize("error", [UsageError("what a gateway says"), RuntimeError("a fault")])
async def test_an_answer_that_nobody_expects_ends_neither_loop(tmp_path: Path, error: Exception) -> None:
    server = FakeServer()
    failed = {"renew": 0, "lease": 0}

    async def fail(call: str) -> None:
        if call in failed and failed[call] < 2:
            failed[call] += 1
            raise error

    server.before = fail
    async with running_worker(server, tmp_path / "data"):
        await server.until(lambda: set(failed.values()) == {2}, "both failed")
        held = server.add(workflow("echo hello"))
        assert (await server.finished(held)).conclusion is Conclusion.SUCCESS
