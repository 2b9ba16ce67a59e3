"""What can happen to a run: the lifecycle's input, a closed union."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.status import Conclusion, FailureClass


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run may begin: its first jobs are looked at."""


@dataclass(frozen=True, slots=True)
class RunHeld:
    """The run may not begin, until RunReleased. It can be cancelled meanwhile."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunReleased:
    """Nothing holds the run any more; RunStarted begins it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedCombination:
    """One job to run.

    Attributes:
        id: the job's id: the key it belongs to, alone or followed by `#` and a number.
        continue_on_error: whether its failure fails neither the run nor what needs it.
        environment: the one it deploys to, "" for none; it has to be let in before it starts.
    """

    id: JobId
    continue_on_error: bool = False
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResolved:
    """A job's condition was true: these are its combinations.

    Attributes:
        combinations: in order; empty when the matrix's excludes left none (the job counts as skipped).
        max_parallel: how many may run at once; None for no limit.
        survives_cancel: whether the condition still holds when the run is cancelled (`always()`).
    """

    key: JobKey
    combinations: tuple[ResolvedCombination, ...]
    fail_fast: bool = True
    max_parallel: int | None = None
    survives_cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSkipped:
    """A job's condition was false. `cancelled` when it would have been true but for a cancellation."""

    key: JobKey
    reason: str
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUnresolvable:
    """A job's condition, matrix or name cannot be evaluated: it fails without running."""

    key: JobKey
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAdmitted:
    """A job may deploy to its environment, in this attempt of its run."""

    id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRefused:
    """A job may not deploy to its environment: it ends without having run.

    Attributes:
        conclusion: failure, or timed out when nobody answered.
    """

    id: JobId
    reason: str
    conclusion: Conclusion = Conclusion.FAILURE


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """An attempt of a job began."""

    id: JobId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    """An attempt of a job ended.

    Attributes:
        conclusion: success, failure, cancelled or timed out.
        outputs: evaluated job outputs, also of a failed job; empty values count as not given.
        untrusted: names of the outputs that an outsider's values went into.
        failure_class: whose fault a failure was; decides with `exit_code` about another attempt.
        exit_code: of the step that failed, where a process of it did.
        log_texts: those texts of `retry.log` that the end of a log holds.
        final: no other attempt is made, whatever the rules say.
    """

    id: JobId
    attempt: int
    conclusion: Conclusion
    outputs: Mapping[str, str] = field(default_factory=dict)
    untrusted: frozenset[str] = frozenset()
    failure_class: FailureClass | None = None
    exit_code: int | None = None
    reason: str = ""
    log_texts: frozenset[str] = frozenset()
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody or something wants the run to stop, or one job of it.

    Attributes:
        job: the job; None for the whole run.
        by: who asked: a person's name, `concurrency`, `timeout`, ...
        force: whether jobs whose condition would outlive a cancellation are stopped too.
    """

    by: str
    reason: str = ""
    job: JobId | None = None
    force: bool = False


LifecycleEvent: TypeAlias = (
    RunStarted
    | RunHeld
    | RunReleased
    | JobResolved
    | JobSkipped
    | JobUnresolvable
    | JobAdmitted
    | JobRefused
    | JobStarted
    | JobFinished
    | CancelRequested
)
