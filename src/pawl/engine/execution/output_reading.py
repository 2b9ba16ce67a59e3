"""What a process prints, read for workflow commands and problem matches on its way to the log.

Almost no output holds a command, so blocks are searched, not lines: a block without `::` at the start of
a line and without `##[` goes to the log as it is. Only active problem matchers make it look at each line.

What the log shows of a command is what actions/runner shows (ActionCommandManager.cs):
`::group::x` becomes `##[group]x`, `::error::x` becomes `##[error]x`, `::debug::x` becomes `##[debug]x` when
step debugging is on; `stop-commands` and its token stay as they are; the others leave no line, unless
`::echo::on` came before. The value of `add-mask` is never stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pawl.core.steps.annotations import Annotation, AnnotationLevel, annotation
from pawl.core.steps.commands import (
    MAX_LINE,
    AddMask,
    AddMatcher,
    AddPath,
    Command,
    CommandParser,
    Debug,
    Echo,
    EndGroup,
    Group,
    Rejected,
    RemoveMatcher,
    ResumeCommands,
    SaveState,
    SetEnv,
    SetOutput,
    StopCommands,
)
from pawl.core.steps.masking import TooManySecrets
from pawl.engine.execution.output_log import LONG_LINE, StepLog

OnCommand = Callable[[Command], None]
"""Told each command whose effect is the engine's: outputs, state, variables, paths, matchers, refusals."""

# The blanks the runner skips before `::`, and any byte beyond ASCII, as some of those are blanks too.
_COLONS = re.compile(rb"[\t\x0b-\x0d \x80-\xff]*::")
_COLONS_LATER = re.compile(rb"\n[\t\x0b-\x0d \x80-\xff]*::")
_SECRET_LINE = re.compile(rb"(?:::|##\[)add-mask", re.IGNORECASE)


class LineMatching(Protocol):
    """The problem matchers of a step."""

    @property
    def active(self) -> bool:
        """Return whether there is any matcher to ask."""

    def feed(self, line: str) -> Annotation | None:
        """Return the problem that `line` completes, or None."""


class OutputReading:
    """Reads both streams of one process. Commands of either stream act on both, as in the runner."""

    def __init__(
        self,
        log: StepLog,
        *,
        on_command: OnCommand,
        parser: CommandParser | None = None,
        matching: LineMatching | None = None,
        debug: bool = False,
    ) -> None:
        """Send what is left to show to `log`.

        Args:
            log: the step's log; its secrets learn of `add-mask`, its reporter of annotations.
            on_command: see `OnCommand`.
            parser: the commands that are allowed (`CommandParser.for_env`).
            matching: the job's problem matchers; may become active at any time.
            debug: whether step debugging is on (ACTIONS_STEP_DEBUG), which also turns echoing on.
        """
        self._log = log
        self._on_command = on_command
        self._parser = parser or CommandParser()
        self._matching = matching
        self._debug = debug
        self._echo = debug
        self._lines = {"out": _LineSplitter(), "err": _LineSplitter()}

    def feed(self, data: bytes, *, stream: str) -> None:
        """Read a block of one stream.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        for piece, whole in self._lines[stream].split(data):
            if whole:
                self._read(piece, stream)
            else:
                self._log.write(piece, stream=stream)

    def fail(self, message: str) -> None:
        """Fail the step for a reason that is no command's: shown, reported and told as `Rejected`.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        self._log.write_line(self._reject(Rejected(message, fails=True)).decode().rstrip("\n"))

    def end(self) -> None:
        """Read what was held back: the process has ended.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        for stream, lines in self._lines.items():
            rest = lines.rest()
            if rest:
                self._read(rest, stream)
        self._log.settle()

    def _read(self, block: bytes, stream: str) -> None:
        """Read whole lines; what is no command goes on in stretches as long as can be."""
        shown: list[bytes] = []
        copied = 0
        candidates = _Candidates(block)
        position = self._next_line(candidates, 0, len(block))
        while position >= 0:
            end = block.find(b"\n", position) + 1 or len(block)
            line = block[position:end].removesuffix(b"\n").removesuffix(b"\r")
            found = self._recognise(line)
            if found is not None:
                shown.append(block[copied:position])
                if isinstance(found, AddMask | StopCommands):
                    # What came before a mask is shown as it was, however the output was cut into blocks.
                    self._log.write(b"".join(shown), stream=stream)
                    shown.clear()
                shown.append(self._perform(found, line))
                copied = end
            position = self._next_line(candidates, end, len(block))
        self._log.write(b"".join((*shown, block[copied:])) if shown else block, stream=stream)

    def _next_line(self, candidates: _Candidates, position: int, size: int) -> int:
        """Return where the next line begins that needs a closer look, -1 when none does."""
        if position >= size:
            return -1
        if self._matching is not None and self._matching.active:
            return position
        return candidates.after(position)

    def _recognise(self, line: bytes) -> Command | _Problem | None:
        """Return what `line` is apart from text."""
        self._parser, command = self._parser.feed(line)
        if command is not None or self._matching is None or not self._matching.active:
            return command
        problem = self._matching.feed(line.decode("utf-8", "replace"))
        return None if problem is None else _Problem(problem)

    def _perform(self, found: Command | _Problem, line: bytes) -> bytes:
        """Carry a command out and return what the log shows instead of its line."""
        if isinstance(found, _Problem):
            self._log.annotate(found.annotation)
            return b"##[%s]%s\n" % (found.annotation.level.value.encode(), line)
        echoed = line + b"\n" if self._echo and _is_echoed(found) else b""
        return echoed + self._perform_command(found, line)

    def _perform_command(self, command: Command, line: bytes) -> bytes:
        match command:
            case Group(title=title):
                return _tagged("group", title)
            case EndGroup():
                return _tagged("endgroup", "")
            case Debug(message=message):
                return _tagged("debug", message) if self._debug else b""
            case Annotation():
                self._log.annotate(command)
                return _tagged(command.level.value, command.message)
            case AddMask(value=value):
                return self._mask(value)
            case StopCommands(token=token, mask=mask):
                return (self._mask(token) if mask else b"") + line + b"\n"
            case ResumeCommands():
                return line + b"\n"
            case Echo(on=on):
                self._echo = on
                return b""
            case Rejected():
                return self._reject(command)
            case _:
                self._on_command(command)
                return b""

    def _mask(self, value: str) -> bytes:
        try:
            self._log.secrets.add(value)
        except TooManySecrets:
            self.fail("Too many values are to be masked: the output is withheld")
            self._log.withhold()
            return b""
        return b"::add-mask::***\n" if self._echo else b""

    def _reject(self, refusal: Rejected) -> bytes:
        level = AnnotationLevel.ERROR if refusal.fails else AnnotationLevel.WARNING
        self._log.annotate(annotation(level, refusal.message, {}))
        self._on_command(refusal)
        return _tagged(level.value, refusal.message)


@dataclass(frozen=True, slots=True)
class _Problem:
    """What a problem matcher found, as against an annotation that a command asked for."""

    annotation: Annotation


class _LineSplitter:
    """Cuts a stream into blocks of whole lines, and bounds what it holds back of an unfinished one."""

    def __init__(self) -> None:
        self._held = b""
        self._inside_long = False
        self._swallowing = False

    def split(self, data: bytes) -> list[tuple[bytes, bool]]:
        """Return (bytes, whether they are whole lines to be read) in order."""
        done: list[tuple[bytes, bool]] = []
        if self._inside_long or self._swallowing:
            end = data.find(b"\n") + 1
            if not self._swallowing:
                done.append((data[:end] if end else data, False))
            if not end:
                return done
            self._inside_long = self._swallowing = False
            data = data[end:]
        data = self._held + data if self._held else data
        cut = data.rfind(b"\n") + 1
        if cut:
            done.append((data[:cut] if cut < len(data) else data, True))
        self._held = data[cut:]
        if len(self._held) > LONG_LINE:
            self._let_go(done)
        return done

    def rest(self) -> bytes:
        """Return what was held back; the stream has ended."""
        rest, self._held = self._held, b""
        return rest

    def _let_go(self, done: list[tuple[bytes, bool]]) -> None:
        """Pass on a long unfinished line, unless it may yet turn out to be a command."""
        if _Candidates(self._held).after(0) < 0:
            self._inside_long = True
        elif len(self._held) <= MAX_LINE:
            return
        elif _SECRET_LINE.search(self._held):
            self._swallowing = True
            self._held = b"##[warning]An add-mask command longer than 1 MiB was left out\n"
            done.append((self._held, False))
            self._held = b""
            return
        else:
            self._inside_long = True
        done.append((self._held, False))
        self._held = b""


class _Candidates:
    """The lines of a block that may hold a command, found without looking at the others.

    Each of the two forms keeps the place of its next hit, so that a block is searched once for each,
    however many there are of the other.
    """

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._colons = -1 if b"::" in block else len(block)
        self._brackets = -1 if b"##[" in block else len(block)

    def after(self, position: int) -> int:
        """Return where the next such line begins at or after `position`, where a line begins; -1: nowhere."""
        if self._colons < position:
            self._colons = self._find_colons(position)
        if self._brackets < position:
            found = self._block.find(b"##[", position)
            line = self._block.rfind(b"\n", position, max(found, position)) + 1
            self._brackets = len(self._block) if found < 0 else max(line, position)
        first = min(self._colons, self._brackets)
        return first if first < len(self._block) else -1

    def _find_colons(self, position: int) -> int:
        if _COLONS.match(self._block, position):
            return position
        # A pattern that begins with one literal byte is searched at the speed of memchr.
        later = _COLONS_LATER.search(self._block, position)
        return len(self._block) if later is None else later.start() + 1


def _is_echoed(command: Command) -> bool:
    return isinstance(
        command,
        SetOutput | SaveState | SetEnv | AddPath | AddMatcher | RemoveMatcher | Group | EndGroup | Echo,
    )


def _tagged(tag: str, text: str) -> bytes:
    return f"##[{tag}]{text}\n".encode("utf-8", "replace")
