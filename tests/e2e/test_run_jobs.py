"""Jobs of a run: order, matrices, outputs, what one failure does to the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.executor_fake import FakeExecutor, FakeMachine
from pawl.adapters.runs_folder.artifacts import FolderArtifacts
from pawl.adapters.runs_folder.logs import FolderLogs
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, RunNumber
from pawl.core.model.run_events import JobProgress, JobQueued, JobSkipped, JobStarted, StepFinished
from pawl.core.model.status import Conclusion, FailureClass
from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.request import RunRequest
from pawl.engine.execution.run import execute_run
from pawl.ports.logs import LogLine, LogSummary, LogWriter
from pawl.testing.builders import FileSource, make_plan
from pawl.testing.clock import FakeClock
from pawl.testing.recording import RecordingReporter
from pawl.testing.scenarios import Finished, Scenario

Run = Callable[..., Awaitable[Finished]]


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine()


@pytest.fixture
def run(tmp_path: Path, machine: FakeMachine) -> Run:
    async def run_text(text: str, *, event: Event | None = None, **request: Any) -> Finished:
        clock = FakeClock(autojump=True)
        executor = FakeExecutor(
            sleep=clock.sleep, machine=machine, images=request.pop("existing_images", None)
        )
        scenario = Scenario(executor=executor, root=tmp_path, clock=clock)
        ended = await scenario.run(make_plan(text, event=event), **request)
        assert machine.sandboxes == {}, "every sandbox is closed"
        assert ended.left_behind == []
        return ended

    return run_text


async def test_outputs_reach_the_jobs_that_need_them(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    outputs: {v: "${{ steps.s.outputs.v }}", empty: "${{ steps.s.outputs.none }}"}
    steps:
      - {id: s, run: x, env: {FAKE_APPEND_GITHUB_OUTPUT: "v=5\\n"}}
  two:
    needs: one
    runs-on: ubuntu-latest
    steps:
      - {id: s, if: needs.one.outputs.v == '5' && needs.one.result == 'success', run: x}
"""
    )

    assert ended.told.job("one").outputs == {"v": "5"}
    assert ended.told.steps("two")["s"] == "success"


async def test_a_matrix_runs_every_combination_at_most_max_parallel_at_once(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  m:
    runs-on: ubuntu-latest
    strategy: {max-parallel: 2, matrix: {n: [1, 2, 3, 4, 5]}}
    steps: [{run: x, env: {FAKE_SLEEP: 10}}]
""",
        jobs_at_once=8,
    )

    assert set(ended.told.jobs().values()) == {"success"}
    assert [event.name for event in ended.told.of(JobQueued)] == [f"m ({n})" for n in range(1, 6)]
    assert 30 <= ended.outcome.duration < 33


async def test_jobs_at_once_bounds_what_runs(run: Run) -> None:
    text = "on: push\njobs:\n" + "".join(
        f"  j{n}: {{runs-on: ubuntu-latest, steps: [{{run: x, env: {{FAKE_SLEEP: 10}}}}]}}\n"
        for n in range(4)
    )

    ended = await run(text, jobs_at_once=2)

    assert 20 <= ended.outcome.duration < 22


async def test_fail_fast_cancels_the_other_combinations(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  m:
    runs-on: ubuntu-latest
    strategy: {matrix: {n: [0, 7]}}
    steps:
      - run: x
        env: {FAKE_SLEEP: "${{ matrix.n && 600 || 1 }}", FAKE_EXIT: "${{ !matrix.n && 1 || 0 }}"}
""",
        jobs_at_once=2,
    )

    assert ended.told.jobs() == {"m#0": "failure", "m#1": "cancelled"}
    assert "fail-fast" in ended.told.job("m#1").reason
    assert ended.outcome.duration < 60


async def test_a_job_is_skipped_when_a_need_failed_and_runs_when_it_asks_to(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  bad: {runs-on: ubuntu-latest, steps: [{run: x, env: {FAKE_EXIT: 4}}]}
  next: {needs: bad, runs-on: ubuntu-latest, steps: [{run: x}]}
  last: {needs: [bad, next], if: always(), runs-on: ubuntu-latest, steps: [{run: x}]}
"""
    )

    assert ended.conclusion is Conclusion.FAILURE
    assert [event.job for event in ended.told.of(JobSkipped)] == ["next"]
    assert "did not succeed" in ended.told.of(JobSkipped)[0].reason
    assert ended.told.job("last").conclusion is Conclusion.SUCCESS
    assert ended.outcome.jobs[0].exit_code == 4


async def test_only_the_jobs_asked_for_run_with_what_they_need(run: Run) -> None:
    text = "on: push\njobs:\n" + "".join(
        f"  {key}: {{{needs} runs-on: ubuntu-latest, steps: [{{run: x}}]}}\n"
        for key, needs in (("a", ""), ("b", "needs: a,"), ("c", ""))
    )

    ended = await run(text, only_jobs=frozenset({"b"}))

    assert ended.told.jobs() == {"a": "success", "b": "success"}
    with pytest.raises(UsageError, match="no job `x`"):
        await run(text, only_jobs=frozenset({"x"}))


async def test_a_matrix_filter_picks_combinations(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  m:
    runs-on: ubuntu-latest
    strategy: {matrix: {python: [3.11, 3.12], os: [a, b]}}
    steps: [{run: x}]
  other: {runs-on: ubuntu-latest, steps: [{run: x}]}
""",
        matrix_filter={"python": "3.12"},
    )

    assert ended.told.jobs() == {"m#2": "success", "m#3": "success", "other": "success"}


async def test_a_job_that_cannot_be_resolved_fails_with_the_reason(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  m:
    runs-on: ubuntu-latest
    needs: a
    strategy: {matrix: "${{ fromJSON(needs.a.outputs.none) }}"}
    steps: [{run: x}]
  a: {runs-on: ubuntu-latest, steps: [{run: x}]}
"""
    )

    assert ended.conclusion is Conclusion.FAILURE
    assert "fromJSON" in ended.told.job("m").reason


async def test_infrastructure_failures_are_told_apart_from_the_users(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  lost: {runs-on: ubuntu-latest, steps: [{run: x, env: {FAKE_LOST: 1}}]}
  full: {runs-on: ubuntu-latest, steps: [{run: x, env: {FAKE_OOM: 1}}]}
  broken:
    runs-on: ubuntu-latest
    container: {image: any, env: {FAKE_OPEN_ERROR: the engine is gone}}
    steps: [{run: x}]
  refused:
    runs-on: ubuntu-latest
    container: {image: any, env: {FAKE_OPEN_REFUSED: the service exited}}
    steps: [{run: x}]
""",
        jobs_at_once=4,
    )

    classes = {str(job.id): job.failure_class for job in ended.outcome.jobs}
    assert classes == {
        "lost": FailureClass.USER,
        "full": FailureClass.USER,
        "broken": FailureClass.INFRASTRUCTURE,
        "refused": FailureClass.USER,
    }
    assert "out of memory" in ended.told.job("full").reason
    assert ended.told.job("broken").reason == "the engine is gone"
    assert ended.outcome.failure_class is FailureClass.INFRASTRUCTURE


async def test_a_service_that_died_during_the_job_is_in_the_log_of_its_last_step(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: {image: any, env: {FAKE_TROUBLE: "The service db ended; its last output:\\nno room"}}
    steps: [{run: x}]
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS
    assert "##[warning]The service db ended; its last output:\nno room\n" in ended.log


async def test_a_missing_image_fails_the_job_and_names_it(run: Run) -> None:
    text = "on: push\njobs:\n  a: {runs-on: 'none:1', steps: [{run: x}]}\n"

    ended = await run(text, existing_images=["other"])

    assert "none:1" in ended.told.job("a").reason
    assert ended.told.of(JobStarted)[0].image == "none:1"


async def test_a_label_without_an_image_says_which_setting_is_missing(run: Run) -> None:
    ended = await run("on: push\njobs:\n  a: {runs-on: gpu, steps: [{run: x}]}\n")

    assert "no image is known for the label `gpu`" in ended.told.job("a").reason
    assert "[labels]" in ended.told.job("a").reason


async def test_what_cannot_run_is_refused_before_anything_runs(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - {run: x}
      - {if: github.ref == 'refs/heads/other', uses: elsewhere/never@v1}
      - {uses: actions/setup-python@v5}
"""
    )

    reason = ended.told.job("a").reason
    assert "step 3 (line 9): `actions/setup-python@v5`" in reason
    assert "elsewhere/never" not in reason
    assert [event.step for event in ended.told.of(StepFinished)] == ["__set_up", "__complete"]


async def test_a_remote_action_that_is_skipped_does_not_matter(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{id: no, if: github.ref == 'refs/heads/other', uses: elsewhere/never@v1}, {id: yes, run: x}]
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS
    assert ended.told.steps("a")["no"] == "skipped"


async def test_a_job_tries_again_as_its_retry_says(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    retry: 2
    steps: [{run: x, env: {FAKE_EXIT: "${{ github.run_attempt == 1 && 1 || 0 }}"}}]
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS, ended.log
    assert [event.attempt for event in ended.told.of(JobStarted)] == [1, 2]
    assert any("trying again" in event.message for event in ended.told.of(JobProgress))


async def test_what_a_local_run_does_not_keep_is_said(run: Run) -> None:
    ended = await run(
        """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    concurrency: deploy
    environment: production
    steps: [{run: x}]
"""
    )

    assert ended.conclusion is Conclusion.SUCCESS
    assert ended.log.count("##[warning]") == 2


async def test_a_fault_of_our_own_ends_one_job_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("pawl.engine.execution.job.describe_machine", broken)

    ended = await run("on: push\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: x}]}\n")

    assert ended.told.job("a").failure_class is FailureClass.SYSTEM
    assert "ZeroDivisionError" in ended.told.job("a").reason


class FullDisk:
    """Logs that cannot be written from a certain step on."""

    def __init__(self, inner: FolderLogs, index: int) -> None:
        self._inner = inner
        self._index = index

    def writer(self, job: JobId, attempt: int, index: int, name: str) -> LogWriter:
        if index >= self._index:
            raise InfrastructureError("cannot write the log: No space left on device")
        return self._inner.writer(job, attempt, index, name)

    def read(self, job: JobId, attempt: int, index: int, *, first_line: int = 1) -> Iterator[LogLine]:
        return self._inner.read(job, attempt, index, first_line=first_line)

    def summary(self, job: JobId, attempt: int, index: int) -> LogSummary | None:
        return self._inner.summary(job, attempt, index)


@pytest.mark.parametrize("index", [0, 1, 2])
async def test_a_full_disk_ends_the_job_and_leaves_nothing(
    tmp_path: Path, machine: FakeMachine, index: int
) -> None:
    clock, told = FakeClock(autojump=True), RecordingReporter()
    text = "on: push\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: x}]}\n"

    outcome = await execute_run(
        RunRequest(
            plan=make_plan(text),
            number=RunNumber(1),
            folder=tmp_path / "work",
            owner="tests",
            project=tmp_path,
            images={"ubuntu-latest": "any"},
        ),
        executor=FakeExecutor(sleep=clock.sleep, machine=machine),
        source=FileSource({}),
        logs=FullDisk(FolderLogs(tmp_path / "logs", cap=1000), index),
        artifacts=FolderArtifacts(tmp_path / "artifacts"),
        reporter=told,
        clock=clock,
        cancellation=Cancellation(),
    )

    assert outcome.conclusion is Conclusion.FAILURE
    assert outcome.failure_class is FailureClass.INFRASTRUCTURE
    assert "No space left" in outcome.jobs[0].reason
    assert machine.sandboxes == {}
    assert not any((tmp_path / "work").glob("*"))


async def test_a_lost_process_is_nobodys_fault_when_the_engine_is_gone_too(tmp_path: Path) -> None:
    class Gone(FakeExecutor):
        async def probe(self) -> str:
            raise InfrastructureError("the engine does not answer")

    text = "on: push\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: x, env: {FAKE_LOST: 1}}]}\n"

    ended = await Scenario(executor=Gone(), root=tmp_path).run(make_plan(text))

    assert ended.outcome.failure_class is FailureClass.INFRASTRUCTURE
    assert "the engine does not answer" in ended.told.job("a").reason
