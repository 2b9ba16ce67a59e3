"""The view without a terminal: one prefixed line after the other, nothing is ever drawn over."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from pawl.cli.terminal.cells import cell_width
from pawl.cli.terminal.durations import count, show_duration, show_size
from pawl.cli.terminal.lines import Line, Piece, Style, line, to_text
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.view.log_text import HeaderSieve, LineSplitter, Marker, ShownLine, harmless_text, read_line
from pawl.cli.view.picture import Phase
from pawl.cli.view.tree import sign_of
from pawl.core.model.ids import JobId
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

# Not the colours that mean well or ill.
_PREFIX_STYLES = (Style.NOTE, Style.OTHER, Style.LINK)
_SHORT_NAME = 16
_LABELS = {
    Marker.ERROR: ("Error: ", Style.BAD),
    Marker.WARNING: ("Warning: ", Style.WARN),
    Marker.NOTICE: ("Notice: ", Style.NOTE),
    Marker.DEBUG: ("Debug: ", Style.FAINT),
    Marker.COMMAND: ("", Style.LINK),
}


def draw_log_line(shown: ShownLine, *, indent: bool, screen: Screen) -> Line | None:
    """Return a log line with its marker rendered; None for a marker that only ends a group."""
    lead = "  " if indent else ""
    match shown.marker:
        case Marker.TEXT:
            return line(lead, shown.text)
        case Marker.GROUP:
            return line(Piece(f"{screen.glyphs.group} {shown.text}", Style.STRONG))
        case Marker.END_GROUP:
            return None
        case _:
            label, style = _LABELS[shown.marker]
            return line(lead, Piece(f"{label}{shown.text}", style))


class LogLines:
    """Turns the log blocks of one step into lines without its header; remembers groups and half lines."""

    def __init__(self, screen: Screen, name: str = "") -> None:
        self._screen = screen
        self._name = name
        self._splitters: dict[str, LineSplitter] = {}
        self._sieve = HeaderSieve()
        self._in_group = False

    def feed_at_once(self, stream: str, data: bytes) -> str | None:
        """Return a block as text when its lines are to be shown as they are; else it must go to `feed`."""
        splitter = self._splitters.get(stream)
        if self._in_group or not self._sieve.is_over or (splitter is not None and not splitter.is_empty):
            return None
        return harmless_text(data)

    def feed(self, stream: str, data: bytes) -> list[Line]:
        """Return the lines that `data` completes."""
        splitter = self._splitters.setdefault(stream, LineSplitter())
        return self._draw(list(splitter.feed(data)))

    def flush(self) -> list[Line]:
        """Return what was left without a newline."""
        return self._draw([raw for splitter in self._splitters.values() for raw in splitter.flush()])

    def _draw(self, lines: list[bytes]) -> list[Line]:
        drawn = []
        for raw in lines:
            was_first = self._sieve.is_first
            kept = self._sieve.keep(raw)
            shown = read_line(raw, colour=self._screen.colour)
            if not kept:
                # A step with a name of its own: what it runs is told in one line.
                if was_first and one_line(shown.text) != self._name:
                    drawn.append(line(Piece(one_line(shown.text), Style.FAINT)))
                continue
            result = draw_log_line(shown, indent=self._in_group, screen=self._screen)
            if shown.marker in {Marker.GROUP, Marker.END_GROUP}:
                self._in_group = shown.marker is Marker.GROUP
            if result is not None:
                drawn.append(result)
        return drawn


class PlainView:
    """Writes each event as lines `[job] text`. `write` gets text with its newline and must not raise."""

    def __init__(self, screen: Screen, write: Callable[[str], None]) -> None:
        self._screen = screen
        self._write = write
        self._names: dict[str, str] = {}
        self._shown_names: dict[str, str] = {}
        self._styles: dict[str, Style] = {}
        self._logs: dict[tuple[str, int], LogLines] = {}
        self._step_names: dict[str, str] = {}
        self._frame: dict[str, tuple[int, int]] = {}

    def report(self, event: RunEvent) -> None:
        """Take one event (ports.reporter)."""
        match event:
            case JobQueued():
                self._meet(event)
            case JobSkipped():
                self._meet(event)
                self._say(event.job, self._ended(Conclusion.SKIPPED, "skipped", event.reason))
            case JobStarted():
                # Setting up and clearing away are steps too; of these only what they say, or their fault.
                self._frame[event.job] = (0, len(event.steps) - 1)
                again = f", attempt {event.attempt}" if event.attempt > 1 else ""
                image = f" in {one_line(event.image)}" if event.image else ""
                name = self._names.get(event.job, "")
                which = f" {name}" if name != self._shown_names.get(event.job, name) else ""
                self._say(event.job, line(Piece(f"started{which}{image}{again}", Style.FAINT)))
            case JobProgress():
                # While a step runs (pulling belongs to the first one) its log has the same line.
                if event.job not in self._step_names:
                    self._say(event.job, line(Piece(one_line(event.message), Style.FAINT)))
            case JobFinished():
                took = f" in {show_duration(event.duration)}"
                word = str(event.conclusion).replace("_", " ")
                self._say(event.job, self._ended(event.conclusion, f"{word}{took}", event.reason))
            case ArtifactStored():
                text = (
                    f"artifact {one_line(event.name)}: {count(event.files, 'file')}, {show_size(event.size)}"
                )
                self._say(event.job, line(Piece(text, Style.FAINT)))
            case CancelRequested():
                self._cancel(event)
            case StepStarted() | StepSkipped() | StepFinished() | LogAppended():
                self._report_step(event)
            case RunStarted():
                text = f"{one_line(event.workflow)}: run {event.number}, {event.event}, on {event.executor}"
                self._write(
                    to_text(line(Piece(one_line(text), Style.STRONG)), colour=self._screen.colour) + "\n"
                )
            case RunFinished() | Annotated():
                pass  # the summary shows them; an annotation is in the step's log too
            case _:
                assert_never(event)

    def _meet(self, event: JobQueued | JobSkipped) -> None:
        """Note how lines of a job begin: with its name, or its id where the name would leave no room."""
        name = one_line(event.name)
        self._names[event.job] = name
        is_long = cell_width(name) > max(_SHORT_NAME, self._screen.width // 4)
        self._shown_names[event.job] = one_line(event.job) if is_long else name

    def _report_step(self, event: StepStarted | StepSkipped | StepFinished | LogAppended) -> None:
        match event:
            case StepStarted():
                name = one_line(event.name)
                self._step_names[event.job] = name
                self._logs[event.job, event.index] = LogLines(self._screen, name)
                if event.index in self._frame.get(event.job, ()):
                    return
                sign = sign_of(None, Phase.RUNNING, self._screen.glyphs)
                self._say(event.job, line(sign, " ", Piece(name, Style.STRONG)))
            case StepSkipped():
                text = f"{one_line(event.name)} skipped"
                self._say(event.job, self._ended(Conclusion.SKIPPED, text, event.reason))
            case LogAppended():
                log = self._logs.setdefault((event.job, event.index), LogLines(self._screen))
                block = log.feed_at_once(event.stream, event.data)
                if block is not None:
                    prefix = self._prefix(event.job) + " "
                    self._write(prefix + block[:-1].replace("\n", f"\n{prefix}") + "\n")
                else:
                    self._say(event.job, *log.feed(event.stream, event.data))
            case StepFinished():
                self._step_names.pop(event.job, None)
                log = self._logs.pop((event.job, event.index), LogLines(self._screen))
                self._say(event.job, *log.flush())
                in_frame = event.index in self._frame.get(event.job, ())
                if in_frame and event.conclusion is Conclusion.SUCCESS:
                    return
                text = f"{one_line(event.name)} ({show_duration(event.duration)})"
                self._say(event.job, self._ended(event.conclusion, text, event.reason))
            case _:
                assert_never(event)

    def _ended(self, conclusion: Conclusion, text: str, reason: str) -> Line:
        sign = sign_of(conclusion, Phase.ENDED, self._screen.glyphs)
        why = f": {one_line(reason)}" if reason else ""
        return line(sign, " ", Piece(f"{text}{why}", sign.style))

    def _cancel(self, event: CancelRequested) -> None:
        text = f"cancelling: {one_line(event.reason)}"
        if event.job is None:
            self._write(to_text(line(Piece(text, Style.WARN)), colour=self._screen.colour) + "\n")
        else:
            self._say(event.job, line(Piece(text, Style.WARN)))

    def _prefix(self, job: JobId) -> str:
        name = self._shown_names.get(job, job)
        style = self._styles.setdefault(job, _PREFIX_STYLES[len(self._styles) % len(_PREFIX_STYLES)])
        return to_text(line(Piece(f"[{name}]", style)), colour=self._screen.colour)

    def _say(self, job: JobId, *lines: Line) -> None:
        if not lines:
            return
        prefix = self._prefix(job)
        texts = (to_text(one, colour=self._screen.colour) for one in lines)
        self._write("".join(f"{prefix} {text}".rstrip() + "\n" for text in texts))
