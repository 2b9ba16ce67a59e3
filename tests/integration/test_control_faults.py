"""Faults that come together: groups handed on in the middle of a change, sweeps with a broken run, clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pawl.core.model.errors import Unavailable, UsageError
from pawl.core.model.ids import JobId
from pawl.core.model.records import AttemptState
from pawl.core.model.status import Conclusion, FailureClass, Status
from tests.integration.controlling import ONE, Server, log_end, make_server
from tests.reporting import append_log

STOPPING = "concurrency: {group: deploy, cancel-in-progress: true}\n" + ONE
STOPPING_JOB = ONE.replace("runs-on", "concurrency: {group: deploy, cancel-in-progress: true}\n    runs-on")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = make_server()
    yield made
    await made.store.aclose()


async def test_a_job_that_stops_a_queued_one_has_its_group_at_once(server: Server) -> None:
    first = await server.trigger(STOPPING_JOB)
    second = await server.trigger(STOPPING_JOB)
    assert (await server.control.runs.get(first.id)).conclusion is Conclusion.CANCELLED
    hand = await server.worker()
    assert (await hand.take_one()).ref.run == second.id


async def test_a_run_that_stops_a_queued_one_is_not_said_to_wait(server: Server) -> None:
    await server.trigger(STOPPING)
    second = await server.trigger(STOPPING)
    assert (second.reason, second.started_at is None) == ("", False)


async def test_of_a_matrix_in_one_group_the_last_is_left(server: Server) -> None:
    run = await server.trigger(
        STOPPING_JOB.replace("runs-on", "strategy: {fail-fast: false, matrix: {n: [1, 2, 3]}}\n    runs-on")
    )
    hand = await server.worker()
    assert await hand.run_all() == [JobId("build#2")]
    assert (await server.control.runs.get(run.id)).status is Status.COMPLETED


async def test_a_run_started_again_stops_the_queued_one_of_its_group(server: Server) -> None:
    first = await server.trigger(STOPPING_JOB)
    await server.control.runs.cancel(first.id, by="me")
    second = await server.trigger(STOPPING_JOB)
    await server.control.runs.rerun(first.id, jobs="all", by="me")
    assert (await server.control.runs.get(second.id)).conclusion is Conclusion.CANCELLED
    hand = await server.worker()
    lease = await hand.take_one()
    assert (lease.ref.run, lease.ref.attempt) == (first.id, 2)


async def test_a_sweep_goes_on_past_a_run_that_is_broken(server: Server) -> None:
    broken, sound = await server.trigger(), await server.trigger()
    await server.store.write(lambda tx: tx.runs.save(broken, {"nonsense": True}))
    server.clock.advance(86_401)
    report = await server.control.sweep()
    assert [ref.run for ref in report.timed_out] == [sound.id]
    assert [name.partition(",")[0] for name in report.broken] == [f"run {broken.id}"]
    assert (await server.control.runs.get(sound.id)).status is Status.COMPLETED
    assert AttemptState.FINISHED in (await server.states(sound.id)).values()


async def test_logs_that_cannot_be_looked_at_hold_up_no_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [await server.trigger(), await server.trigger()]
    hand = await server.worker()
    for work in await hand.take():
        await hand.begin(work.lease)
        await append_log(server.control.workers, work.lease, 0, "data", 0, b"x", by=hand.id)

    async def size(*_: object) -> int:
        raise Unavailable("the disk is gone")

    monkeypatch.setattr(server.control.logs, "size", size)
    server.clock.advance(31)
    assert len((await server.control.sweep()).lost) == len(runs)
    for run in runs:
        assert [log.finished for log in await server.control.runs.logs(run.id)] == [True]


@pytest.mark.parametrize("indexes", [(0, 0), (-1,), (10_000,)])
async def test_a_result_with_logs_that_cannot_be_is_refused(server: Server, indexes: tuple[int, ...]) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    with pytest.raises(UsageError):
        await hand.finish(lease, logs=tuple(log_end(index, b"") for index in indexes))
    await hand.finish(lease)


async def test_all_leases_that_lapse_at_once_end_in_one_sweep(server: Server) -> None:
    runs = [await server.trigger() for _ in range(120)]
    server.clock.advance(86_401)
    assert len((await server.control.sweep()).timed_out) == len(runs)


async def test_a_clock_that_was_set_back_while_the_server_was_away_keeps_no_lease_longer(
    server: Server,
) -> None:
    await server.trigger()
    hand = await server.worker()
    await hand.begin(await hand.take_one())
    await server.control.sweep()
    server.clock.advance(-3600)
    await server.control.recover()
    server.clock.advance(31)
    assert len((await server.control.sweep()).lost) == 1


async def test_a_clock_that_was_set_back_makes_no_back_off_longer(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await hand.finish(lease, Conclusion.FAILURE, failure_class=FailureClass.INFRASTRUCTURE)
    await server.control.sweep()
    (entry,) = await server.control.queue.entries()
    assert entry.available_at is not None
    backs_off = entry.available_at - server.clock.now()
    assert backs_off > 0
    server.clock.advance(-7200)
    await server.control.recover()
    server.clock.advance(backs_off + 1)
    assert (await hand.take_one()).ref.attempt == 2


async def test_a_clock_that_was_set_back_lets_nothing_wait_longer_in_the_queue(server: Server) -> None:
    run = await server.trigger()
    await server.control.sweep()
    server.clock.advance(-7200)
    for _ in range(2):
        assert await server.control.recover() == 0
    (entry,) = await server.control.queue.entries()
    assert entry.waiting_since == server.clock.now()
    server.clock.advance(86_399)
    assert (await server.control.sweep()).timed_out == ()
    server.clock.advance(2)
    assert [ref.run for ref in (await server.control.sweep()).timed_out] == [run.id]


async def test_one_job_is_stopped_at_once(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await server.control.runs.cancel(run.id, job=JobId("build"), by="me")
    await server.control.runs.cancel(run.id, job=JobId("build"), by="me", at_once=True)
    (renewal,) = await server.control.workers.renew(hand.id, [lease])
    assert (renewal.cancel, renewal.at_once) == ("cancelled by me", True)


async def test_a_lease_told_again_is_no_longer_than_the_server_keeps_it(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    (first,) = await server.control.workers.lease(hand.id, "same", 1)
    server.clock.advance(20)
    (again,) = await server.control.workers.lease(hand.id, "same", 1)
    assert (first.lease.seconds, again.lease.seconds) == (30, 10)
