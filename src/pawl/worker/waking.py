"""Stores of a job that wake the worker when they hold something new.

Output of a step wakes it at once. What every job has to say does so after a while, or not at all where the
job ends before: so a short one is told in one request, with its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pawl.adapters.runs_folder.events import EventFile
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import LogAppended, RunEvent
from pawl.ports.job_host import Wake
from pawl.ports.logs import LogLine, LogStore, LogSummary, LogWriter, StoredBlock

_SOON = 0.2
"""Seconds within which the worker hears of everything; of output it does so at once."""


class Waking:
    """Wakes the worker, at once or soon. To be used in the running loop."""

    def __init__(self, wake: Wake) -> None:
        """Call `wake` to wake it."""
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> None:
        """Wake it."""
        self.cancel()
        self._wake()

    def soon(self) -> None:
        """Wake it after a while, unless it is woken before."""
        if self._timer is None:
            self._timer = self._loop.call_later(_SOON, self.now)

    def cancel(self) -> None:
        """Leave out what was to come soon: the end of the job tells of it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


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
        return self._writer.finish()  # in any thread; the end of the step is told by an event
