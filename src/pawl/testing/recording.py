"""A reporter that remembers, and questions to ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pawl.core.model.run_events import (
    JobFinished,
    LogAppended,
    RunEvent,
    RunFinished,
    StepFinished,
    StepSkipped,
)

_E = TypeVar("_E")


class RecordingReporter:
    """Keeps every event in order, and lets a test do something when one comes."""

    def __init__(self, on_event: Callable[[RunEvent], None] | None = None) -> None:
        """Call `on_event`, if given, with every event after it was remembered."""
        self.events: list[RunEvent] = []
        self.on_event = on_event

    def report(self, event: RunEvent) -> None:
        """Remember one event."""
        self.events.append(event)
        if self.on_event is not None:
            self.on_event(event)

    def of(self, kind: type[_E]) -> list[_E]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def log(self, job: str | None = None, index: int | None = None) -> str:
        """Return what was logged: all of it, of one job, or of one of its steps."""
        return b"".join(
            event.data
            for event in self.of(LogAppended)
            if job in (None, event.job) and index in (None, event.index)
        ).decode("utf-8", "replace")

    def jobs(self) -> dict[str, str]:
        """Return the conclusion of each job that the run lists."""
        return {job: conclusion.value for run in self.of(RunFinished) for job, conclusion in run.jobs.items()}

    def steps(self, job: str) -> dict[str, str]:
        """Return the conclusion of each step of a job by its id; skipped ones too."""
        found = {
            str(event.step): event.conclusion.value for event in self.of(StepFinished) if event.job == job
        }
        return found | {str(event.step): "skipped" for event in self.of(StepSkipped) if event.job == job}

    def job(self, job: str) -> JobFinished:
        """Return how a job ended.

        Raises:
            KeyError: it has not.
        """
        for event in self.of(JobFinished):
            if event.job == job:
                return event
        raise KeyError(job)
