"""Leases, what workers tell under them, and how attempts end without their word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pawl.core.model.errors import Conflict, NotFound, OffsetConflict, StaleLease, TooLarge, UsageError
from pawl.core.model.ids import Epoch, WorkerId
from pawl.core.model.records import AttemptState
from pawl.core.model.status import Conclusion, FailureClass, Status
from pawl.core.model.work import Lease, WorkerHello
from pawl.engine.control import Quotas, Rules
from tests.integration.controlling import ONE, TOKEN, Server, log_end, make_server
from tests.reporting import append_log, tell

RULES = Rules(quotas=Quotas(log=100, log_piece=50, event=500, outputs=100))
PROGRESS = {"type": "job_progress", "time": 1.0, "job": "build", "message": "m"}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = make_server(rules=RULES)
    yield made
    await made.store.aclose()


async def test_a_repeated_request_gets_the_same_leases_while_they_live(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = server.control.workers.lease
    first = await lease(hand.id, "r", 2)
    assert await lease(hand.id, "r", 2) == first
    assert await lease(hand.id, "other", 2) == ()
    await hand.begin(first[0].lease)
    await hand.finish(first[0].lease)
    assert await lease(hand.id, "r", 2) == ()


async def test_a_worker_gets_no_more_than_its_slots_and_what_its_labels_say(server: Server) -> None:
    for _ in range(3):
        await server.trigger()
    other = await server.worker("other", labels=["gpu"])
    assert await other.take() == ()
    hand = await server.worker(labels=["Linux", "x"], slots=2)
    assert len(await hand.take()) == 2
    assert await hand.take() == ()


async def test_a_draining_or_unwell_worker_gets_nothing(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    await server.control.workers.renew(hand.id, [], draining=True)
    assert await hand.take() == ()
    await server.control.workers.renew(hand.id, [], health="the disk is full")
    assert await hand.take() == ()
    await server.control.workers.renew(hand.id, [])
    assert len(await hand.take()) == 1


async def test_whoever_has_not_said_hello_gets_nothing(server: Server) -> None:
    stranger = WorkerId("stranger")
    with pytest.raises(NotFound):
        await server.control.workers.lease(stranger, "r", 1)
    with pytest.raises(NotFound):
        await server.control.workers.renew(stranger, [])
    with pytest.raises(NotFound):
        await server.control.workers.remove(stranger)


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": 0},
        {"name": ""},
        {"name": "a\nb"},
        {"slots": 0},
        {"slots": 10**6},
        {"labels": ("x" * 300,)},
        {"facts": {str(n): "" for n in range(99)}},
    ],
)
async def test_a_hello_that_cannot_be_is_refused(server: Server, change: dict[str, object]) -> None:
    hello = WorkerHello(name="w", labels=("linux",), slots=1, protocol=1, version="1")
    with pytest.raises(UsageError):
        await server.control.workers.hello(TOKEN, replace(hello, **change))


async def test_every_write_of_another_is_refused(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    other = await server.worker("other")
    lease = await hand.take_one()
    await hand.begin(lease)
    older = replace(lease, epoch=Epoch(lease.epoch - 1))
    before = await server.control.runs.attempts(lease.ref.run)
    for worker, claim in ((other.id, lease), (hand.id, older)):
        workers = server.control.workers
        for call in (
            workers.begin(worker, claim),
            tell(workers, claim, 0, [PROGRESS], by=worker),
            append_log(workers, claim, 0, "data", 0, b"x", by=worker),
            replace_finish(server, worker, claim),
            server.control.artifacts.make(worker, claim, "a", [], replace=False),
        ):
            with pytest.raises(StaleLease):
                await call
        (renewal,) = await workers.renew(worker, [claim])
        assert not renewal.alive
    assert await server.control.runs.attempts(lease.ref.run) == before
    assert await server.control.runs.logs(lease.ref.run) == ()


async def replace_finish(server: Server, worker: WorkerId, lease: Lease) -> None:
    hand = await server.worker("w")
    await replace(hand, id=worker).finish(lease)


async def test_beginning_twice_is_once(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await hand.begin(lease)
    assert (await server.states(run.id)) == {"build/1": AttemptState.RUNNING}


async def test_nothing_is_told_or_ended_before_it_has_begun(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    with pytest.raises(StaleLease):
        await tell(server.control.workers, lease, 0, [PROGRESS], by=hand.id)
    with pytest.raises(StaleLease):
        await hand.finish(lease)


async def test_events_are_stored_once_and_in_order(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    workers = server.control.workers
    assert await tell(workers, lease, 0, [PROGRESS, PROGRESS], by=hand.id) == 2
    assert await tell(workers, lease, 1, [PROGRESS, PROGRESS], by=hand.id) == 3
    with pytest.raises(OffsetConflict) as caught:
        await tell(workers, lease, 4, [PROGRESS], by=hand.id)
    assert caught.value.size == 3
    foreign = [
        {**PROGRESS, "job": "other"},
        {"type": "run_finished", "time": 1.0, "conclusion": "success", "duration": 1.0, "jobs": {}},
        {"type": "of a later version"},
        "no event",
        {**PROGRESS, "message": "x" * 600},
    ]
    assert await tell(workers, lease, 3, foreign, by=hand.id) == 8
    told = [each.event for each in await server.control.runs.events(run.id)]
    messages = [e["message"] for e in told if isinstance(e, dict) and e["type"] == "job_progress"]
    assert messages[:3] == ["m"] * 3
    assert "left out" in str(messages[3])
    assert len(messages) == 4
    with pytest.raises(TooLarge):
        await tell(workers, lease, 8, [PROGRESS] * 10_001, by=hand.id)


async def test_a_log_is_whole_before_its_attempt_ends(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    workers = server.control.workers
    await append_log(workers, lease, 0, "data", 0, b"one\n", by=hand.id)
    with pytest.raises(OffsetConflict):
        await append_log(workers, lease, 0, "data", 9, b"two\n", by=hand.id)
    with pytest.raises(OffsetConflict) as caught:
        await hand.finish(lease, logs=(log_end(0, b"one\ntwo\n"),))
    assert caught.value.size == 4
    with pytest.raises(OffsetConflict):
        await hand.finish(lease, logs=(log_end(0, b"ONE\n"),))
    await hand.finish(lease, logs=(log_end(0, b"one\ntwo\n", note="the disk was full"),))
    (log,) = await server.control.runs.logs(run.id)
    assert log.note == "the disk was full"
    (row,) = await server.control.runs.attempts(run.id)
    assert row.log_note == "step 0: the disk was full"


async def test_a_log_has_its_limits(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    workers = server.control.workers
    with pytest.raises(TooLarge):
        await append_log(workers, lease, 0, "data", 0, b"x" * 51, by=hand.id)
    with pytest.raises(TooLarge):
        await append_log(workers, lease, 0, "data", 90, b"x" * 11, by=hand.id)
    for index, offset in ((-1, 0), (0, -1), (10**6, 0)):
        with pytest.raises(UsageError):
            await append_log(workers, lease, index, "data", offset, b"x", by=hand.id)


async def test_an_attempt_has_one_result(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    with pytest.raises(UsageError):
        await hand.finish(lease, Conclusion.SKIPPED)
    await hand.finish(lease, key="k")
    await hand.finish(lease, key="k")
    with pytest.raises(Conflict):
        await hand.finish(lease, Conclusion.FAILURE, key="other")


async def test_outputs_that_are_too_large_fail_the_job(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await hand.finish(lease, outputs={"a": "x" * 101})
    (row,) = await server.control.runs.attempts(run.id)
    assert (row.conclusion, "outputs" in row.reason) == (Conclusion.FAILURE, True)


async def test_a_lease_that_is_renewed_lives_on(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    for _ in range(10):
        server.clock.advance(20)
        (renewal,) = await server.control.workers.renew(hand.id, [lease])
        assert renewal.alive
        report = await server.control.sweep()
        assert report.lost == ()
    await hand.finish(lease)


async def test_what_is_leased_and_never_begins_is_queued_again_and_given_up_at_last(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    for epoch in (1, 2, 3):
        lease = await hand.take_one()
        assert (lease.epoch, lease.ref.attempt) == (epoch, 1)
        server.clock.advance(31)
        report = await server.control.sweep()
        assert report.requeued == ((lease.ref,) if epoch < 3 else ())
    assert report.given_up == (lease.ref,)
    done = await server.control.runs.get(run.id)
    assert (done.conclusion, "given up" in done.needs_attention) == (Conclusion.FAILURE, True)
    with pytest.raises(StaleLease):
        await hand.begin(lease)


async def test_renewals_do_not_keep_for_ever_what_never_begins(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    for _ in range(60):
        server.clock.advance(20)
        await server.control.sweep()
        (renewal,) = await server.control.workers.renew(hand.id, [lease])
    assert not renewal.alive


async def test_the_jobs_of_a_lost_worker_are_tried_again(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await append_log(server.control.workers, lease, 0, "data", 0, b"one\n", by=hand.id)
    server.clock.advance(29)
    assert (await server.control.sweep()).lost == ()
    server.clock.advance(2)
    assert (await server.control.sweep()).lost == (lease.ref,)
    with pytest.raises(StaleLease):
        await hand.finish(lease)
    states = await server.states(run.id)
    assert states == {"build/1": AttemptState.FINISHED, "build/2": AttemptState.QUEUED}
    (first, _) = await server.control.runs.attempts(run.id)
    assert (first.failure_class, first.log_note) == (FailureClass.INFRASTRUCTURE, "its worker was lost")
    (log,) = await server.control.runs.logs(run.id)
    assert (log.size, log.note, log.finished) == (4, "its worker was lost", True)


async def test_a_run_whose_workers_are_all_lost_needs_attention(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    for _ in range(3):
        lease = await hand.take_one()
        await hand.begin(lease)
        server.clock.advance(60)
        await server.control.sweep()
        server.clock.advance(60)
    done = await server.control.runs.get(run.id)
    assert (done.conclusion, "every worker" in done.needs_attention) == (Conclusion.FAILURE, True)


async def test_an_attempt_that_no_worker_can_take_ends_by_the_queue_timeout(server: Server) -> None:
    run = await server.trigger(ONE.replace("linux", "gpu"))
    await server.worker()
    (entry,) = await server.control.queue.entries()
    assert (entry.position, entry.reason) == (1, "no worker has the label `gpu`")
    server.clock.advance(86_401)
    assert len((await server.control.sweep()).timed_out) == 1
    done = await server.control.runs.get(run.id)
    assert (done.status, done.conclusion) == (Status.COMPLETED, Conclusion.FAILURE)
    (row,) = await server.control.runs.attempts(run.id)
    assert row.reason == "it waited 24 hours for a worker with `gpu`"


async def test_a_retry_takes_nothing_from_the_rate_of_its_repository_and_a_rerun_does() -> None:
    server = make_server(rules=Rules(rate=1.0, burst=1))
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await hand.finish(lease, Conclusion.FAILURE, failure_class=FailureClass.INFRASTRUCTURE)
    (_, retry) = await server.control.runs.attempts(run.id)
    assert retry.available_at == server.clock.now() + 10.0
    server.clock.advance(3600)
    # Its hour is over, and the retry has not begun another.
    other = await server.trigger()
    (first,) = await server.control.runs.attempts(other.id)
    assert first.available_at == server.clock.now()
    await server.control.runs.cancel(run.id, by="me")
    await server.control.runs.rerun(run.id, jobs="all", by="me")
    again = (await server.control.runs.attempts(run.id))[-1]
    assert again.available_at == server.clock.now() + 3600.0
    await server.store.aclose()


async def test_a_server_that_was_away_gives_leases_their_time_back(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await server.control.sweep()
    server.clock.advance(500)
    assert await server.control.recover() == 1
    assert (await server.control.sweep()).lost == ()
    (renewal,) = await server.control.workers.renew(hand.id, [lease])
    assert renewal.alive


async def test_a_worker_hears_what_is_not_its_own_any_more(server: Server) -> None:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    gone = replace(lease, epoch=Epoch(99))
    hello = WorkerHello(name="w", labels=("linux",), slots=1, protocol=9, version="1", running=(lease, gone))
    welcome = await server.control.workers.hello(TOKEN, hello)
    assert (welcome.worker, welcome.protocol, welcome.stale) == (hand.id, 1, (gone.ref,))


async def test_a_worker_that_has_drained_and_ended_is_forgotten_soon(server: Server) -> None:
    ready, hand = await server.worker("ready"), await server.worker("drained")
    await server.trigger()
    lease = await hand.take_one()
    await hand.begin(lease)
    for _ in range(5):
        server.clock.advance(10)
        await server.control.workers.renew(hand.id, [lease], draining=True)
        assert (await server.control.sweep()).forgotten == 0
    await hand.finish(lease)
    server.clock.advance(29)
    assert (await server.control.sweep()).forgotten == 0
    server.clock.advance(2)
    assert (await server.control.sweep()).forgotten == 1
    assert [each.id for each in await server.control.workers.all()] == [ready.id]


async def test_a_worker_that_says_nothing_is_forgotten(server: Server) -> None:
    await server.worker()
    server.clock.advance(8 * 86_400)
    assert (await server.control.sweep()).forgotten == 1
    assert await server.control.workers.all() == ()


async def test_a_removed_worker_is_on_record(server: Server) -> None:
    hand = await server.worker()
    await server.control.workers.remove(hand.id, by="me")
    (entry,) = await server.control.audit()
    assert (entry.by, entry.action, entry.target) == ("me", "worker.remove", str(hand.id))
