"""What a run tells while it goes on: a closed union that views draw and `--json` prints.

The JSON form (`to_json`) is a stable contract: see docs/reference/events.md. Fields are only ever added.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeAlias

from pawl.core.model.ids import JobId, JobKey, StepId
from pawl.core.model.plan import Json
from pawl.core.model.status import Conclusion, FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The run has a number and begins. `time` is seconds since 1970, here and below."""

    time: float
    number: int
    workflow: str
    path: str
    run_name: str
    event: str
    executor: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueued:
    """A job's needs have ended and it will run; one event per combination. `key` is as written."""

    time: float
    job: JobId
    key: JobKey
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSkipped:
    """A job will not run, and why; `trace` is its condition with values, a line each."""

    time: float
    job: JobId
    key: JobKey
    name: str
    reason: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A job begins to set up. `steps` are the names it will show, in order."""

    time: float
    job: JobId
    attempt: int
    image: str | None
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """One line about long work outside any step: an image being pulled, a service getting ready."""

    time: float
    job: JobId
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step begins. `index` counts from 0 in the job, set-up and clean-up steps included."""

    time: float
    job: JobId
    index: int
    step: StepId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A step will not run, and why."""

    time: float
    job: JobId
    index: int
    step: StepId
    name: str
    reason: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAppended:
    """Bytes were added to a step's log; already masked; whole lines except at a step's very end.

    Attributes:
        offset: where they stand in the step's log.
        first_line: number of their first line, from 1.
        stream: `out` or `err`.
        data: the bytes themselves.
    """

    time: float
    job: JobId
    index: int
    offset: int
    first_line: int
    stream: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """A notice, warning or error, from a workflow command, a problem matcher or Pawl itself."""

    time: float
    job: JobId
    index: int
    level: str
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step ended.

    Attributes:
        outcome: before `continue-on-error`; `conclusion`: after.
        exit_code: of its process, where it had one.
        reason: why it failed in words ("exit code 2", "timed out after 5 minutes", "out of memory").
        trace: why it ran: its condition with values.
    """

    time: float
    job: JobId
    index: int
    step: StepId
    name: str
    outcome: Conclusion
    conclusion: Conclusion
    duration: float
    exit_code: int | None = None
    reason: str = ""
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactStored:
    """Files were kept. `files` counts them, `size` is their sum in bytes."""

    time: float
    job: JobId
    name: str
    files: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    """A job ended. `reason` says why it failed or was cancelled; `summary` is Markdown."""

    time: float
    job: JobId
    conclusion: Conclusion
    duration: float
    reason: str = ""
    failure_class: FailureClass | None = None
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    summary: str = ""
    kept_sandbox: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody or something asked the run, or one job of it, to stop; it may take a while."""

    time: float
    job: JobId | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run ended. `jobs` gives the conclusion of each job."""

    time: float
    conclusion: Conclusion
    duration: float
    jobs: dict[str, Conclusion]
    reason: str = ""


RunEvent: TypeAlias = (
    RunStarted
    | JobQueued
    | JobSkipped
    | JobStarted
    | JobProgress
    | StepStarted
    | StepSkipped
    | LogAppended
    | Annotated
    | StepFinished
    | ArtifactStored
    | JobFinished
    | CancelRequested
    | RunFinished
)


def to_json(event: RunEvent) -> dict[str, Json]:
    """Return the event as plain data: its kind in snake case under `type`, then its fields.

    Log bytes become text, with the replacement character where they are not UTF-8.
    """
    fields: dict[str, Json] = {
        field.name: _plain(getattr(event, field.name)) for field in dataclasses.fields(event)
    }
    return {"type": type_name(type(event)), **fields}


def _plain(value: object) -> Json:
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case tuple() | list():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case None | bool() | int() | float():
            return value
        case _:
            return str(value)


def type_name(kind: type[RunEvent]) -> str:
    """Return what `type` says for events of this kind: the class's name in snake case."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in kind.__name__).lstrip("_")
