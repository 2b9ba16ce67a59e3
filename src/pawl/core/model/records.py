"""What a server keeps of runs, attempts and workers: plain frozen values, one class a kind of row.

Times are seconds since 1970 by the server's clock. A run's decisions are in its lifecycle state; these
rows are what can be looked up, ordered and leased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pawl.core.model.ids import Epoch, JobId, JobKey, RunId, WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.status import Conclusion, FailureClass, Status

NO_EPOCH = Epoch(0)
"""Of an attempt that was never leased."""


class AttemptState(StrEnum):
    """Where an attempt is on its way through the queue (architecture.md M3)."""

    QUEUED = "queued"
    LEASED = "leased"
    """A worker has it and has not begun: it has a short deadline of its own."""
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AttemptRef:
    """Names one attempt of one job."""

    run: RunId
    job: JobId
    attempt: int

    def __str__(self) -> str:
        """Return it for people."""
        return f"run {self.run}, job {self.job}, attempt {self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be stored; the store gives it its id and number.

    Attributes:
        plan: as `plan_to_json` wrote it.
        state: as `state_to_json` wrote it.
        source: digest of the blob with the repository's files; None when the workflow has none.
        correlation: an id that every log line about the run carries, from trigger to worker.
    """

    repository: str
    path: str
    name: str
    run_name: str
    event: str
    ref: str
    sha: str
    actor: str
    correlation: str
    created_at: float
    plan: Json
    state: Json
    source: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run.

    Attributes:
        number: counts the runs of one workflow file of one repository from 1.
        attempt: how often it was started: 1, and one more for each re-run.
        cancelling: whether it was asked to stop and has not ended yet.
        reason: why it waits, or ended as it did, in words.
        needs_attention: what a person should look at, where the server could not decide; else "".
    """

    id: RunId
    number: int
    repository: str
    path: str
    name: str
    run_name: str
    event: str
    ref: str
    sha: str
    actor: str
    correlation: str
    created_at: float
    attempt: int = 1
    status: Status = Status.QUEUED
    conclusion: Conclusion | None = None
    cancelling: bool = False
    reason: str = ""
    started_at: float | None = None
    completed_at: float | None = None
    source: str | None = None
    priority: int = 0
    needs_attention: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt of one job: the row that is the queue (architecture.md M1).

    Attributes:
        requires: labels that a worker must have, sorted.
        queue_key: its place: the queue is ordered by this number, smallest first (M2).
        available_at: not to be leased before this time (back-off, rate limit).
        blocked: why it may not be leased though its time has come ("" for nothing): a concurrency group.
        group: its concurrency group, where it has one of its own.
        deadline: when the lease ends, of a leased or running one; else when waiting in the queue ends.
        epoch: of the last lease; 0 before the first.
        leases: how many leases ended without the attempt having begun.
        cancel: why it is to stop, once that was asked; `cancel_at_once`: without its last steps.
        result_key: the idempotency key of the call that finished it.
        log_note: why its log is not whole, "" for a complete one.
        payload: what its worker needs besides the plan (see `core/model/work.py`).
    """

    ref: AttemptRef
    key: JobKey
    name: str
    repository: str
    state: AttemptState
    requires: tuple[str, ...]
    queue_key: float
    queued_at: float
    available_at: float
    payload: Json
    blocked: str = ""
    group: str | None = None
    deadline: float | None = None
    epoch: Epoch = NO_EPOCH
    leases: int = 0
    worker: WorkerId | None = None
    leased_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    cancel: str | None = None
    cancel_at_once: bool = False
    conclusion: Conclusion | None = None
    reason: str = ""
    failure_class: FailureClass | None = None
    exit_code: int | None = None
    result_key: str | None = None
    log_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker that has said hello.

    Attributes:
        token: digest of the token it came with; its identity is this and its name.
        slots: how many jobs it takes at once.
        health: "" when it is well, else what is wrong with it.
        draining: it finishes what it has and takes nothing new.
        facts: versions and the like, for people.
    """

    id: WorkerId
    name: str
    token: str
    labels: tuple[str, ...]
    slots: int
    first_seen: float
    last_seen: float
    draining: bool = False
    health: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """The log of one step of one attempt, as far as the store knows of it.

    Attributes:
        index: of the step in its job, from 0.
        size: bytes; 0 until it is finished (before, the log's bytes themselves say it).
        sha256: of the bytes, "" until it is finished.
        dropped: bytes that the worker's cap refused.
        note: why it is not whole, "" for a complete one.
        finished: whether nothing more will be added.
    """

    attempt: AttemptRef
    index: int
    name: str
    size: int = 0
    lines: int = 0
    sha256: str = ""
    dropped: int = 0
    note: str = ""
    finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """An artifact of an attempt; visible to people and other jobs only once it is final.

    Attributes:
        files: as in `ports.artifacts.ArtifactFile`: name, size, sha256, content type. Each file is a blob.
        size: sum of the files' bytes.
    """

    run: RunId
    name: str
    job: JobId
    attempt: int
    created_at: float
    size: int
    files: tuple[ArtifactEntry, ...]
    final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactEntry:
    """One file of an artifact; `sha256` is also the name of its blob."""

    name: str
    size: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A token: what it may do, never the token itself.

    Attributes:
        digest: SHA-256 of the token in hex: the row's key.
        name: what people call it.
        scope: `admin`, `user` (everything but tokens), `read` or `worker`.
        last_used: None when it never was; kept to the minute.
        revoked: whether it is good for nothing any more.
    """

    digest: str
    name: str
    scope: str
    created_at: float
    last_used: float | None = None
    expires_at: float | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event of a run as it was told; `sequence` counts from 1 in the run, without gaps."""

    run: RunId
    sequence: int
    time: float
    event: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """A run or job that has or awaits a concurrency group.

    Attributes:
        job: None for a run's own group.
        active: whether it has the group; else it is waiting.
        since: when it came: the order in the group.
    """

    group: str
    run: RunId
    job: JobId | None
    active: bool
    since: float
