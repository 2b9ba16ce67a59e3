"""The picture of a run: what its events so far add up to. Every view draws from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from pawl.cli.terminal.sanitise import one_line
from pawl.cli.view.log_text import HeaderSieve, LineSplitter
from pawl.core.model.ids import JobId, JobKey
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

TAIL_LINES = 20
_MOST_ANNOTATIONS = 200
_TAIL_BYTES = 16 * 1024


class Phase(StrEnum):
    """Where a job or step is, as a view shows it."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(slots=True)
class StepPicture:
    """One step. `tail` are its last lines as bytes, standard output and error together."""

    name: str
    id: str = ""
    phase: Phase = Phase.WAITING
    started: float = 0.0
    duration: float = 0.0
    conclusion: Conclusion | None = None
    outcome: Conclusion | None = None
    reason: str = ""
    trace: tuple[str, ...] = ()
    exit_code: int | None = None
    tail: deque[bytes] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    lines: int = 0
    splitters: dict[str, LineSplitter] = field(default_factory=dict)
    sieve: HeaderSieve = field(default_factory=HeaderSieve)

    def take(self, stream: str, data: bytes) -> None:
        """Add log bytes; only the end of a large block is looked at, once the header is over."""
        self.lines += data.count(b"\n")
        splitter = self.splitters.setdefault(stream, LineSplitter())
        if self.sieve.is_over:
            data = data[-_TAIL_BYTES:]
        self.tail.extend(line for line in splitter.feed(data) if self.sieve.keep(line) and line.strip())

    def end(self) -> None:
        """Take what the streams still held."""
        for splitter in self.splitters.values():
            self.tail.extend(line for line in splitter.flush() if self.sieve.keep(line) and line.strip())
        self.splitters.clear()
        self.phase = Phase.ENDED


@dataclass(slots=True)
class JobPicture:
    """One job, or one combination of its matrix."""

    key: JobKey
    name: str
    phase: Phase = Phase.WAITING
    queued: bool = False
    attempt: int = 1
    image: str | None = None
    started: float = 0.0
    duration: float = 0.0
    conclusion: Conclusion | None = None
    reason: str = ""
    trace: tuple[str, ...] = ()
    progress: str = ""
    cancelling: bool = False
    summary: str = ""
    kept_sandbox: str | None = None
    step_names: tuple[str, ...] = ()
    steps: dict[int, StepPicture] = field(default_factory=dict)

    def step(self, index: int, name: str = "") -> StepPicture:
        """Return the step with that index, made when it was not known yet."""
        if index not in self.steps:
            known = self.step_names[index] if index < len(self.step_names) else ""
            self.steps[index] = StepPicture(one_line(name or known or f"step {index}"))
        return self.steps[index]

    @property
    def failed_step(self) -> StepPicture | None:
        """Return the first step whose failure counts."""
        bad = {Conclusion.FAILURE, Conclusion.TIMED_OUT}
        return next((step for step in self.steps.values() if step.conclusion in bad), None)

    @property
    def failure(self) -> str:
        """Return why it failed, the reason before the step's name: names are long and get cut off."""
        step = self.failed_step
        if step is None:
            return one_line(self.reason) or "failed"
        return f"{one_line(step.reason) or 'failed'} in {step.name}"


@dataclass(slots=True)
class RunPicture:
    """The whole run. Jobs stand in the plan's order; a matrix takes its key's place."""

    start: RunStarted | None = None
    finish: RunFinished | None = None
    jobs: dict[str, JobPicture] = field(default_factory=dict)
    artifacts: list[ArtifactStored] = field(default_factory=list)
    annotations: list[Annotated] = field(default_factory=list)
    cancelling: str = ""

    @classmethod
    def expecting(cls, jobs: Iterable[tuple[JobKey, str]]) -> RunPicture:
        """Return the picture before anything happened, with the planned jobs (key, name) waiting."""
        return cls(jobs={key: JobPicture(key, one_line(name)) for key, name in jobs})

    def apply(self, event: RunEvent) -> None:
        """Take one event in."""
        match event:
            case RunStarted():
                self.start = event
            case RunFinished():
                self.finish = event
            case CancelRequested():
                self._cancel(event)
            case ArtifactStored():
                self.artifacts.append(event)
            case Annotated():
                if len(self.annotations) < _MOST_ANNOTATIONS:
                    self.annotations.append(event)
            case JobQueued() | JobSkipped():
                self._place(event.job, event.key, event.name)
                _apply_to_job(self.jobs[event.job], event)
            case _:
                _apply_to_job(self.job(event.job), event)

    def job(self, job: JobId) -> JobPicture:
        """Return the job, made when it was not known yet (a stream read from its middle)."""
        if job not in self.jobs:
            key = JobKey(job.partition("#")[0])
            self._place(job, key, job)
        return self.jobs[job]

    def _place(self, job: JobId, key: JobKey, name: str) -> None:
        if job in self.jobs:
            self.jobs[job].name = one_line(name) or self.jobs[job].name
            return
        items = list(self.jobs.items())
        siblings = [place for place, (_, other) in enumerate(items) if other.key == key]
        place = siblings[-1] + 1 if siblings else len(items)
        items.insert(place, (job, JobPicture(key, one_line(name))))
        # The placeholder of a matrix gives way to its combinations.
        self.jobs = {
            other: found
            for other, found in items
            if other == job or other != key or found.queued or found.phase is not Phase.WAITING
        }

    def _cancel(self, event: CancelRequested) -> None:
        if event.job is None:
            self.cancelling = event.reason or "cancelled"
        else:
            self.job(event.job).cancelling = True


_JobEvent = (
    JobQueued
    | JobSkipped
    | JobStarted
    | JobProgress
    | StepStarted
    | StepSkipped
    | LogAppended
    | StepFinished
    | JobFinished
)


def _apply_to_job(job: JobPicture, event: _JobEvent) -> None:
    match event:
        case JobQueued():
            job.queued = True
        case JobSkipped():
            job.phase, job.conclusion = Phase.ENDED, Conclusion.SKIPPED
            job.reason, job.trace = event.reason, event.trace
        case JobStarted():
            _start(job, event)
        case JobProgress():
            job.progress = one_line(event.message)
        case JobFinished():
            job.phase, job.conclusion = Phase.ENDED, event.conclusion
            job.duration, job.reason, job.progress = event.duration, event.reason, ""
            job.summary, job.kept_sandbox = event.summary, event.kept_sandbox
        case StepStarted() | StepSkipped() | LogAppended() | StepFinished():
            _apply_to_step(job, event)
        case _:
            assert_never(event)


def _start(job: JobPicture, event: JobStarted) -> None:
    job.phase, job.started, job.attempt = Phase.RUNNING, event.time, event.attempt
    job.image, job.step_names = event.image, tuple(one_line(name) for name in event.steps)
    # A new attempt begins from nothing.
    job.steps, job.conclusion, job.reason = {}, None, ""


def _apply_to_step(job: JobPicture, event: StepStarted | StepSkipped | LogAppended | StepFinished) -> None:
    match event:
        case StepStarted():
            step = job.step(event.index, event.name)
            step.name, step.id = one_line(event.name), event.step
            step.phase, step.started = Phase.RUNNING, event.time
            job.progress = ""
        case StepSkipped():
            step = job.step(event.index, event.name)
            step.phase, step.conclusion, step.id = Phase.ENDED, Conclusion.SKIPPED, event.step
            step.reason, step.trace = event.reason, event.trace
        case LogAppended():
            job.step(event.index).take(event.stream, event.data)
        case StepFinished():
            step = job.step(event.index, event.name)
            step.end()
            step.outcome, step.conclusion = event.outcome, event.conclusion
            step.duration, step.reason = event.duration, event.reason
            step.exit_code, step.trace, step.id = event.exit_code, event.trace, event.step
        case _:
            assert_never(event)
