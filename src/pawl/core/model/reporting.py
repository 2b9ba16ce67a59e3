"""What a server tells others of its runs: statuses at commits, and notices. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pawl.core.model.forge import CommitState
from pawl.core.model.ids import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecord:
    """The newest state under one name at one commit, and how much of that its forge was told.

    Attributes:
        project: `owner/name`.
        sha: the commit's full id.
        context: the name.
        run: whose state it is; None for a workflow that a filter kept out.
        changed_at: when the state was set.
        sequence: grows by one with each state.
        sent: the sequence of the last state that the forge took; 0 for none.
        waiting: whether there is something to be sent.
        claims: how often it was taken to be sent: whoever's count is not the last has lost it.
        tries: how often sending failed since it went well.
        next_at: when the next try is; while a server sends it, until when nobody else does.
        reason: why sending failed last; "" after it went well. Given up when nothing is waiting and
            `sent` is below `sequence`.
    """

    project: str
    sha: str
    context: str
    state: CommitState
    description: str = ""
    ref: str = ""
    run: RunId | None = None
    started_at: float | None = None
    completed_at: float | None = None
    changed_at: float = 0.0
    sequence: int = 1
    sent: int = 0
    waiting: bool = True
    claims: int = 0
    tries: int = 0
    next_at: float = 0.0
    reason: str = ""


class DestinationKind(StrEnum):
    """How a destination is told."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class Told(StrEnum):
    """Of which ends of runs a destination is told."""

    ALWAYS = "always"
    FAILURES = "failures"
    CHANGES = "changes"
    """When a branch's workflow breaks, and when it is fixed."""


class Topic(StrEnum):
    """What notices are about."""

    RUN_CREATED = "run.created"
    RUN_STARTED = "run.started"
    RUN_COMPLETED = "run.completed"
    JOB_COMPLETED = "job.completed"
    WORKER_LOST = "worker.lost"
    PING = "ping"
    """Somebody tries whether it arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRecord:
    """Somewhere that notices go.

    Attributes:
        id: 0 until it is stored.
        project: of whose runs it is told; "" for those of all projects.
        target: a webhook's URL, or addresses of mail with commas between them.
        topics: what it is told of; a mail's is the end of runs alone.
        told: which ends of runs.
        secret: what a webhook is signed with, sealed.
        active: whether anything is sent.
        reason: why it is not active.
        failing_since: since when everything that was sent to it failed; None when the last arrived.
    """

    id: int = 0
    project: str
    kind: DestinationKind
    target: str
    topics: tuple[Topic, ...] = (Topic.RUN_COMPLETED,)
    told: Told = Told.ALWAYS
    secret: str = ""
    created_at: float = 0.0
    active: bool = True
    reason: str = ""
    failing_since: float | None = None


class NoticeState(StrEnum):
    """How far a notice has come."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one try.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        text: the beginning of what was answered, or what went wrong.
    """

    time: float
    status: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRecord:
    """One notice for one destination.

    Attributes:
        id: 0 until it is stored.
        project: of whose run it is; "" for none's.
        body: what is told, as JSON.
        claims: as of a status.
        next_at: as of a status.
        replies: what came of the last tries, oldest first.
        again: the notice that this one is sent again for.
    """

    id: int = 0
    destination: int
    topic: Topic
    body: str
    project: str = ""
    run: RunId | None = None
    created_at: float = 0.0
    state: NoticeState = NoticeState.WAITING
    claims: int = 0
    tries: int = 0
    next_at: float = 0.0
    done_at: float | None = None
    reason: str = ""
    replies: tuple[Reply, ...] = ()
    again: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """How the newest run of a workflow at a ref ended: what the next one is compared with.

    Attributes:
        run, number: of the newest run that succeeded or failed.
        failing_since: number of the first run that failed since one succeeded; None when it succeeded.
        ended_at: when it ended.
    """

    project: str
    path: str
    ref: str
    run: RunId
    number: int
    failing_since: int | None
    ended_at: float
