"""Any graph of jobs, whatever their steps do and whenever the run is stopped, ends in order."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.adapters.executor_fake import FakeExecutor, FakeMachine
from pawl.core.model.run_events import JobFinished, JobSkipped, JobStarted, RunEvent, StepStarted
from pawl.testing.builders import make_plan
from pawl.testing.clock import FakeClock
from pawl.testing.scenarios import Finished, Scenario


@st.composite
def workflows(draw: st.DrawFn) -> tuple[str, dict[str, set[str]]]:
    """Return a workflow text and, by job, what it needs."""
    lines, needs = ["on: push", "jobs:"], dict[str, set[str]]()
    for number in range(draw(st.integers(1, 5))):
        key = f"j{number}"
        needs[key] = draw(st.sets(st.sampled_from(sorted(needs)))) if needs else set()
        combinations = draw(st.integers(1, 3))
        lines += [
            f"  {key}:",
            "    runs-on: ubuntu-latest",
            f"    needs: [{', '.join(sorted(needs[key]))}]",
            f"    if: {draw(st.sampled_from(['success()', 'always()', 'failure()', '${{ !cancelled() }}']))}",
            "    strategy:",
            f"      fail-fast: {draw(st.sampled_from(['true', 'false']))}",
            f"      matrix: {{n: {list(range(combinations))}}}",
            "    steps:",
        ]
        for _ in range(draw(st.integers(1, 2))):
            ends = draw(st.sampled_from(["FAKE_EXIT: 0", "FAKE_EXIT: 3", "FAKE_LOST: 1", "FAKE_SLEEP: 50"]))
            when = draw(st.sampled_from(["success()", "always()", "cancelled()"]))
            lines.append(f"      - {{if: {when}, run: x, env: {{{ends}}}}}")
    return "\n".join(lines).replace("needs: []", "continue-on-error: false"), needs


@settings(max_examples=25, deadline=None)
@given(workflows(), st.integers(0, 12), st.booleans())
def test_every_run_ends_with_each_job_ended_once_and_nothing_left(
    drawn: tuple[str, dict[str, set[str]]], stop_after: int, at_once: bool
) -> None:
    text, needs = drawn
    machine = FakeMachine()
    with tempfile.TemporaryDirectory() as root:
        ended = asyncio.run(run(text, Path(root), machine, stop_after, at_once=at_once))

        assert machine.sandboxes == {}
        assert ended.left_behind == []
    over: set[str] = set()
    for event in ended.told.events:
        key = (
            str(event.job).partition("#")[0]
            if isinstance(event, JobStarted | JobFinished | JobSkipped)
            else ""
        )
        if isinstance(event, JobStarted):
            assert needs[key] <= over, "no job starts before all it needs has ended"
        elif key and all_ended(ended, event, key):
            over.add(key)
    names = [event.job for event in ended.told.of(JobFinished)] + [
        event.job for event in ended.told.of(JobSkipped)
    ]
    assert len(names) == len(set(names))
    assert {str(name).partition("#")[0] for name in names} == set(needs)


def all_ended(ended: Finished, last: RunEvent, key: str) -> bool:
    """Return whether `last` is the last end of any job of `key`."""
    ends = [
        event
        for event in ended.told.events
        if isinstance(event, JobFinished | JobSkipped) and str(event.job).partition("#")[0] == key
    ]
    return bool(ends) and ends[-1] is last


async def run(text: str, root: Path, machine: FakeMachine, stop_after: int, *, at_once: bool) -> Finished:
    clock = FakeClock(autojump=True)
    scenario = Scenario(executor=FakeExecutor(sleep=clock.sleep, machine=machine), root=root, clock=clock)

    def stop(event: RunEvent) -> None:
        if isinstance(event, StepStarted) and len(scenario.told.of(StepStarted)) == stop_after:
            scenario.cancellation.request("stopped", at_once=at_once)

    scenario.told.on_event = stop
    return await scenario.run(make_plan(text), jobs_at_once=2)
