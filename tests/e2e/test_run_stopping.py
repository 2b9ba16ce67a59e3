"""Time limits and cancellation, with a clock that the tests hold."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.executor_fake import FakeExecutor, FakeMachine
from pawl.core.model.run_events import CancelRequested, JobStarted, RunEvent, StepStarted
from pawl.core.model.status import Conclusion
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.request import ExecutionLimits
from pawl.testing.builders import make_plan
from pawl.testing.clock import FakeClock
from pawl.testing.scenarios import Finished, Scenario


class Stopping:
    """A run that is stopped when a step begins, or that takes too long."""

    def __init__(self, root: Path) -> None:
        self.machine = FakeMachine()
        self.clock = FakeClock(autojump=True)
        self.cancellation = Cancellation()
        executor = FakeExecutor(sleep=self.clock.sleep, machine=self.machine)
        self.scenario = Scenario(
            executor=executor, root=root, clock=self.clock, cancellation=self.cancellation
        )

    async def run(
        self, text: str, *, stop_at: str | None = None, at_once: bool = False, **request: Any
    ) -> Finished:
        def stop(event: RunEvent) -> None:
            if isinstance(event, StepStarted) and event.step == stop_at:
                self.cancellation.request("stopped by the test", at_once=at_once)

        self.scenario.told.on_event = stop
        ended = await self.scenario.run(make_plan(text), **request)
        assert self.machine.sandboxes == {}, "every sandbox is closed"
        assert ended.left_behind == []
        return ended


@pytest.fixture
def stopping(tmp_path: Path) -> Stopping:
    return Stopping(tmp_path)


LONG = "FAKE_SLEEP: 100000"


async def test_a_step_times_out_and_counts_as_a_failure(stopping: Stopping) -> None:
    ended = await stopping.run(
        f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - {{id: slow, timeout-minutes: 5, run: x, env: {{{LONG}}}}}
      - {{id: after, if: failure() && steps.slow.outcome == 'failure', run: x}}
"""
    )

    assert ended.told.steps("a") | {"slow": "timed_out", "after": "success"} == ended.told.steps("a")
    assert ended.told.job("a").conclusion is Conclusion.FAILURE
    assert "timed out after 5 minutes" in ended.told.job("a").reason
    assert 300 <= ended.outcome.duration < 305


async def test_a_step_that_ignores_signals_is_killed_after_its_grace(stopping: Stopping) -> None:
    """SIGINT, 7.5 s, SIGTERM, 2.5 s, SIGKILL (GitHub documentation, workflow cancellation)."""
    ended = await stopping.run(
        f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{{timeout-minutes: 1, run: x, env: {{{LONG}, FAKE_IGNORE: INT TERM}}}}]
"""
    )

    assert 70 <= ended.outcome.duration < 71


async def test_a_job_times_out_and_its_always_steps_still_run(stopping: Stopping) -> None:
    ended = await stopping.run(
        f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - {{id: slow, run: x, env: {{{LONG}}}}}
      - {{id: clean, if: always(), run: x}}
"""
    )

    assert ended.told.job("a").conclusion is Conclusion.TIMED_OUT
    assert "timed out after 10 minutes (`timeout-minutes` of the job)" in ended.told.job("a").reason
    assert ended.told.steps("a")["slow"] == "cancelled"
    assert ended.told.steps("a")["clean"] == "success"
    assert ended.conclusion is Conclusion.FAILURE


async def test_a_job_without_a_limit_of_its_own_ends_by_the_default(stopping: Stopping) -> None:
    ended = await stopping.run(
        f"on: push\njobs:\n  a: {{runs-on: ubuntu-latest, steps: [{{run: x, env: {{{LONG}}}}}]}}\n",
        limits=ExecutionLimits(job_timeout=900),
    )

    assert 900 <= ended.outcome.duration < 905
    assert ExecutionLimits().job_timeout == 360 * 60, "GitHub's default"


async def test_cancelling_stops_the_step_and_runs_what_asks_for_it(stopping: Stopping) -> None:
    ended = await stopping.run(
        f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - {{id: slow, run: x, env: {{{LONG}}}}}
      - {{id: no, run: x}}
      - {{id: cares, if: cancelled(), run: x}}
      - {{id: always, if: always() && job.status == 'cancelled', run: x}}
  b: {{needs: a, runs-on: ubuntu-latest, steps: [{{run: x}}]}}
  c: {{needs: a, if: always(), runs-on: ubuntu-latest, steps: [{{run: x}}]}}
""",
        stop_at="slow",
    )

    assert ended.conclusion is Conclusion.CANCELLED
    steps = ended.told.steps("a")
    assert (steps["slow"], steps["no"], steps["cares"], steps["always"]) == (
        "cancelled", "skipped", "success", "success",
    )  # fmt: skip
    assert ended.told.jobs()["b"] == "skipped"
    assert ended.told.jobs()["c"] == "success"
    assert ended.told.job("a").reason == "stopped by the test"
    assert ended.told.of(CancelRequested)


async def test_a_step_that_wants_to_outlive_a_cancellation_does(stopping: Stopping) -> None:
    ended = await stopping.run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{id: slow, if: always(), run: x, env: {FAKE_SLEEP: 20}}]
""",
        stop_at="slow",
    )

    assert ended.told.steps("a")["slow"] == "success"
    assert 20 <= ended.outcome.duration < 22


async def test_five_minutes_after_a_cancellation_everything_ends(stopping: Stopping) -> None:
    ended = await stopping.run(
        f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{{id: slow, if: always(), run: x, env: {{{LONG}}}}}]
""",
        stop_at="slow",
    )

    assert 300 <= ended.outcome.duration < 303
    assert ended.told.steps("a")["slow"] == "cancelled"


async def test_stopping_at_once_gives_no_grace_and_runs_nothing_more(stopping: Stopping) -> None:
    ended = await stopping.run(
        f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - {{id: slow, if: always(), run: x, env: {{{LONG}, FAKE_IGNORE: INT TERM}}}}
      - {{id: always, if: always(), run: x}}
  c: {{needs: a, if: always(), runs-on: ubuntu-latest, steps: [{{run: x}}]}}
""",
        stop_at="slow",
        at_once=True,
    )

    assert ended.conclusion is Conclusion.CANCELLED
    assert ended.told.steps("a")["always"] == "skipped"
    assert [event.job for event in ended.told.of(JobStarted)] == ["a"]
    assert ended.outcome.duration < 1


async def test_a_job_that_is_still_setting_up_can_be_stopped(stopping: Stopping) -> None:
    ended = await stopping.run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: {image: any, env: {FAKE_OPEN_SLEEP: 100000}}
    steps: [{run: x}]
""",
        stop_at="__set_up",
    )

    assert ended.conclusion is Conclusion.CANCELLED
    assert ended.outcome.duration < 2


async def test_cancelling_the_task_itself_still_closes_everything(stopping: Stopping) -> None:
    text = (
        f"on: push\njobs:\n  a: {{runs-on: ubuntu-latest, steps: [{{id: slow, run: x, env: {{{LONG}}}}}]}}\n"
    )
    began = asyncio.Event()

    def note(event: RunEvent) -> None:
        if isinstance(event, StepStarted) and event.step == "slow":
            began.set()

    stopping.scenario.told.on_event = note
    running = asyncio.create_task(stopping.scenario.run(make_plan(text)))
    await began.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert stopping.machine.sandboxes == {}
    assert list((stopping.scenario.root / "work").iterdir()) == []
