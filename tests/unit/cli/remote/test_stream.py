"""A server's log stream becomes the lines that `pawl logs` prints."""

from __future__ import annotations

import re

from pawl.cli.log_printer import LogWish
from pawl.cli.remote.stream import LineFeed, StreamPrinter
from pawl.cli.stored_runs import StepWish
from pawl.cli.terminal.screen import UNICODE, Screen
from pawl.core.model.ids import JobId, JobKey, StepId
from pawl.core.model.run_events import JobFinished, JobQueued, JobStarted, LogAppended, RunEvent, StepFinished
from pawl.core.model.run_events import StepStarted as Started
from pawl.core.model.status import Conclusion

SCREEN = Screen(colour=False, is_terminal=False, glyphs=UNICODE, width=100, height=24)
TEST = JobId("test")


def block(data: bytes, *, line: int = 1, stream: str = "out", index: int = 0) -> LogAppended:
    return LogAppended(time=0.0, job=TEST, index=index, offset=0, first_line=line, stream=stream, data=data)


def begun() -> list[RunEvent]:
    return [
        JobQueued(time=0, job=TEST, key=JobKey("test"), name="Tests"),
        JobStarted(time=0, job=TEST, attempt=1, image=None, steps=("Lint", "Unit")),
        *(
            Started(time=0, job=TEST, index=index, step=StepId(name.lower()), name=name)
            for index, name in enumerate(("Lint", "Unit"))
        ),
    ]


def ended(index: int, outcome: Conclusion) -> StepFinished:
    return StepFinished(
        time=1, job=TEST, index=index, step=StepId("x"), name=("Lint", "Unit")[index],
        outcome=outcome, conclusion=outcome, duration=1,
    )  # fmt: skip


def job_ended() -> JobFinished:
    return JobFinished(time=2, job=TEST, conclusion=Conclusion.SUCCESS, duration=2)


def printed(events: list[RunEvent], wish: LogWish, steps: StepWish) -> list[str]:
    printer = StreamPrinter(SCREEN, wish, steps)
    shown = [text for event in events for text in printer.take(event)]
    return shown + list(printer.finish())


def test_blocks_become_lines_and_a_part_waits_for_its_rest() -> None:
    feed = LineFeed()
    lines = [(each.number, each.text) for each in feed.feed(block(b"one\ntw"))]
    lines += [(each.number, each.text) for each in feed.feed(block(b"err\n", line=3, stream="err"))]
    lines += [(each.number, each.text) for each in feed.feed(block(b"o\nthree", line=2))]
    assert lines == [(1, b"one"), (3, b"err"), (2, b"two")]
    assert [(each.text, each.ended) for each in feed.flush()] == [(b"three", False)]
    assert list(feed.flush()) == []


def test_lines_come_as_they_are_written() -> None:
    events = [*begun(), block(b"a\nb\n"), block(b"c", index=1), ended(1, Conclusion.SUCCESS)]
    assert printed(events, LogWish(with_job=True), StepWish()) == ["[Tests] a", "[Tests] b", "[Tests] c"]


def test_a_job_or_step_can_be_chosen_by_id_name_or_number() -> None:
    events = [*begun(), block(b"a\n"), block(b"b\n", index=1), job_ended()]
    assert printed(events, LogWish(), StepWish(job="tests", step="unit")) == ["b"]
    assert printed(events, LogWish(), StepWish(step="0")) == ["a"]
    assert printed(events, LogWish(), StepWish(job="other")) == []


def test_only_failed_steps_are_shown_once_they_have_failed() -> None:
    events = [
        *begun(), block(b"good\n"), ended(0, Conclusion.SUCCESS),
        block(b"bad\n", index=1), ended(1, Conclusion.FAILURE), job_ended(),
    ]  # fmt: skip
    assert printed(events, LogWish(), StepWish(failed=True)) == ["bad"]


def test_a_tail_is_shown_at_the_end_of_each_step() -> None:
    events = [
        *begun(),
        block(b"1\n2\n3\n"),
        ended(0, Conclusion.SUCCESS),
        block(b"4\n5\n", index=1),
        job_ended(),
    ]
    assert printed(events, LogWish(tail=2), StepWish()) == ["2", "3", "4", "5"]


def test_lines_that_come_after_their_step_has_ended_are_shown_too() -> None:
    events = [*begun(), ended(0, Conclusion.SUCCESS), block(b"late\n"), job_ended()]
    assert printed(events, LogWish(), StepWish()) == ["late"]


def test_a_pattern_picks_lines() -> None:
    events = [*begun(), block(b"error: x\nfine\nerror: y"), job_ended()]
    assert printed(events, LogWish(pattern=re.compile("error")), StepWish()) == ["error: x", "error: y"]
