from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pawl.core.model.ids import JobId
from pawl.core.model.run_events import Annotated, LogAppended, RunEvent
from pawl.core.steps import masking
from pawl.core.steps.annotations import Annotation, AnnotationLevel, annotation
from pawl.core.steps.commands import (
    AddMatcher,
    Command,
    CommandParser,
    Rejected,
    SaveState,
    SetOutput,
)
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.output_log import LONG_LINE, MAX_ANNOTATIONS, StepLog
from pawl.engine.execution.output_reading import LineMatching, OutputReading
from pawl.ports.logs import LogSummary, StoredBlock
from pawl.testing.clock import FakeClock


@dataclass
class Recorder:
    """The log, the reporter and the listener of one step, all remembering."""

    blocks: list[tuple[str, bytes]] = field(default_factory=list)
    events: list[RunEvent] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    finished: int = 0

    def append(self, data: bytes, *, stream: str, time: float) -> StoredBlock | None:
        self.blocks.append((stream, data))
        return StoredBlock(offset=0, first_line=1, data=data)

    def finish(self) -> LogSummary:
        self.finished += 1
        return LogSummary(size=0, lines=0, sha256="")

    def report(self, event: RunEvent) -> None:
        self.events.append(event)

    def text(self, stream: str | None = None) -> bytes:
        return b"".join(data for name, data in self.blocks if stream in (None, name))

    @property
    def annotations(self) -> list[tuple[str, str]]:
        return [(event.level, event.message) for event in self.events if isinstance(event, Annotated)]


@pytest.fixture
def seen() -> Recorder:
    return Recorder()


def make_log(seen: Recorder, *secrets: str) -> StepLog:
    return StepLog(
        seen,
        job=JobId("j"),
        index=2,
        secrets=SecretSet(secrets),
        reporter=seen,
        clock=FakeClock(),
        workspace="/w",
    )


def read(
    seen: Recorder,
    *blocks: bytes,
    secrets: tuple[str, ...] = (),
    debug: bool = False,
    matching: LineMatching | None = None,
    parser: CommandParser | None = None,
) -> bytes:
    """Return the log after `blocks` of standard output."""
    log = make_log(seen, *secrets)
    reading = OutputReading(
        log, on_command=seen.commands.append, debug=debug, matching=matching, parser=parser
    )
    for block in blocks:
        reading.feed(block, stream="out")
    reading.end()
    return seen.text()


def test_plain_output_is_stored_as_it_came(seen: Recorder) -> None:
    data = bytes(range(256)) * 3 + b"\n\r\nstd::vector<a::b>\n a :: b\n"
    assert read(seen, data) == data
    assert seen.commands == []


def test_a_plain_block_is_stored_as_one(seen: Recorder) -> None:
    read(seen, b"a std::string\nb\n", b"c\nd\n")
    assert [data for _, data in seen.blocks] == [b"a std::string\nb\n", b"c\nd\n"]


def test_stored_blocks_are_reported_with_their_place(seen: Recorder) -> None:
    read(seen, b"a\n")
    (event,) = seen.events
    assert isinstance(event, LogAppended)
    assert (event.job, event.index, event.stream, event.data) == ("j", 2, "out", b"a\n")


def test_groups_are_shown_as_the_runner_shows_them(seen: Recorder) -> None:
    log = read(seen, b"::group::Install\nx\n::endgroup::\n")
    assert log == b"##[group]Install\nx\n##[endgroup]\n"


def test_outputs_and_state_are_told_and_leave_no_line(seen: Recorder) -> None:
    log = read(seen, b"a\n::set-output name=v::1%0A2\n::save-state name=s::x\nb\n")
    assert log == b"a\nb\n"
    assert seen.commands == [SetOutput("v", "1\n2"), SaveState("s", "x")]


def test_commands_are_found_however_the_output_is_cut(seen: Recorder) -> None:
    data = b"a\n::set-output name=v::1\r\nb\n##[error]bad\nc"
    assert read(seen, *(data[i : i + 1] for i in range(len(data)))) == b"a\nb\n##[error]bad\nc"
    assert seen.commands == [SetOutput("v", "1")]
    assert seen.annotations == [("error", "bad")]


def test_a_command_on_the_last_line_needs_no_newline(seen: Recorder) -> None:
    read(seen, b"::set-output name=v::1")
    assert seen.commands == [SetOutput("v", "1")]


def test_annotations_are_reported_and_stay_in_the_log(seen: Recorder) -> None:
    log = read(seen, b"::error file=/w/src/a.py,line=3,col=7,title=Oh::broken%0Atwice\n")
    assert log == b"##[error]broken\ntwice\n"
    (event,) = [event for event in seen.events if isinstance(event, Annotated)]
    assert (event.level, event.message, event.title) == ("error", "broken\ntwice", "Oh")
    assert (event.file, event.line, event.column) == ("src/a.py", 3, 7)


def test_annotations_are_masked(seen: Recorder) -> None:
    read(seen, b"::warning title=hunter22::is hunter22\n", secrets=("hunter22",))
    assert seen.annotations == [("warning", "is ***")]
    assert seen.text() == b"##[warning]is ***\n"


def test_a_flood_of_annotations_is_reported_up_to_a_bound_and_logged_whole(seen: Recorder) -> None:
    count = MAX_ANNOTATIONS + 50
    assert read(seen, b"::notice::x\n" * count).count(b"##[notice]x\n") == count
    assert len(seen.annotations) == MAX_ANNOTATIONS


def test_debug_lines_show_only_when_debugging(seen: Recorder) -> None:
    assert read(seen, b"::debug::x\na\n") == b"a\n"
    assert read(Recorder(), b"::debug::x\na\n", debug=True) == b"##[debug]x\na\n"


def test_the_value_of_a_mask_is_never_stored_and_hidden_from_then_on(seen: Recorder) -> None:
    log = read(seen, b"before\n::add-mask::s3cr3t-value\nit is s3cr3t-value\n")
    assert log == b"before\nit is ***\n"


def test_a_mask_acts_on_the_other_stream_too(seen: Recorder) -> None:
    log = make_log(seen)
    reading = OutputReading(log, on_command=seen.commands.append)
    reading.feed(b"::add-mask::s3cr3t-value\n", stream="out")
    reading.feed(b"s3cr3t-value\n", stream="err")
    reading.end()
    assert seen.blocks == [("err", b"***\n")]


def test_a_mask_command_too_long_to_read_is_swallowed_not_shown(seen: Recorder) -> None:
    secret = b"s3cr3t" * 300_000
    blocks = [b"a\n::add-mask::", *(secret[i : i + 50_000] for i in range(0, len(secret), 50_000)), b"\nb\n"]
    log = read(seen, *blocks)
    assert b"s3cr3t" not in log
    assert log.startswith(b"a\n##[warning]An add-mask command longer than 1 MiB")
    assert log.endswith(b"\nb\n")


def test_when_masking_gives_up_output_is_withheld(seen: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "MAX_NEEDLES", 60)
    masks = b"".join(b"::add-mask::value-%d-%d\n" % (n, n) for n in range(100))
    log = read(seen, b"shown\n", masks + b"value-99-99\n", b"more\n")
    assert b"shown" in log
    assert b"value-99" not in log
    assert b"more" not in log
    assert any(isinstance(command, Rejected) and command.fails for command in seen.commands)


def test_a_secret_cut_between_blocks_is_hidden(seen: Recorder) -> None:
    assert read(seen, b"it is s3cr3t", b"-value!\n", secrets=("s3cr3t-value",)) == b"it is ***!\n"


def test_stopped_commands_are_text_until_the_token(seen: Recorder) -> None:
    text = (
        b"::stop-commands::a-long-token\n::set-output name=v::1\n::a-long-token::\n::set-output name=v::2\n"
    )
    log = read(seen, text)
    assert log == b"::stop-commands::***\n::set-output name=v::1\n::***::\n"
    assert seen.commands == [SetOutput("v", "2")]


def test_echo_shows_commands(seen: Recorder) -> None:
    text = (
        b"::echo::on\n::set-output name=v::1\n::add-mask::s3cr3t-value\n::echo::off\n::set-output name=v::2\n"
    )
    assert read(seen, text) == b"::set-output name=v::1\n::add-mask::***\n::echo::off\n"


def test_a_refused_command_is_shown_reported_and_told(seen: Recorder) -> None:
    log = read(seen, b"a\n::set-env name=A::1\nb\n")
    assert log.startswith(b"a\n##[error]The `set-env` command is disabled")
    assert log.endswith(b"\nb\n")
    assert [type(command) for command in seen.commands] == [Rejected]
    assert [level for level, _ in seen.annotations] == ["error"]


def test_a_long_line_is_stored_in_pieces_and_stays_one_line(seen: Recorder) -> None:
    line = b"x" * (LONG_LINE * 3)
    log = read(seen, *(line[i : i + 10_000] for i in range(0, len(line), 10_000)), b"\nnext\n")
    assert log == line + b"\nnext\n"
    assert len(seen.blocks) > 2
    assert max(len(data) for _, data in seen.blocks) < LONG_LINE * 2


def test_commands_after_a_long_line_are_found(seen: Recorder) -> None:
    line = b"x" * (LONG_LINE + 1)
    read(seen, line, b"::set-output name=no::1\n::set-output name=v::1\n")
    assert seen.commands == [SetOutput("v", "1")]


class MatchErrors:
    """A matcher that becomes active when told and finds lines that begin with `E `."""

    def __init__(self) -> None:
        self.active = False

    def feed(self, line: str) -> Annotation | None:
        return annotation(AnnotationLevel.ERROR, line[2:], {}) if line.startswith("E ") else None


def test_problem_matchers_see_each_line_once_they_are_active(seen: Recorder) -> None:
    matching = MatchErrors()

    def on_command(command: Command) -> None:
        assert isinstance(command, AddMatcher)
        matching.active = True

    reading = OutputReading(make_log(seen), on_command=on_command, matching=matching)
    reading.feed(b"E early\n::add-matcher::m.json\nfine\nE late\n", stream="out")
    reading.end()
    assert seen.text() == b"E early\nfine\n##[error]E late\n"
    assert seen.annotations == [("error", "late")]


def test_the_engine_writes_between_whole_lines(seen: Recorder) -> None:
    log = make_log(seen, "s3cr3t-value")
    log.write_group("Run make", ["make s3cr3t-value"])
    log.write(b"half")
    log.write_line("##[error]timed out")
    log.finish()
    assert seen.text() == b"##[group]Run make\nmake ***\n##[endgroup]\n##[error]timed out\nhalf"
    assert seen.finished == 1


def test_the_next_process_begins_on_a_new_line(seen: Recorder) -> None:
    log = make_log(seen)
    for text in (b"one", b"two", b"three\n", b"four\n"):
        log.write(text)
        log.settle()
    assert seen.text() == b"one\ntwo\nthree\nfour\n"


def test_a_line_of_the_engine_ends_a_line_that_was_left_open(seen: Recorder) -> None:
    log = make_log(seen)
    log.write(b"one")
    log.settle()
    log.write_line("done")
    log.write(b"two\n")
    log.settle()
    assert seen.text() == b"one\ndone\ntwo\n"
