from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pawl.adapters.runs_folder import FolderLogs
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import RunEvent
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.output import BLOCK, follow_output
from pawl.engine.execution.output_log import StepLog
from pawl.engine.execution.output_reading import OutputReading
from pawl.ports.executor import Exit
from pawl.testing.clock import FakeClock

JOB = JobId("j")


class Silent:
    def report(self, event: RunEvent) -> None:
        pass


class GivenProcess:
    """A process whose files and end the test decides."""

    def __init__(self, folder: Path) -> None:
        self.stdout = folder / "stdout"
        self.stderr = folder / "stderr"
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    def prints(self, data: bytes, stream: str = "out") -> None:
        with (self.stdout if stream == "out" else self.stderr).open("ab") as file:
            file.write(data)

    async def wait(self) -> Exit:
        return await asyncio.shield(self.ended)

    async def signal(self, name: str) -> None:
        self.ended.set_result(Exit(code=137, reason=name))


class Step:
    """One step's process, log and pump."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(autojump=True)
        self.store = FolderLogs(folder / "logs")
        self.log = StepLog(
            self.store.writer(JOB, 1, 0, "x"),
            job=JOB,
            index=0,
            secrets=SecretSet(),
            reporter=Silent(),
            clock=self.clock,
        )
        self.process = GivenProcess(folder)
        self.reading = OutputReading(self.log, on_command=lambda _: None)

    def follow(self, most: int = sys.maxsize) -> asyncio.Task[Exit]:
        return asyncio.create_task(follow_output(self.process, self.reading, self.clock, most=most))

    @property
    def lines(self) -> list[tuple[str, bytes]]:
        return [(line.stream, line.text) for line in self.store.read(JOB, 1, 0)]

    async def until_lines(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.lines) < count:  # noqa: ASYNC110 - the log is a file, it has no event
                await asyncio.sleep(0.001)


@pytest.fixture
async def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


async def test_output_appears_while_the_process_runs(step: Step) -> None:
    following = step.follow()
    step.process.prints(b"one\n")
    await step.until_lines(1)
    step.process.prints(b"oh\n", "err")
    await step.until_lines(2)
    step.process.ended.set_result(Exit(code=3))
    assert (await following).code == 3
    assert step.lines == [("out", b"one"), ("err", b"oh")]
    step.log.finish()


async def test_everything_written_before_the_end_is_read(step: Step) -> None:
    data = b"".join(b"line %d\n" % n for n in range(100_000))
    assert len(data) > 3 * BLOCK
    step.process.prints(data + b"last")
    step.process.ended.set_result(Exit(code=0))
    await step.follow()
    assert step.log.finish().lines == 100_001


async def test_a_process_without_files_has_no_output(step: Step) -> None:
    step.process.ended.set_result(Exit(code=127, reason="not found"))
    assert (await step.follow()).reason == "not found"
    assert step.log.finish().size == 0


async def test_what_a_left_behind_process_goes_on_writing_does_not_hold_the_step(step: Step) -> None:
    step.process.prints(b"x\n")
    step.process.ended.set_result(Exit(code=0))
    following = step.follow()
    while not following.done():
        step.process.prints(b"more\n" * 100)
        await asyncio.sleep(0)
    assert step.log.finish().lines >= 1


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
async def test_a_file_that_the_job_swapped_is_not_read(step: Step, tmp_path: Path, kind: str) -> None:
    (tmp_path / "private").write_text("host secret\n")
    match kind:
        case "link":
            step.process.stdout.symlink_to(tmp_path / "private")
        case "fifo":
            os.mkfifo(step.process.stdout)
        case _:
            step.process.stdout.mkdir()
    step.process.ended.set_result(Exit(code=0))
    await step.follow()
    assert step.log.finish().size == 0


async def test_a_lost_process_is_told_after_its_output(step: Step) -> None:
    step.process.prints(b"one\n")
    step.process.ended.set_exception(InfrastructureError("the container is gone"))
    with pytest.raises(InfrastructureError, match="gone"):
        await step.follow()
    assert step.lines == [("out", b"one")]
    step.log.finish()


async def test_being_cancelled_stores_what_was_read(step: Step) -> None:
    following = step.follow()
    step.process.prints(b"one\nhal")
    await step.until_lines(1)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert step.lines == [("out", b"one"), ("out", b"hal")]
    step.log.finish()


async def test_the_caller_may_bring_its_own_wait(step: Step) -> None:
    async def stop_and_wait() -> Exit:
        return Exit(code=137, reason="timed out")

    step.process.prints(b"one\n")
    ended = await follow_output(step.process, step.reading, step.clock, wait=stop_and_wait())
    assert ended.reason == "timed out"
    assert step.log.finish().lines == 1


async def test_what_was_read_of_a_large_output_takes_no_disk_any_more(step: Step) -> None:
    size = 3 * BLOCK * 4
    step.process.prints(b"0123456789abcde\n" * (size // 16))
    step.process.prints(b"small\n", "err")
    step.process.ended.set_result(Exit(code=0))
    await step.follow()
    assert step.log.finish().size == size + 6
    assert step.process.stdout.stat().st_size == 0
    assert step.process.stderr.read_bytes() == b"small\n"


async def test_a_file_put_in_the_outputs_place_is_not_emptied(step: Step, tmp_path: Path) -> None:
    large = b"0123456789abcde\n" * (BLOCK // 2)
    step.process.prints(large)
    (tmp_path / "own").write_bytes(large)
    following = step.follow()
    await step.until_lines(1)
    (tmp_path / "own").replace(step.process.stdout)
    step.process.ended.set_result(Exit(code=0))
    await following
    step.log.finish()
    assert step.process.stdout.read_bytes() == large


async def test_a_process_that_would_fill_the_disk_is_killed(step: Step) -> None:
    step.process.prints(b"x" * 999 + b"\n")
    following = step.follow(most=1_000)
    await step.until_lines(1)
    assert not following.done()
    step.process.prints(b"y\n")
    assert (await following).reason == "KILL"
    assert b"The step printed more than" in b"".join(text for _, text in step.lines)
    step.log.finish()
