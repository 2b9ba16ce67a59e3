"""The state of a run: an immutable value that a database, a file or a test can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pawl.core.model.ids import JobId, JobKey
from pawl.core.model.plan import Plan, RetryRule
from pawl.core.model.status import Conclusion, FailureClass, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Who asked to stop, why and when."""

    by: str
    reason: str
    time: float
    force: bool = False


class Gate(StrEnum):
    """Whether a job that could start may: one that deploys to an environment has to be let in."""

    OPEN = "open"
    CLOSED = "closed"
    ASKED = "asked"
    """Whether it may start was asked and is not answered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One job: one combination of a group.

    Attributes:
        attempt: the current or last attempt, from 1; 0 before the first is asked for.
        earlier: how many of the attempts were made before the run was started again.
        conclusion: set when, and only when, the status is completed.
        cancelling: set while it was asked to stop and has not ended yet.
        environment: the one it deploys to, "" for none; `gate` says whether it was let in.
        order: counts the run's jobs in the order in which they ended; decides whose outputs win.
        queued_at, started_at, completed_at: seconds, of the last attempt.
    """

    id: JobId
    continue_on_error: bool = False
    status: Status = Status.WAITING
    attempt: int = 0
    earlier: int = 0
    conclusion: Conclusion | None = None
    reason: str = ""
    cancelling: Cancellation | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    untrusted: frozenset[str] = frozenset()
    failure_class: FailureClass | None = None
    environment: str = ""
    gate: Gate = Gate.OPEN
    order: int = 0
    queued_at: float | None = None
    started_at: float | None = None
    completed_at: float | None = None

    @property
    def is_at_gate(self) -> bool:
        """Return whether it waits for nothing but to be let in."""
        return self.status is Status.WAITING and self.gate is Gate.ASKED

    @property
    def is_active(self) -> bool:
        """Return whether it was asked for and has not ended: it counts against `max-parallel`."""
        return self.status in {Status.QUEUED, Status.IN_PROGRESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A job as written, with all its combinations.

    Attributes:
        resolving: whether ResolveJob was asked for and is not answered yet.
        jobs: its combinations; None until it is resolved. A skipped group has none.
        result: `needs.<key>.result`, once every combination has ended.
        reason: why it was skipped or failed without running.
        past: the last attempt of each of its jobs before the run was started again; they count on from there.
    """

    key: JobKey
    needs: tuple[JobKey, ...] = ()
    ancestors: tuple[JobKey, ...] = ()
    retry: RetryRule | None = None
    resolving: bool = False
    jobs: tuple[JobState, ...] | None = None
    fail_fast: bool = True
    max_parallel: int | None = None
    survives_cancel: bool = False
    result: Conclusion | None = None
    reason: str = ""
    past: Mapping[JobId, int] = field(default_factory=dict)

    @property
    def is_completed(self) -> bool:
        """Return whether nothing more will happen to it."""
        return self.result is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A whole run.

    Attributes:
        groups: by key, in topological order.
        infrastructure_retries: further attempts after a fault of the infrastructure, whatever the file says.
        ended: how many jobs have ended.
        held: why it may not begin, in words: a run from a fork waits for approval. "" for nothing.
        triggered_by: who asked for it, where somebody did; its actor is whoever the event names.
        started_by: who started it again, where somebody did.
    """

    groups: Mapping[JobKey, Group]
    status: Status = Status.QUEUED
    conclusion: Conclusion | None = None
    cancellation: Cancellation | None = None
    infrastructure_retries: int = 0
    ended: int = 0
    held: str = ""
    triggered_by: str = ""
    started_by: str = ""
    started_at: float | None = None
    completed_at: float | None = None

    def find(self, job: JobId) -> tuple[Group, JobState] | None:
        """Return a job with its group, or None when there is none of that id (yet)."""
        group = self.groups.get(group_of(job))
        if group is None:
            return None
        return next(((group, state) for state in group.jobs or () if state.id == job), None)


def group_of(job: JobId) -> JobKey:
    """Return the key that an id begins with: `build` of `build#3`."""
    return JobKey(job.partition("#")[0])


def create_run(plan: Plan, *, infrastructure_retries: int = 0, triggered_by: str = "") -> RunState:
    """Return the state of a run that has not begun."""
    groups = {
        job.key: Group(key=job.key, needs=job.needs, ancestors=job.ancestors, retry=job.retry)
        for job in plan.jobs
    }
    return RunState(groups=groups, infrastructure_retries=infrastructure_retries, triggered_by=triggered_by)
