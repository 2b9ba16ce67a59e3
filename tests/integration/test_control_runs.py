"""Runs from the trigger to the end, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pawl.core.model.errors import Conflict, NotFound, TooLarge, UsageError
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.records import AttemptState
from pawl.core.model.status import Conclusion, FailureClass, Status
from pawl.engine.control import Trigger
from pawl.ports.store import RunFilter
from tests.integration.controlling import CHAIN, ONE, PATH, Server, log_end, make_server
from tests.reporting import append_log, tell


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = make_server()
    yield made
    await made.store.aclose()


async def test_a_run_goes_from_its_trigger_to_its_end(server: Server) -> None:
    run = await server.trigger()
    assert (run.id, run.number, run.status) == (1, 1, Status.QUEUED)
    hand = await server.worker()
    (work,) = await hand.take()
    assert work.payload.key == "build"
    lease = work.lease
    await hand.begin(lease)
    assert (await server.control.runs.get(run.id)).status is Status.IN_PROGRESS
    told = {"type": "job_started", "time": 1.0, "job": "build", "attempt": 1, "image": None, "steps": ["a"]}
    assert await tell(server.control.workers, lease, 0, [told], by=hand.id) == 1
    size = await append_log(server.control.workers, lease, 1, "data", 0, b"hello\n", name="make", by=hand.id)
    assert size == 6
    await hand.finish(lease, logs=(log_end(1, b"hello\n"),))
    done = await server.control.runs.get(run.id)
    assert (done.status, done.conclusion) == (Status.COMPLETED, Conclusion.SUCCESS)
    assert await server.kinds(run.id) == [
        "run_started",
        "job_queued build",
        "job_started build",
        "job_finished build",
        "run_finished",
    ]
    (log,) = await server.control.runs.logs(run.id)
    assert (log.size, log.finished, log.note) == (6, True, "")


async def test_jobs_come_in_order_and_see_the_outputs_of_their_needs(server: Server) -> None:
    run = await server.trigger(CHAIN)
    hand = await server.worker()
    lease = await hand.take_one()
    assert await hand.take() == ()
    await hand.begin(lease)
    await hand.finish(lease, outputs={"word": "hi"})
    (work,) = await hand.take()
    assert work.lease.ref.job == "test"
    assert dict(work.payload.needs[JobKey("build")].outputs) == {"word": "hi"}
    await hand.begin(work.lease)
    await hand.finish(work.lease, Conclusion.FAILURE)
    assert await hand.run_all() == ["sum"]
    assert (await server.control.runs.get(run.id)).conclusion is Conclusion.FAILURE


async def test_a_matrix_keeps_to_max_parallel_and_fails_fast(server: Server) -> None:
    text = """
on: push
jobs:
  m:
    runs-on: linux
    strategy: {max-parallel: 2, matrix: {n: [1, 2, 3, 4]}}
    steps: [{run: make}]
"""
    run = await server.trigger(text)
    hand = await server.worker()
    first, second = await hand.take()
    await hand.begin(first.lease)
    await hand.begin(second.lease)
    await hand.finish(first.lease)
    (third,) = await hand.take()
    assert third.payload.combination.values == {"n": 3}
    await hand.finish(second.lease, Conclusion.FAILURE)
    states = await server.states(run.id)
    assert states["m#2/1"] is AttemptState.FINISHED
    done = await server.control.runs.get(run.id)
    assert (done.status, done.conclusion) == (Status.COMPLETED, Conclusion.FAILURE)


async def test_a_faulty_file_is_refused_with_its_places(server: Server) -> None:
    with pytest.raises(UsageError, match=r"ci.yml:4:\d+: .*stepz"):
        await server.trigger(
            "on: push\njobs:\n  a:\n    stepz: []\n    runs-on: linux\n    steps: [{run: a}]\n"
        )
    assert await server.control.runs.list(RunFilter()) == ()


async def test_an_event_that_does_not_start_the_workflow_is_refused(server: Server) -> None:
    with pytest.raises(UsageError, match="does not listen to `pull_request`"):
        await server.trigger(event=Event(name="pull_request"))


async def test_what_is_too_large_is_refused(server: Server) -> None:
    with pytest.raises(UsageError, match="more than the 1048576"):
        await server.trigger(ONE + "#" * 1_048_576)
    with pytest.raises(TooLarge):
        await server.trigger(event=Event(name="push", ref="refs/heads/" + "x" * 5000))
    with pytest.raises(UsageError, match="cannot be shown"):
        await server.trigger(event=Event(name="push", repository="a\nb"))


async def test_a_repeated_trigger_makes_one_run(server: Server) -> None:
    first = await server.trigger(request_id="r1")
    assert await server.trigger(request_id="r1") == first
    with pytest.raises(Conflict):
        await server.trigger(CHAIN, request_id="r1")
    assert len(await server.control.runs.list(RunFilter())) == 1


async def test_a_source_that_is_not_stored_is_refused(server: Server) -> None:
    with pytest.raises(NotFound):
        await server.trigger(source="0" * 64)


async def test_a_run_name_tells_the_runs_own_number(server: Server) -> None:
    text = "run-name: number ${{ github.run_number }}\n" + ONE
    await server.trigger(text)
    assert (await server.trigger(text)).run_name == "number 2"


async def test_infrastructure_faults_are_tried_again_later(server: Server) -> None:
    run = await server.trigger()
    hand = await server.worker()
    for attempt in (1, 2, 3):
        lease = await hand.take_one()
        assert lease.ref.attempt == attempt
        await hand.begin(lease)
        await hand.finish(lease, Conclusion.FAILURE, failure_class=FailureClass.INFRASTRUCTURE)
        assert await hand.take() == ()
        server.clock.advance(60)
    done = await server.control.runs.get(run.id)
    assert (done.status, done.conclusion) == (Status.COMPLETED, Conclusion.FAILURE)
    assert len(await server.control.runs.attempts(run.id)) == 3


async def test_unknown_runs_and_jobs_are_told(server: Server) -> None:
    unknown = RunId(7)
    for call in (
        server.control.runs.get(unknown),
        server.control.runs.attempts(unknown),
        server.control.runs.state(unknown),
        server.control.runs.events(unknown),
        server.control.runs.logs(unknown),
        server.control.runs.cancel(unknown, by="me"),
        server.control.runs.rerun(unknown, jobs="all", by="me"),
        server.control.queue.set_priority(unknown, 1, "me"),
    ):
        with pytest.raises(NotFound):
            await call
    run = await server.trigger()
    with pytest.raises(NotFound):
        await server.control.runs.cancel(run.id, job=JobId("nope"), by="me")


async def test_a_text_in_the_log_has_a_job_tried_again(server: Server) -> None:
    run = await server.trigger(
        ONE.replace("runs-on", "retry: {max_attempts: 3, log: [reset by peer]}\n    runs-on")
    )
    hand = await server.worker()
    for data in (b"x\nconnection reset by peer\n", b"no such file\n"):
        lease = await hand.take_one()
        await hand.begin(lease)
        await append_log(server.control.workers, lease, 0, "data", 0, data, by=hand.id)
        await hand.finish(
            lease, Conclusion.FAILURE, failure_class=FailureClass.USER, logs=(log_end(0, data),)
        )
    assert (await server.control.runs.get(run.id)).status is Status.COMPLETED
    assert len(await server.control.runs.attempts(run.id)) == 2


async def test_a_run_that_cannot_begin_is_one_that_has_failed_and_says_why(server: Server) -> None:
    event = Event(name="push", message="Break it\n\nat last", sha="b" * 40, payload={"large": "x"})
    wanted = Trigger(path=PATH, text="jobs: [", event=event, request_id="d:1")
    run = await server.control.runs.refuse(wanted, "ci.yml has an error")
    assert (run.status, run.conclusion, run.reason, run.run_name) == (
        Status.COMPLETED,
        Conclusion.FAILURE,
        "ci.yml has an error",
        "Break it",
    )
    assert await server.control.runs.refuse(wanted, "again") == run == await server.control.runs.get(run.id)
    assert await server.kinds(run.id) == ["run_started", "run_finished"]
    assert await server.control.runs.attempts(run.id) == ()
    with pytest.raises(Conflict, match="failed"):
        await server.control.runs.rerun(run.id, jobs="all", by="ann")
    await server.control.sweep()
    assert (await server.control.runs.get(run.id)).conclusion is Conclusion.FAILURE
