"""What the lifecycle asks of the world: its output, a closed union, carried out in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion


@dataclass(frozen=True, slots=True)
class ResolveJob:
    """Evaluate a job's condition and matrix now; answer JobResolved, JobSkipped or JobUnresolvable."""

    key: JobKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """Run an attempt of a job, not before `delay` seconds from now; answer JobStarted, then JobFinished.

    Attributes:
        is_retry: whether it follows by itself on an attempt that failed.
    """

    id: JobId
    key: JobKey
    attempt: int
    delay: float = 0
    is_retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval:
    """Ask whether a job may deploy to its environment; answer JobAdmitted or JobRefused, whenever."""

    id: JobId
    key: JobKey
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob:
    """Stop a job. Where it was running, JobFinished is still awaited; a queued one is simply forgotten."""

    id: JobId
    reason: str
    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndJob:
    """A job has its conclusion, for good. Skipped jobs are named by their key.

    Attributes:
        conclusion: as it ended, before the job's `continue-on-error`.
        ran: whether an attempt of it had begun.
    """

    id: JobId
    key: JobKey
    conclusion: Conclusion
    reason: str = ""
    ran: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something people should know: a retry, a cancellation in progress."""

    message: str
    job: JobId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRun:
    """The run has its conclusion. Always the last effect of a run."""

    conclusion: Conclusion
    reason: str = ""


Effect: TypeAlias = ResolveJob | AskApproval | StartJob | CancelJob | EndJob | Notice | CompleteRun
