"""The folder of one run: its record, events, logs, artifacts; and where its jobs work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pawl.adapters.runs_folder.artifacts import FolderArtifacts
from pawl.adapters.runs_folder.events import EventFile, read_events
from pawl.adapters.runs_folder.logs import FolderLogs
from pawl.adapters.runs_folder.record import RunRecord, read_plan, read_record, write_record
from pawl.adapters.runs_folder.work import remove_work
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.ids import RunNumber
from pawl.core.model.plan import Json
from pawl.core.model.run_events import RunEvent
from pawl.core.model.status import Conclusion


class RunFolder:
    """Everything kept of one run. Made by `RunsFolder`."""

    def __init__(self, path: Path, *, log_cap: int) -> None:
        """Take a folder that `RunsFolder` made."""
        self.path = path
        self.logs = FolderLogs(path / "jobs", cap=log_cap)
        self.artifacts = FolderArtifacts(path / "artifacts")
        self._events: EventFile | None = None

    @property
    def number(self) -> RunNumber:
        """Return the run's number."""
        return RunNumber(int(self.path.name))

    @property
    def record(self) -> RunRecord:
        """Return what is known of the run now.

        Raises:
            InfrastructureError: its record cannot be read.
        """
        record = read_record(self.path)
        if record is None:
            raise InfrastructureError(f"The record of run {self.number} cannot be read: {self.path}/run.json")
        return record

    @property
    def plan(self) -> Json:
        """Return the plan as plain data, None where it cannot be read."""
        return read_plan(self.path)

    @property
    def work(self) -> Path:
        """Return the folder in which jobs get folders of their own; it exists while the run goes on.

        It is not below the run's own folder (`work.py`).

        Raises:
            InfrastructureError: the record cannot be read.
        """
        return Path(self.record.work)

    def reporter(self) -> EventFile:
        """Return the reporter that writes the run's events; the same one each time.

        Raises:
            InfrastructureError: the disk refused.
        """
        if self._events is None:
            try:
                self._events = EventFile(self.path / "events.jsonl")
            except OSError as error:
                raise InfrastructureError(f"Cannot write the events of run {self.number}: {error}") from error
        return self._events

    def events(self) -> Iterator[RunEvent]:
        """Yield the events stored so far, all kinds but `LogAppended`."""
        return read_events(self.path / "events.jsonl")

    def finish(
        self, conclusion: Conclusion, *, time: float, reason: str = "", keep_work: bool = False
    ) -> tuple[str, ...]:
        """Close the events, record the end, and remove the jobs' folders.

        Args:
            conclusion: how the run ended.
            time: now, in seconds since 1970.
            reason: why it ended so, in words.
            keep_work: whether the jobs' folders stay, for a sandbox kept for `pawl shell`.

        Returns:
            What could not be removed, a sentence each.

        Raises:
            InfrastructureError: the disk refused the record or some of the events.
        """
        failure = self._close_events()
        left = () if keep_work else self.remove_work()
        try:
            record = replace(self.record, conclusion=conclusion, finished=time, reason=reason)
            write_record(self.path, record, self.plan)
        except OSError as error:
            failure = failure or error
        if failure is not None:
            raise InfrastructureError(
                f"Not all of run {self.number} could be kept: {failure.strerror or failure}",
                hint="free some disk space",
            ) from failure
        return left

    def remove_work(self) -> tuple[str, ...]:
        """Remove the jobs' folders; return what could not be removed, a sentence each."""
        record = read_record(self.path)
        return remove_work(Path(record.work), self.path) if record is not None and record.work else ()

    def _close_events(self) -> OSError | None:
        if self._events is None:
            return None
        failure = self._events.failure
        self._events.close()
        self._events = None
        return failure
