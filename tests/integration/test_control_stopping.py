"""Cancelling, concurrency groups and starting again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pawl.core.model.errors import Conflict, NotFound, StaleLease
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId
from pawl.core.model.records import AttemptState
from pawl.core.model.status import Conclusion, Status
from tests.integration.controlling import CHAIN, ONE, Server, make_server

GROUP = "concurrency: deploy\n" + ONE
STOPPING = "concurrency: {group: deploy, cancel-in-progress: true}\n" + ONE
KEEPING = "concurrency: {group: deploy, queue: max}\n" + ONE
JOB_GROUP = ONE.replace("runs-on", "concurrency: deploy\n    runs-on")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = make_server()
    yield made
    await made.store.aclose()


async def test_what_is_queued_is_cancelled_at_once_and_never_leased(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    done = await server.control.runs.cancel(run.id, by="me")
    assert (done.status, done.conclusion, done.reason) == (
        Status.COMPLETED,
        Conclusion.CANCELLED,
        "cancelled by me",
    )
    assert await hand.take() == ()
    with pytest.raises(Conflict):
        await server.control.runs.cancel(run.id, by="me")
    (entry,) = await server.control.audit()
    assert (entry.by, entry.action) == ("me", "run.cancel")


async def test_a_leased_attempt_that_has_not_begun_is_taken_back(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    assert (await server.control.runs.cancel(run.id, by="me")).conclusion is Conclusion.CANCELLED
    with pytest.raises(StaleLease):
        await hand.begin(lease)


async def test_a_running_job_hears_of_its_cancellation_by_renewing(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    asked = await server.control.runs.cancel(run.id, by="me", reason="enough")
    assert (asked.status, asked.cancelling) == (Status.IN_PROGRESS, True)
    assert "cancel" in server.topics
    (renewal,) = await server.control.workers.renew(hand.id, [lease])
    assert (renewal.alive, renewal.cancel, renewal.at_once) == (True, "enough", False)
    await server.control.runs.cancel(run.id, by="me", at_once=True)
    (renewal,) = await server.control.workers.renew(hand.id, [lease])
    assert renewal.at_once
    await server.control.runs.cancel(run.id, by="me")
    await hand.finish(lease, Conclusion.CANCELLED)
    done = await server.control.runs.get(run.id)
    assert (done.conclusion, done.cancelling) == (Conclusion.CANCELLED, False)


async def test_a_cancelled_job_whose_worker_is_lost_is_cancelled(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await server.control.runs.cancel(run.id, by="me")
    server.clock.advance(31)
    await server.control.sweep()
    assert (await server.control.runs.get(run.id)).conclusion is Conclusion.CANCELLED


async def test_a_job_that_always_runs_runs_after_a_cancellation(server: Server) -> None:
    run = await server.trigger(CHAIN)
    hand = await server.worker()
    await server.control.runs.cancel(run.id, by="me")
    assert await hand.run_all() == ["sum"]
    assert (await server.control.runs.get(run.id)).conclusion is Conclusion.CANCELLED


async def test_one_job_is_cancelled_by_its_key_or_id(server: Server) -> None:
    text = ONE.replace("runs-on", "strategy: {fail-fast: false, matrix: {n: [1, 2, 3]}}\n    runs-on")
    run = await server.trigger(text)
    await server.control.runs.cancel(run.id, job=JobId("build#1"), by="me")
    states = await server.states(run.id)
    assert [name for name, state in states.items() if state is AttemptState.QUEUED] == [
        "build#0/1",
        "build#2/1",
    ]
    with pytest.raises(Conflict):
        await server.control.runs.cancel(run.id, job=JobId("build#1"), by="me")
    done = await server.control.runs.cancel(run.id, job=JobId("build"), by="me")
    assert done.status is Status.COMPLETED


async def test_a_group_has_one_running_and_one_waiting(server: Server) -> None:
    first, second = await server.trigger(GROUP), await server.trigger(GROUP)
    hand = await server.worker()
    lease = await hand.take_one()
    assert await hand.take() == ()
    (entry,) = await server.control.queue.entries()
    assert (entry.run, entry.job, entry.blocked) == (second.id, None, True)
    assert entry.reason == "concurrency group `deploy` is held by run 1"
    third = await server.trigger(GROUP)
    superseded = await server.control.runs.get(second.id)
    assert (superseded.conclusion, superseded.reason) == (Conclusion.CANCELLED, "superseded by run 3")
    await hand.begin(lease)
    await hand.finish(lease)
    assert (await server.control.runs.get(first.id)).conclusion is Conclusion.SUCCESS
    (work,) = await hand.take()
    assert work.lease.ref.run == third.id


async def test_cancel_in_progress_stops_the_older_run(server: Server) -> None:
    first = await server.trigger(STOPPING)
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    second = await server.trigger(STOPPING)
    assert (await server.control.runs.get(first.id)).cancelling
    assert await hand.take() == ()
    await hand.finish(lease, Conclusion.CANCELLED)
    (work,) = await hand.take()
    assert work.lease.ref.run == second.id


async def test_cancel_in_progress_of_a_queued_run_hands_on_at_once(server: Server) -> None:
    await server.trigger(STOPPING)
    second = await server.trigger(STOPPING)
    hand = await server.worker()
    (work,) = await hand.take()
    assert work.lease.ref.run == second.id


async def test_queue_max_keeps_all_in_order(server: Server) -> None:
    runs = [await server.trigger(KEEPING) for _ in range(4)]
    hand = await server.worker()
    for run in runs:
        lease = await hand.take_one()
        assert lease.ref.run == run.id
        entries = await server.control.queue.entries()
        assert {entry.reason for entry in entries} <= {f"concurrency group `deploy` is held by run {run.id}"}
        assert [entry.position for entry in entries] == list(range(1, len(runs) - run.id + 1))
        await hand.begin(lease)
        await hand.finish(lease)
    assert [(await server.control.runs.get(run.id)).conclusion for run in runs] == [Conclusion.SUCCESS] * 4


async def test_a_group_of_a_job_blocks_the_job(server: Server) -> None:
    first, second = await server.trigger(JOB_GROUP), await server.trigger(JOB_GROUP)
    hand = await server.worker()
    lease = await hand.take_one()
    assert lease.ref.run == first.id
    (entry,) = await server.control.queue.entries()
    assert (entry.run, entry.job, entry.blocked) == (second.id, "build", True)
    third = await server.trigger(JOB_GROUP)
    assert (await server.control.runs.get(second.id)).conclusion is Conclusion.CANCELLED
    await hand.begin(lease)
    await hand.finish(lease)
    (work,) = await hand.take()
    assert work.lease.ref.run == third.id


async def test_groups_of_other_repositories_are_other_groups(server: Server) -> None:
    await server.trigger(GROUP)
    await server.trigger(GROUP, event=Event(name="push", repository="other/one"))
    hand = await server.worker()
    assert len(await hand.take()) == 2


async def test_a_run_starts_again_with_all_its_jobs(server: Server) -> None:
    run = await server.trigger(CHAIN)
    hand = await server.worker()
    with pytest.raises(Conflict):
        await server.control.runs.rerun(run.id, jobs="all", by="me")
    assert await hand.run_all() == ["build", "test", "sum"]
    again = await server.control.runs.rerun(run.id, jobs="all", by="me")
    assert (again.attempt, again.status, again.conclusion) == (2, Status.QUEUED, None)
    assert await hand.run_all() == ["build", "test", "sum"]
    states = await server.states(run.id)
    assert sorted(states) == ["build/1", "build/2", "sum/1", "sum/2", "test/1", "test/2"]
    done = await server.control.runs.get(run.id)
    assert (done.status, done.conclusion) == (Status.COMPLETED, Conclusion.SUCCESS)


async def test_only_what_failed_starts_again_with_what_depends_on_it(server: Server) -> None:
    run = await server.trigger(CHAIN)
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    await hand.finish(lease, outputs={"word": "kept"})
    lease = await hand.take_one()
    await hand.begin(lease)
    await hand.finish(lease, Conclusion.FAILURE)
    await hand.run_all()
    await server.control.runs.rerun(run.id, jobs="failed", by="me")
    (work,) = await hand.take()
    assert (work.lease.ref.job, work.lease.ref.attempt, work.run_attempt) == ("test", 2, 2)
    assert [dict(need.outputs) for need in work.payload.needs.values()] == [{"word": "kept"}]
    await hand.begin(work.lease)
    await hand.finish(work.lease)
    assert await hand.run_all() == ["sum"]
    assert (await server.control.runs.get(run.id)).conclusion is Conclusion.SUCCESS
    with pytest.raises(Conflict):
        await server.control.runs.rerun(run.id, jobs="failed", by="me")


async def test_one_job_starts_again_with_what_depends_on_it(server: Server) -> None:
    run = await server.trigger(CHAIN)
    hand = await server.worker()
    await hand.run_all()
    await server.control.runs.rerun(run.id, jobs=JobId("test"), by="me")
    assert await hand.run_all() == ["test", "sum"]
    with pytest.raises(NotFound):
        await server.control.runs.rerun(run.id, jobs=JobId("nope"), by="me")


async def test_one_combination_of_a_matrix_starts_again(server: Server) -> None:
    text = ONE.replace("runs-on", "strategy: {matrix: {n: [1, 2]}}\n    runs-on")
    run = await server.trigger(text)
    hand = await server.worker()
    await hand.run_all()
    await server.control.runs.rerun(run.id, jobs=JobId("build#1"), by="me")
    (work,) = await hand.take()
    assert (work.lease.ref.job, work.payload.combination.values) == ("build#1", {"n": 2})


async def test_priority_moves_a_run_forward(server: Server) -> None:
    first, second = await server.trigger(), await server.trigger()
    await server.control.queue.set_priority(second.id, 5, "me")
    assert [entry.run for entry in await server.control.queue.entries()] == [second.id, first.id]
    await server.control.queue.set_priority(first.id, 6, "me")
    assert [entry.run for entry in await server.control.queue.entries()] == [first.id, second.id]
    await server.control.runs.cancel(first.id, by="me")
    with pytest.raises(Conflict):
        await server.control.queue.set_priority(first.id, 1, "me")


async def test_an_older_commit_that_comes_late_waits_its_turn_and_stops_nobody(server: Server) -> None:
    newer = await server.trigger(STOPPING)
    waiting = await server.trigger(GROUP)
    older = await server.trigger(STOPPING, gives_way=True)
    ended = [(await server.control.runs.get(run.id)).conclusion for run in (newer, waiting, older)]
    assert ended == [None, None, None]
    hand = await server.worker()
    await hand.run_all()
    ended = [(await server.control.runs.get(run.id)).conclusion for run in (newer, waiting, older)]
    assert ended == [Conclusion.SUCCESS] * 3
