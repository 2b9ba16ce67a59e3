"""The log of one step as the engine writes it: masked, in whole lines, stored, and told to the reporter."""

from __future__ import annotations

from collections.abc import Iterable

from pawl.core.model.ids import JobId
from pawl.core.model.run_events import Annotated, LogAppended
from pawl.core.steps.annotations import Annotation
from pawl.core.steps.masking import Masker, SecretSet
from pawl.ports.clock import Clock
from pawl.ports.logs import LogSummary, LogWriter
from pawl.ports.reporter import Reporter

LONG_LINE = 64 * 1024
"""Bytes of an unfinished line that are held back; a longer one is stored in pieces (reliability.md 4.5)."""

MAX_ANNOTATIONS = 1_000
"""Annotations of one step that are reported; further ones are in its log only."""


class StepLog:
    """Where everything a step prints goes, and what the engine adds.

    Both streams are masked apart, each holding back what could be the start of a secret, and unfinished
    lines, so that the two never mix inside a line unless it is longer than `LONG_LINE`. Bytes of a stream
    are stored as they came, apart from secrets.
    """

    def __init__(
        self,
        writer: LogWriter,
        *,
        job: JobId,
        index: int,
        secrets: SecretSet,
        reporter: Reporter,
        clock: Clock,
        workspace: str = "",
    ) -> None:
        """Write to `writer` and report as step `index` of `job`.

        Args:
            writer: the step's log.
            job: whose step it is, and `index` which one, as in `StepStarted`.
            index: see `job`.
            secrets: the job's secrets; values may be added at any time, also by other steps.
            reporter: told of every block stored and every annotation.
            clock: gives lines their time.
            workspace: the inside path of the workspace; annotations below it get relative files.
        """
        self.secrets = secrets
        self._writer = writer
        self._job = job
        self._index = index
        self._reporter = reporter
        self._clock = clock
        self._workspace = workspace
        self._streams = {"out": _Stream(secrets), "err": _Stream(secrets)}
        self._annotations = 0
        self._withheld = False

    def write(self, data: bytes, *, stream: str = "out") -> None:
        """Add output of a process; whole lines are stored at once, the rest when it is complete.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        state = self._streams[stream]
        ready = b"" if self._withheld else state.take(data)
        if ready:
            self._store(state, ready, stream)

    def write_line(self, text: str) -> None:
        """Add a line (or several) of the engine's own, masked, between whole lines of output.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        state = self._streams["out"]
        line = self.secrets.mask_text(text).encode("utf-8", "replace") + b"\n"
        self._store(state, b"\n" + line if state.open else line, "out")

    def write_group(self, title: str, lines: Iterable[str] = ()) -> None:
        """Add a foldable part, as the runner prints the header of a step.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        # As one text: a secret of several lines must be seen whole to be masked.
        self.write_line("\n".join((f"##[group]{title}", *lines, "##[endgroup]")))

    def annotate(self, annotation: Annotation) -> None:
        """Report a notice, warning or error; the log line it came from is the caller's."""
        self._annotations += 1
        if self._annotations > MAX_ANNOTATIONS:
            return
        properties, mask = annotation.properties, self.secrets.mask_text
        file = properties.get("file", "")
        if self._workspace and file.startswith(self._workspace + "/"):
            file = file.removeprefix(self._workspace + "/")
        self._reporter.report(
            Annotated(
                time=self._clock.now(),
                job=self._job,
                index=self._index,
                level=annotation.level.value,
                message=mask(annotation.message),
                title=mask(properties.get("title", "")),
                file=mask(file),
                line=_number(properties.get("line", "")),
                column=_number(properties.get("col", "")),
            )
        )

    def withhold(self) -> None:
        """Store nothing of the step's output from now on: it can no longer be masked (reliability.md R50)."""
        self._withheld = True

    def settle(self) -> None:
        """Store what was held back: a process has ended. Another one's output begins on a new line.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        for name, state in self._streams.items():
            rest = state.take_rest()
            if rest and not self._withheld:
                self._store(state, rest, name)
            state.begin_anew()

    def finish(self) -> LogSummary:
        """Store what was held back, make the log durable, and return what it holds; idempotent.

        Raises:
            InfrastructureError: the log cannot be stored.
        """
        self.settle()
        return self._writer.finish()

    def _store(self, state: _Stream, data: bytes, stream: str) -> None:
        now = self._clock.now()
        state.open = not data.endswith(b"\n")
        block = self._writer.append(data, stream=stream, time=now)
        if block is not None:
            self._reporter.report(
                LogAppended(
                    time=now,
                    job=self._job,
                    index=self._index,
                    offset=block.offset,
                    first_line=block.first_line,
                    stream=stream,
                    data=block.data,
                )
            )


class _Stream:
    """One stream on its way to the log: its masker, and the unfinished line behind it.

    `open` tells whether the last thing stored of it was a line without its end.
    """

    def __init__(self, secrets: SecretSet) -> None:
        self._masker = Masker(secrets)
        self._held = b""
        self._anew = False
        self.open = False

    def take(self, data: bytes) -> bytes:
        """Return the whole lines that are ready now, or a piece of a long one."""
        return self._ready(self._masker.feed(data))

    def take_rest(self) -> bytes:
        """Return everything held back."""
        rest = self._held + self._masker.flush()
        self._held = b""
        return self._on_new_line(rest)

    def begin_anew(self) -> None:
        """Let whatever comes next start a line."""
        self._anew = self.open

    def _ready(self, shown: bytes) -> bytes:
        if self._held:
            shown = self._held + shown
        cut = shown.rfind(b"\n") + 1
        if len(shown) - cut > LONG_LINE:
            cut = len(shown)
        self._held = shown[cut:]
        return self._on_new_line(shown[:cut] if self._held else shown)

    def _on_new_line(self, data: bytes) -> bytes:
        if data and self._anew:
            self._anew = False
            return b"\n" + data if self.open else data
        return data


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
