"""What a worker reports of a spool, and how it goes on from the server's answers. No process runs here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from pawl.core.model.errors import Unavailable
from pawl.core.model.line_index import line_records
from pawl.core.model.plan import Json
from pawl.core.model.reports import Report, Reported
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Lease, LogEnd, Result
from pawl.worker.shipper import LIMITS, Shipper
from pawl.worker.spool import Held as HeldSpool
from pawl.worker.spool import Spool, make_spool
from tests.integration.test_worker_jobs import workflow
from tests.integration.worker_server import FakeServer, Held


@dataclass
class Job:
    """A job that a test writes into its spool."""

    server: FakeServer
    held: Held
    spool: Spool
    shipper: Shipper

    def say(self, kind: str, index: int = -1) -> None:
        event: dict[str, Json] = {"type": kind, "name": f"step {index}"}
        event |= {"index": index} if index >= 0 else {}
        with self.spool.events.open("a") as file:
            file.write(json.dumps(event) + "\n")

    def write(self, index: int, data: bytes) -> None:
        path = self.spool.log(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        size = path.stat().st_size if path.exists() else 0
        with path.open("ab") as log, path.with_suffix(".idx").open("ab") as records:
            log.write(data)
            records.write(line_records(data, offset=size, stream="out", time=1.0, continued=False))

    def step(self, index: int, data: bytes) -> None:
        self.say("step_started", index)
        self.write(index, data)
        self.say("step_finished", index)

    def kinds(self) -> list[str]:
        return [str(event["type"]) for event in self.held.events if isinstance(event, dict)]

    async def finish(self) -> None:
        last = await self.shipper.ship_but_last()
        ends = [
            LogEnd(index=index, name="", size=len(data), lines=1, sha256=hashlib.sha256(data).hexdigest())
            for index in self.shipper.logs
            for data in [self.spool.log(index).read_bytes()]
        ]
        result = Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0, logs=tuple(ends))
        await self.server.finish(self.spool.held.lease, result, last)


@pytest.fixture
async def job(tmp_path: Path) -> Job:
    server = FakeServer()
    held = server.add(workflow("true"))
    (work,) = await server.lease("r", 1, 0)
    spool = make_spool(tmp_path, HeldSpool(lease=work.lease, correlation="c", key="k", owner="o"))
    server.calls.clear()
    return Job(server, held, spool, Shipper(spool, server))


async def test_a_short_job_is_told_with_its_end(job: Job) -> None:
    job.say("job_started")
    for index in range(3):
        job.step(index, b"line\n" * (index + 1))
    await job.finish()
    assert job.server.calls == ["finish"]
    assert [job.held.log(index) for index in range(3)] == ["line\n", "line\n" * 2, "line\n" * 3]
    assert job.kinds() == ["job_started", *["step_started", "step_finished"] * 3]


async def test_a_step_ends_for_the_server_only_with_the_last_of_its_log(job: Job) -> None:
    size = 3 * LIMITS.pieces
    job.step(0, (b"x" * 99 + b"\n") * (size // 100))
    job.step(1, b"two\n")
    while "step_finished" not in job.kinds():
        await job.shipper.ship()
        assert ("step_finished" in job.kinds()) == (len(job.held.log(0)) == size // 100 * 100)
    await job.finish()
    assert job.kinds() == ["step_started", "step_finished"] * 2
    assert job.held.log(1) == "two\n"
    assert len(job.held.logs[0, "index"]) == size // 100 * 16
    assert all(sum(len(each.data) for each in r.pieces) <= LIMITS.pieces for r in job.server.reports)
    assert all(len(each.data) <= LIMITS.log for r in job.server.reports for each in r.pieces)


async def test_many_events_go_in_several_reports(job: Job) -> None:
    for _ in range(2 * LIMITS.events + 10):
        job.say("job_progress")
    await job.finish()
    assert job.server.calls == ["report", "report", "finish"]
    assert len(job.held.events) == 2 * LIMITS.events + 10


async def test_an_answer_that_is_lost_costs_nothing(job: Job) -> None:
    report, lost = job.server.report, 1

    async def forget(lease: Lease, told: Report) -> Reported:
        nonlocal lost
        reported = await report(lease, told)
        if lost:
            lost -= 1
            raise Unavailable("the answer was lost")
        return reported

    job.server.report = forget  # type: ignore[method-assign]  # - a lever of this test
    job.say("step_started", 0)
    job.write(0, b"one\n")
    with pytest.raises(Unavailable):
        await job.shipper.ship()
    job.write(0, b"two\n")
    assert not await job.shipper.ship()
    job.say("step_finished", 0)
    await job.finish()
    assert job.held.log(0) == "one\ntwo\n"
    assert job.kinds() == ["step_started", "step_finished"]


async def test_the_server_owns_the_offsets(job: Job) -> None:
    job.say("step_started", 0)
    job.write(0, b"one\ntwo\n")
    assert not await job.shipper.ship()
    del job.held.logs[0, "data"][4:]  # a backup was brought back
    job.held.events.clear()
    job.write(0, b"three\n")
    job.say("step_finished", 0)
    await job.shipper.ship_all()
    await job.finish()
    assert job.held.log(0) == "one\ntwo\nthree\n"
    assert job.kinds() == ["step_started", "step_finished"]


async def test_another_worker_goes_on_where_the_server_is(job: Job) -> None:
    job.step(0, b"one\n")
    await job.shipper.ship_all()
    job.step(1, b"two\n")
    job.shipper = Shipper(job.spool, job.server)
    await job.finish()
    assert (job.held.log(0), job.held.log(1)) == ("one\n", "two\n")
    assert job.kinds() == ["step_started", "step_finished"] * 2


async def test_what_a_crash_cut_off_is_left_out_and_keeps_nobody_waiting(job: Job) -> None:
    job.step(0, b"one\n")
    with job.spool.events.open("a") as file:
        file.write('{"type": "step_fin')
    with job.spool.log(0).with_suffix(".idx").open("ab") as records:
        records.write((1000).to_bytes(8, "little") + bytes(8) + b"torn")
    await job.finish()
    assert job.kinds() == ["step_started", "step_finished"]
    assert len(job.held.logs[0, "index"]) == 16


async def test_a_log_that_the_server_refuses_is_given_up_and_the_rest_is_told(job: Job) -> None:
    job.server.refused.add(0)
    job.step(0, b"one\n")
    job.step(1, b"two\n")
    await job.shipper.ship_all()
    assert "refused" in job.shipper.logs[0].note
    assert (job.held.log(0), job.held.log(1)) == ("", "two\n")
    assert job.kinds() == ["step_started", "step_finished"] * 2
