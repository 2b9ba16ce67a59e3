"""Stores of a job that wake the worker whenever they hold something new."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.adapters.runs_folder.events import EventFile
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import LogAppended, RunEvent
from pawl.ports.job_host import Wake
from pawl.ports.logs import LogLine, LogStore, LogSummary, LogWriter, StoredBlock


class WakingReporter:
    """Writes events to a file (ports.reporter)."""

    def __init__(self, events: EventFile, wake: Wake) -> None:
        """Write to `events`."""
        self._events = events
        self._wake = wake

    def report(self, event: RunEvent) -> None:
        """Take one event; the bytes of logs are told by the logs."""
        if not isinstance(event, LogAppended):
            self._events.report(event)
            self._wake()


class WakingLogs:
    """A log store (ports.logs) over another."""

    def __init__(self, logs: LogStore, wake: Wake) -> None:
        """Write to `logs`."""
        self._logs = logs
        self._wake = wake

    def writer(self, job: JobId, attempt: int, index: int, name: str) -> LogWriter:
        """Return the writer of a step's log, as the port says."""
        return _WakingWriter(self._logs.writer(job, attempt, index, name), self._wake)

    def read(self, job: JobId, attempt: int, index: int, *, first_line: int = 1) -> Iterator[LogLine]:
        """Yield the lines stored so far, as the port says."""
        return self._logs.read(job, attempt, index, first_line=first_line)

    def summary(self, job: JobId, attempt: int, index: int) -> LogSummary | None:
        """Return what a finished log holds, as the port says."""
        return self._logs.summary(job, attempt, index)


class _WakingWriter:
    def __init__(self, writer: LogWriter, wake: Wake) -> None:
        self._writer = writer
        self._wake = wake

    def append(self, data: bytes, *, stream: str, time: float) -> StoredBlock | None:
        block = self._writer.append(data, stream=stream, time=time)
        if block is not None:
            self._wake()
        return block

    def finish(self) -> LogSummary:
        summary = self._writer.finish()
        self._wake()
        return summary
