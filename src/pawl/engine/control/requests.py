"""What is asked of the control engine and what it answers: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.model.events import Event
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A run that is wanted.

    Attributes:
        path: of the workflow file, relative to the repository's root.
        text: of that file.
        event: what happened; names repository, ref, commit and actor.
        inputs: texts by name for `workflow_dispatch`; they outweigh those of the event.
        variables: of the `vars` context, over those that the server keeps.
        source: digest of the blob with the repository's files (`Artifacts.put_source`), None for none.
        priority: added to the workflow's own; each step is a head start in the queue.
        request_id: the request's own id: asked again with the same, the same run is returned. "" for none.
        correlation: an id that every log line about the run carries; made up when "".
        gives_way: whether a newer commit of its ref came before it: in concurrency groups it waits its turn,
            and neither stops nor supersedes anybody.
        by: who asks: the name of their token; "" where a forge, the poll or a schedule does. The event's
            actor is what they say.
    """

    path: str
    text: str
    event: Event
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    priority: int = 0
    request_id: str = ""
    correlation: str = ""
    gives_way: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """Something that waits.

    Attributes:
        position: from 1, in the order of the queue.
        job, attempt: None for a whole run that waits for its concurrency group.
        name: the job's display name, or the run's.
        reason: why it still waits, in words.
        waiting_since: seconds since 1970.
        available_at: not before this time; None when only others hold it up.
    """

    position: int
    run: RunId
    job: JobId | None
    attempt: int | None
    name: str
    repository: str
    reason: str
    requires: tuple[str, ...]
    waiting_since: float
    available_at: float | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What a sweep found and did.

    Attributes:
        requeued: leases that ended before the attempt had begun, and are queued again.
        lost: running attempts whose worker said nothing for too long.
        given_up: attempts that ended so too often.
        timed_out: attempts that waited too long for a worker.
        unblocked: runs and jobs that got a concurrency group which nobody had.
        decided: approvals that time alone let in or gave up.
        forgotten: workers forgotten.
        broken: what cannot be ended or handed a group, because its rows make no sense, and the fault.
        deleted_runs: removed as too old; `deleted_logs`: runs whose logs were.
        deleted_artifacts, deleted_blobs, deleted_keys: how many.
        deleted_bytes: of blobs and logs.
    """

    requeued: tuple[AttemptRef, ...] = ()
    lost: tuple[AttemptRef, ...] = ()
    given_up: tuple[AttemptRef, ...] = ()
    timed_out: tuple[AttemptRef, ...] = ()
    unblocked: int = 0
    decided: int = 0
    forgotten: int = 0
    broken: Mapping[str, Exception] = field(default_factory=dict)
    deleted_runs: int = 0
    deleted_logs: int = 0
    deleted_artifacts: int = 0
    deleted_blobs: int = 0
    deleted_keys: int = 0
    deleted_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what that only some may do; kept for ever, written with the change itself (I31)."""

    number: int
    time: float
    by: str
    action: str
    target: str
