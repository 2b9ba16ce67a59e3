"""The views of a run, drawn from events made by hand."""

from __future__ import annotations

import json

import pytest

from pawl.cli.terminal.lines import Line, to_text, width_of
from pawl.cli.terminal.screen import ASCII, UNICODE, Screen
from pawl.cli.view.log_text import LineSplitter, Marker, read_line
from pawl.cli.view.machine import JsonView
from pawl.cli.view.picture import Phase, RunPicture
from pawl.cli.view.plain import PlainView
from pawl.cli.view.summary import draw_summary, next_commands
from pawl.cli.view.tree import draw_tree
from pawl.core.model.ids import JobId, JobKey, StepId
from pawl.core.model.run_events import (
    Annotated,
    ArtifactStored,
    CancelRequested,
    JobFinished,
    JobProgress,
    JobQueued,
    JobSkipped,
    JobStarted,
    LogAppended,
    RunEvent,
    RunFinished,
    RunStarted,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from pawl.core.model.status import Conclusion

PLANNED = [(JobKey("lint"), "lint"), (JobKey("test"), "test"), (JobKey("deploy"), "deploy")]


def screen(width: int = 60, height: int = 24, *, colour: bool = False) -> Screen:
    return Screen(colour=colour, is_terminal=True, glyphs=ASCII, width=width, height=height)


def shown(lines: list[Line]) -> list[str]:
    return [to_text(one, colour=False) for one in lines]


def started(executor: str = "host") -> RunStarted:
    return RunStarted(
        time=0,
        number=12,
        workflow="CI",
        path="ci.yml",
        run_name="x",
        event="push",
        executor=executor,
        folder="f",
    )


def log(job: str, index: int, data: bytes, stream: str = "out") -> LogAppended:
    return LogAppended(time=1, job=JobId(job), index=index, offset=0, first_line=1, stream=stream, data=data)


def begin(job: str, key: str, *steps: str) -> list[RunEvent]:
    return [
        JobQueued(time=0, job=JobId(job), key=JobKey(key), name=f"{key} ({job})" if "#" in job else key),
        JobStarted(time=0, job=JobId(job), attempt=1, image="debian:12", steps=steps),
    ]


def step_started(job: str, index: int, name: str) -> StepStarted:
    return StepStarted(time=1, job=JobId(job), index=index, step=StepId(name), name=name)


def step_finished(job: str, index: int, name: str, ending: Conclusion, reason: str = "") -> StepFinished:
    return StepFinished(
        time=3,
        job=JobId(job),
        index=index,
        step=StepId(name),
        name=name,
        outcome=ending,
        conclusion=ending,
        duration=2,
        reason=reason,
    )


def job_finished(job: str, ending: Conclusion, *, kept: str | None = None) -> JobFinished:
    return JobFinished(time=4, job=JobId(job), conclusion=ending, duration=4, kept_sandbox=kept)


def failed_run(*, executor: str = "host", kept: str | None = None) -> list[RunEvent]:
    return [
        started(executor),
        *begin("lint", "lint", "Lint"),
        step_started("lint", 0, "Lint"),
        step_finished("lint", 0, "Lint", Conclusion.SUCCESS),
        job_finished("lint", Conclusion.SUCCESS),
        *begin("test#0", "test", "Set up", "pytest", "Complete"),
        step_started("test#0", 1, "pytest"),
        log("test#0", 1, b"##[group]Run pytest\nshell: bash\n##[endgroup]\nE   assert 1 == 2\n##[error]exit"),
        step_finished("test#0", 1, "pytest", Conclusion.FAILURE, "exit code 2"),
        job_finished("test#0", Conclusion.FAILURE, kept=kept),
        JobSkipped(time=4, job=JobId("deploy"), key=JobKey("deploy"), name="deploy", reason="test failed"),
        RunFinished(time=5, conclusion=Conclusion.FAILURE, duration=5, jobs={}),
    ]


def picture_of(events: list[RunEvent]) -> RunPicture:
    picture = RunPicture.expecting(PLANNED)
    for event in events:
        picture.apply(event)
    return picture


def test_planned_jobs_wait_in_the_plans_order() -> None:
    assert shown(draw_tree(picture_of([started()]), now=65, screen=screen())) == [
        "CI  run 12 - push - host" + " " * 30 + "1m 05s",
        "o lint  waiting",
        "o test  waiting",
        "o deploy  waiting",
    ]


def test_a_matrix_takes_the_place_of_its_job() -> None:
    picture = picture_of([started(), *begin("test#0", "test"), *begin("test#1", "test")])
    assert list(picture.jobs) == ["lint", "test#0", "test#1", "deploy"]


def test_a_running_step_shows_its_last_lines() -> None:
    events = [
        started(),
        *begin("lint", "lint", "Set up", "Lint", "Complete"),
        step_started("lint", 0, "Set up"),
        step_finished("lint", 0, "Set up", Conclusion.SUCCESS),
        step_started("lint", 1, "Lint"),
        log("lint", 1, b"".join(b"line %d\n" % number for number in range(30)) + b"not end"),
        log("lint", 1, b"ed \x1b[2J\x1b[31mred\r\n"),
    ]
    drawn = shown(draw_tree(picture_of(events), now=4, screen=screen()))
    assert drawn[1] == "* lint" + " " * 52 + "4s"
    assert [one.split()[0:2] for one in drawn[2:4]] == [["+", "Set"], ["*", "Lint"]]
    assert drawn[4:10] == [
        *(f"    | line {number}" for number in range(25, 30)),
        "    | not ended red",
    ]
    assert drawn[10] == "  o 1 more step"


def test_progress_outside_steps_is_one_line() -> None:
    progress = JobProgress(time=1, job=JobId("lint"), message="pulling x: 1 of 2 MB")
    drawn = shown(
        draw_tree(picture_of([started(), *begin("lint", "lint"), progress]), now=1, screen=screen())
    )
    assert "  pulling x: 1 of 2 MB" in drawn


@pytest.mark.parametrize(("width", "height"), [(80, 24), (50, 20), (20, 6), (120, 40), (30, 8)])
@pytest.mark.parametrize("jobs", [1, 8, 60])
def test_the_tree_always_fits_the_screen(width: int, height: int, jobs: int) -> None:
    events: list[RunEvent] = [started()]
    for number in range(jobs):
        job = f"test#{number}"
        events += begin(job, "test", "Set up", "中文 a long name of a step that is cut somewhere")
        events += [step_started(job, 1, "中文 a long name of a step"), log(job, 1, b"output\n" * 9)]
        if number % 3 == 0:
            events.append(job_finished(job, Conclusion.FAILURE if number % 2 else Conclusion.SUCCESS))
    lines = draw_tree(picture_of(events), now=100, screen=screen(width, height))
    assert len(lines) < height
    assert max(width_of(one) for one in lines) <= width


def test_a_failed_job_says_why_and_shows_its_tail() -> None:
    drawn = shown(draw_tree(picture_of(failed_run()), now=5, screen=screen()))
    assert any(one.startswith("x test (test#0)  exit code 2 in pytest") for one in drawn)
    assert "    | E   assert 1 == 2" in drawn
    assert "    | exit" in drawn


def test_cancelling_is_visible_before_it_is_done() -> None:
    cancel = CancelRequested(time=1, job=None, reason="interrupted by Ctrl-C")
    assert "cancelling" in shown(draw_tree(picture_of([started(), cancel]), now=1, screen=screen()))[0]


def test_the_summary_names_the_first_failure_and_what_to_type_next() -> None:
    assert shown(draw_summary(picture_of(failed_run()), screen(), folder=".pawl/runs/12")) == [
        "x CI failed in 5.0s  run 12",
        "",
        "  + lint" + " " * 48 + "4.0s",
        "  x test (test#0)  exit code 2 in pytest" + " " * 16 + "4.0s",
        "  - deploy  test failed",
        "",
        "First failure: test (test#0) > pytest: exit code 2",
        "  | E   assert 1 == 2",
        "  | Error: exit",
        "",
        "Logs       .pawl/runs/12",
        "Next       pawl logs 12 --failed",
        "           pawl why 12 test",
    ]


def test_combinations_that_never_began_for_one_reason_are_one_row() -> None:
    events: list[RunEvent] = [started(), *begin("test#0", "test"), job_finished("test#0", Conclusion.FAILURE)]
    for number in range(1, 5):
        job = JobId(f"test#{number}")
        events += [
            JobQueued(time=0, job=job, key=JobKey("test"), name=f"test ({number})"),
            JobFinished(
                time=4,
                job=job,
                conclusion=Conclusion.CANCELLED,
                duration=0,
                reason="fail-fast is on",
                outputs={},
            ),
        ]
    events.append(RunFinished(time=5, conclusion=Conclusion.FAILURE, duration=5, jobs={}))
    rows = shown(draw_summary(picture_of(events), screen(), folder="f"))
    assert [row for row in rows if "fail-fast" in row] == ["  / test: 4 jobs  fail-fast is on"]


def test_the_summary_lists_artifacts_and_each_annotation_once() -> None:
    events = failed_run()
    for job in ("test#0", "lint"):
        events.append(
            Annotated(time=1, job=JobId(job), index=0, level="error", message="no", file="a.py", line=3)
        )
    events.append(ArtifactStored(time=1, job=JobId("lint"), name="dist", files=2, size=1500))
    drawn = shown(draw_summary(picture_of(events), screen(), folder="f"))
    assert drawn.count("error: a.py:3: no") == 1
    assert "Artifacts  dist (2 files, 1.5 kB)" in drawn


def test_the_next_command_fits_what_happened() -> None:
    assert next_commands(picture_of(failed_run(kept="s")))[1] == "pawl shell test"
    again = next_commands(picture_of(failed_run(executor="docker")))[1]
    assert again == "pawl run ci.yml -j test --keep-on-failure"
    good = [started(), RunFinished(time=1, conclusion=Conclusion.SUCCESS, duration=1, jobs={})]
    assert next_commands(picture_of(list(good))) == ["pawl logs 12"]


def test_plain_lines_are_prefixed_and_groups_are_rendered() -> None:
    written: list[str] = []
    view = PlainView(screen(), written.append)
    for event in failed_run():
        view.report(event)
    lines = "".join(written).splitlines()
    assert lines[0] == "CI: run 12, push, on host"
    at = lines.index("[test (test#0)] * pytest")
    assert lines[at + 1 : at + 5] == [
        "[test (test#0)] Run pytest",
        "[test (test#0)] E   assert 1 == 2",
        "[test (test#0)] Error: exit",
        "[test (test#0)] x pytest (2.0s): exit code 2",
    ]
    assert "[deploy] - skipped: test failed" in lines


def test_plain_lines_of_a_job_with_a_long_name_begin_with_its_id() -> None:
    written: list[str] = []
    view = PlainView(screen(), written.append)
    name = "Test on linux with Python 3.11 and sqlite"
    view.report(JobQueued(time=0, job=JobId("test#0"), key=JobKey("test"), name=name))
    view.report(JobStarted(time=0, job=JobId("test#0"), attempt=1, image="debian:12", steps=("a", "b")))
    assert written == [f"[test#0] started {name} in debian:12\n"]


def test_setting_up_and_clearing_away_are_told_only_by_what_they_say() -> None:
    written: list[str] = []
    view = PlainView(screen(), written.append)
    for event in (
        *begin("lint", "lint", "Set up job", "Lint", "Complete job"),
        step_started("lint", 0, "Set up job"),
        log("lint", 0, b"Executor: host\n"),
        step_finished("lint", 0, "Set up job", Conclusion.SUCCESS),
        step_started("lint", 1, "Lint"),
        step_finished("lint", 1, "Lint", Conclusion.SUCCESS),
        step_started("lint", 2, "Complete job"),
        step_finished("lint", 2, "Complete job", Conclusion.FAILURE, "the disk is full"),
    ):
        view.report(event)
    assert "".join(written).splitlines() == [
        "[lint] started in debian:12",
        "[lint] Executor: host",
        "[lint] * Lint",
        "[lint] + Lint (2.0s)",
        "[lint] x Complete job (2.0s): the disk is full",
    ]


def test_only_the_header_of_a_step_is_left_out() -> None:
    written: list[str] = []
    view = PlainView(screen(), written.append)
    view.report(step_started("lint", 1, "Run make"))
    for block in (b"##[group]Run make\nmake\nshell: sh\n", b"##[endgroup]\n##[group]Run tests\nok\n"):
        view.report(log("lint", 1, block))
    assert written[1:] == ["[lint] v Run tests\n[lint]   ok\n"]


def test_one_artifact_file_is_one_file() -> None:
    written: list[str] = []
    stored = ArtifactStored(time=1, job=JobId("lint"), name="dist", files=1, size=3)
    PlainView(screen(), written.append).report(stored)
    assert written == ["[lint] artifact dist: 1 file, 3 B\n"]


def test_a_job_that_took_too_long_is_told_in_words() -> None:
    written: list[str] = []
    PlainView(screen(), written.append).report(job_finished("lint", Conclusion.TIMED_OUT))
    assert written[0].endswith(" timed out in 4.0s\n")


def test_a_skipped_step_says_why() -> None:
    written: list[str] = []
    skipped = StepSkipped(time=1, job=JobId("lint"), index=2, step=StepId("s"), name="Push", reason="no tag")
    PlainView(screen(), written.append).report(skipped)
    assert written == ["[lint] - Push skipped: no tag\n"]


def test_json_is_one_event_a_line() -> None:
    written: list[str] = []
    view = JsonView(written.append)
    for event in [*failed_run(), log("lint", 0, b"\x1b[2J\xff\n")]:
        view.report(event)
    told = [json.loads(line) for line in written]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)
    assert told[0]["type"] == "run_started"
    assert told[-1]["data"] == "\x1b[2J\ufffd\n"
    assert "\x1b" not in "".join(written)


@pytest.mark.parametrize(
    ("raw", "marker", "text"),
    [
        (b"plain", Marker.TEXT, "plain"),
        (b"##[group]Build", Marker.GROUP, "Build"),
        (b"::group::Build%25", Marker.GROUP, "Build%"),
        (b"##[endgroup]", Marker.END_GROUP, ""),
        (b"::error file=a.py,line=1::bad", Marker.ERROR, "bad"),
        (b"##[unknown]x", Marker.TEXT, "##[unknown]x"),
        (b"a ::error::b", Marker.TEXT, "a ::error::b"),
        (b"\xff\xfe", Marker.TEXT, "\ufffd\ufffd"),
    ],
)
def test_markers_of_the_runner_are_understood(raw: bytes, marker: Marker, text: str) -> None:
    line = read_line(raw, colour=False)
    assert (line.marker, line.text) == (marker, text)


def test_lines_are_put_together_and_endless_ones_are_cut() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"a")) == []
    assert list(splitter.feed(b"b\nc")) == [b"ab"]
    assert list(splitter.flush()) == [b"c"]
    assert [len(piece) for piece in splitter.feed(b"x" * 200_000)] == [65536, 65536, 65536]


@pytest.mark.parametrize(
    "block",
    [
        b"a\nb\tc\n",
        "größe 中文\n".encode(),
        b"a\r\n",
        b"\x1b[31mx\n",
        b"::group::G\n",
        b"a\n::error::x\n",
        b"\n\n",
    ],
)
def test_a_block_shown_at_once_looks_as_line_by_line(block: bytes) -> None:
    at_once, by_line = [], []
    PlainView(screen(), at_once.append).report(log("lint", 0, block))
    slow = PlainView(screen(), by_line.append)
    for half in (block[:1], block[1:]):
        slow.report(log("lint", 0, half))
    assert [line.rstrip() for line in "".join(at_once).splitlines()] == [
        line.rstrip() for line in "".join(by_line).splitlines()
    ]


def test_a_new_attempt_begins_from_nothing() -> None:
    again = JobStarted(time=9, job=JobId("test#0"), attempt=2, image=None, steps=("a",))
    picture = picture_of([*failed_run()[:-1], again])
    job = picture.jobs["test#0"]
    assert (job.phase, job.conclusion, job.steps, job.attempt) == (Phase.RUNNING, None, {}, 2)


def test_glyphs_take_one_cell() -> None:
    for glyphs in (ASCII, UNICODE):
        assert all(len(getattr(glyphs, name)) == 1 for name in glyphs.__dataclass_fields__)
