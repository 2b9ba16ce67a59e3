"""Stores of a job that wake the worker whenever they hold something new.

What every job has to say in its first moments wakes nobody: a short job is told in one request, with its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from pawl.adapters.runs_folder.events import EventFile
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import LogAppended, RunEvent
from pawl.ports.job_host import Wake
from pawl.ports.logs import LogLine, LogStore, LogSummary, LogWriter, StoredBlock

FIRST_MOMENTS = 0.05
"""Seconds after which everything that a job says wakes the worker; output of its steps does so at once."""


class Waking:
    """Wakes the worker, in the first moments only for output of steps."""

    def __init__(self, wake: Wake) -> None:
        """Call `wake` to wake it."""
        self.now = wake
        self._is_new = True

    def soon(self) -> None:
        """Wake the worker, or leave that to the end of the first moments. May be called from any thread."""
        if not self._is_new:
            self.now()

    def end_first_moments(self) -> None:
        """Wake the worker for all that was said by now, and from now on each time."""
        self._is_new = False
        self.now()


class WakingReporter:
    """Writes events to a file (ports.reporter)."""

    def __init__(self, events: EventFile, waking: Waking) -> None:
        """Write to `events`."""
        self._events = events
        self._waking = waking

    def report(self, event: RunEvent) -> None:
        """Take one event; the bytes of logs are told by the logs."""
        if not isinstance(event, LogAppended):
            self._events.report(event)
            self._waking.soon()


class WakingLogs:
    """A log store (ports.logs) over another."""

    def __init__(self, logs: LogStore, waking: Waking) -> None:
        """Write to `logs`."""
        self._logs = logs
        self._waking = waking

    def writer(self, job: JobId, attempt: int, index: int, name: str) -> LogWriter:
        """Return the writer of a step's log, as the port says."""
        writer = self._logs.writer(job, attempt, index, name)
        return _WakingWriter(writer, self._waking, has_output=index > 0)

    def read(self, job: JobId, attempt: int, index: int, *, first_line: int = 1) -> Iterator[LogLine]:
        """Yield the lines stored so far, as the port says."""
        return self._logs.read(job, attempt, index, first_line=first_line)

    def summary(self, job: JobId, attempt: int, index: int) -> LogSummary | None:
        """Return what a finished log holds, as the port says."""
        return self._logs.summary(job, attempt, index)


class _WakingWriter:
    def __init__(self, writer: LogWriter, waking: Waking, *, has_output: bool) -> None:
        self._writer = writer
        self._waking = waking
        self._has_output = has_output
        self._is_empty = True

    def append(self, data: bytes, *, stream: str, time: float) -> StoredBlock | None:
        block = self._writer.append(data, stream=stream, time=time)
        if block is not None:
            # The set-up, and what comes first in the log of a step, is the engine's own.
            (self._waking.soon if self._is_empty or not self._has_output else self._waking.now)()
            self._is_empty = False
        return block

    def finish(self) -> LogSummary:
        summary = self._writer.finish()
        self._waking.soon()
        return summary
