"""A worker that is killed and started anew goes on with what its jobs' processes have done meanwhile."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from pawl.core.model.errors import Denied
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Begun
from tests.integration.test_worker_jobs import workflow
from tests.integration.test_worker_stopping import endless, is_alive, until_started
from tests.integration.worker_server import FakeServer, Running, running_worker


async def kill(worker: Running) -> None:
    """End the worker as if it were killed: nothing of its own clean-up for jobs runs."""
    worker.task.cancel()
    await asyncio.gather(worker.task, return_exceptions=True)


async def test_a_job_goes_on_while_its_worker_is_down_and_nothing_is_told_twice(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(
        workflow(
            f'echo started; while [ ! -e "{tmp_path}/go" ]; do sleep 0.05; done; echo meanwhile;'
            f' touch {tmp_path}/went; while [ ! -e "{tmp_path}/end" ]; do sleep 0.05; done; echo after'
        )
    )
    async with running_worker(server, tmp_path / "data") as first:
        await until_started(server, held)
        await kill(first)
        (tmp_path / "go").touch()
        await server.until((tmp_path / "went").exists, "the job goes on")
        assert "meanwhile\n" not in held.log(1).partition("##[endgroup]")[2]
        async with running_worker(server, tmp_path / "data") as second:
            await server.until(lambda: "meanwhile\n" in held.log(1).partition("##[endgroup]")[2], "sent")
            (tmp_path / "end").touch()
            result = await server.finished(held)
            await server.until(lambda: second.spools == [], "the folder is removed")
    assert result.conclusion is Conclusion.SUCCESS, result.reason
    assert held.log(1).endswith("started\nmeanwhile\nafter\n")
    assert len(held.told("job_started")) == 1
    assert [lease.ref for lease in server.hellos[-1].running] == [held.work.lease.ref]


async def test_a_job_that_ended_while_its_worker_was_down_is_told(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow(f'echo started; while [ ! -e "{tmp_path}/go" ]; do sleep 0.05; done'))
    async with running_worker(server, tmp_path / "data") as first:
        await until_started(server, held)
        await kill(first)
        (tmp_path / "go").touch()
        (folder,) = (tmp_path / "data/jobs").iterdir()
        await server.until((folder / "result.json").exists, "the job ends")
        async with running_worker(server, tmp_path / "data"):
            result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS


async def test_what_the_server_has_given_up_meanwhile_is_ended_at_the_start(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as first:
        await until_started(server, held)
        await kill(first)
        assert is_alive(tmp_path)
        held.stale = True
        async with running_worker(server, tmp_path / "data") as second:
            await server.until(lambda: second.spools == [], "the folder is removed")
            assert not is_alive(tmp_path)
    assert held.result is None


async def test_a_server_that_is_down_is_waited_for_and_the_job_goes_on(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(
        workflow(f'echo started; while [ ! -e "{tmp_path}/go" ]; do sleep 0.05; done; echo after')
    )
    async with running_worker(server, tmp_path / "data") as worker:
        await until_started(server, held)
        server.down = True
        (tmp_path / "go").touch()
        (folder,) = (tmp_path / "data/jobs").iterdir()
        await server.until((folder / "result.json").exists, "the job ends")
        assert held.result is None
        server.down = False
        result = await server.finished(held)
        await worker.drained()
    assert result.conclusion is Conclusion.SUCCESS
    assert held.log(1).endswith("started\nafter\n")


async def test_a_worker_whose_token_was_revoked_while_it_was_down_leaves_nothing(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(endless(tmp_path))
    async with running_worker(server, tmp_path / "data") as first:
        await until_started(server, held)
        await kill(first)
        assert is_alive(tmp_path)
        server.denied = True
        async with running_worker(server, tmp_path / "data") as second:
            with pytest.raises(Denied):
                await second.task
            assert second.spools == []
            assert not is_alive(tmp_path)


async def test_an_attempt_that_cannot_be_read_now_is_left_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = tmp_path / "data" / "jobs"
    unreadable, half_made = jobs / "1-build-1-1" / "attempt.json", jobs / "2-build-1-1" / "attempt.json"
    for path in (unreadable, half_made):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"{")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == unreadable:
            raise OSError(errno.EIO, "Input/output error")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    server = FakeServer()
    async with running_worker(server, tmp_path / "data") as worker:
        await server.until(lambda: not half_made.parent.exists(), "what is half made goes")
        await worker.drained()
    assert unreadable.exists()
    assert any("cannot be read, and is left: Input/output error" in told for told in worker.notices)


async def test_a_worker_killed_as_a_job_began_asks_again_for_its_secrets(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(
        workflow("test ${#IT} = 21", "env:\n      IT: ${{ secrets.IT }}"),
        secrets={"IT": "correct-horse-battery"},
    )

    async def lose_the_answer(call: str) -> None:
        if call == "begin":
            held.begun = True
            await asyncio.Event().wait()

    server.before = lose_the_answer
    async with running_worker(server, tmp_path / "data") as first:
        await server.until(lambda: held.begun, "it begins")
        await kill(first)
        (folder,) = (tmp_path / "data/jobs").iterdir()
        kept = await asyncio.to_thread(lambda: [path.read_bytes() for path in folder.iterdir()])
        assert not any(b"correct-horse" in each for each in kept)
        server.before = None
        async with running_worker(server, tmp_path / "data"):
            result = await server.finished(held)
    assert result.conclusion is Conclusion.SUCCESS, result.reason
    assert server.calls.count("begin") == 2


async def test_a_job_whose_secrets_cannot_be_opened_is_not_run(tmp_path: Path) -> None:
    server = FakeServer()
    held = server.add(workflow(f"touch {tmp_path}/ran"))
    held.given = Begun(refused="its secrets cannot be opened: no key")
    async with running_worker(server, tmp_path / "data"):
        result = await server.finished(held)
    assert (result.conclusion, result.failure_class) == (Conclusion.FAILURE, FailureClass.SYSTEM)
    assert result.reason == "its secrets cannot be opened: no key"
    assert not await asyncio.to_thread((tmp_path / "ran").exists)
