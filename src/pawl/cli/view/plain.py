"""The view without a terminal: one prefixed line after the other, nothing is ever drawn over."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from pawl.cli.terminal.durations import show_duration, show_size
from pawl.cli.terminal.lines import Line, Piece, Style, line, to_text
from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import Screen
from pawl.cli.view.log_text import LineSplitter, Marker, ShownLine, harmless_text, read_line
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

_PREFIX_STYLES = (Style.NOTE, Style.LINK, Style.WARN, Style.GOOD, Style.STRONG)
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
    """Turns the log blocks of one step into drawn lines; remembers open groups and half lines."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._splitters: dict[str, LineSplitter] = {}
        self._in_group = False

    def feed_at_once(self, stream: str, data: bytes) -> str | None:
        """Return a block as text when its lines are to be shown as they are; else it must go to `feed`."""
        splitter = self._splitters.get(stream)
        if self._in_group or (splitter is not None and not splitter.is_empty):
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
            shown = read_line(raw, colour=self._screen.colour)
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
        self._styles: dict[str, Style] = {}
        self._logs: dict[tuple[str, int], LogLines] = {}
        self._in_step: set[str] = set()

    def report(self, event: RunEvent) -> None:
        """Take one event (ports.reporter)."""
        match event:
            case JobQueued():
                self._names[event.job] = one_line(event.name)
            case JobSkipped():
                self._names[event.job] = one_line(event.name)
                self._say(event.job, self._ended(Conclusion.SKIPPED, "skipped", event.reason))
            case JobStarted():
                again = f", attempt {event.attempt}" if event.attempt > 1 else ""
                image = f" in {one_line(event.image)}" if event.image else ""
                self._say(event.job, line(Piece(f"started{image}{again}", Style.FAINT)))
            case JobProgress():
                # While a step runs (pulling belongs to the first one) its log has the same line.
                if event.job not in self._in_step:
                    self._say(event.job, line(Piece(one_line(event.message), Style.FAINT)))
            case JobFinished():
                took = f" in {show_duration(event.duration)}"
                self._say(event.job, self._ended(event.conclusion, f"{event.conclusion}{took}", event.reason))
            case ArtifactStored():
                text = f"artifact {one_line(event.name)}: {event.files} files, {show_size(event.size)}"
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

    def _report_step(self, event: StepStarted | StepSkipped | StepFinished | LogAppended) -> None:
        match event:
            case StepStarted():
                self._in_step.add(event.job)
                name = Piece(one_line(event.name), Style.STRONG)
                self._say(event.job, line(sign_of(None, Phase.RUNNING, self._screen.glyphs), " ", name))
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
                self._in_step.discard(event.job)
                if (event.job, event.index) in self._logs:
                    self._say(event.job, *self._logs.pop((event.job, event.index)).flush())
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
        name = self._names.get(job, job)
        style = self._styles.setdefault(job, _PREFIX_STYLES[len(self._styles) % len(_PREFIX_STYLES)])
        return to_text(line(Piece(f"[{name}]", style)), colour=self._screen.colour)

    def _say(self, job: JobId, *lines: Line) -> None:
        if not lines:
            return
        prefix = self._prefix(job)
        texts = (to_text(one, colour=self._screen.colour) for one in lines)
        self._write("".join(f"{prefix} {text}".rstrip() + "\n" for text in texts))
