"""A repository that a server works for, and the journal of what its forge sent. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pawl.core.model.forge import ForgeKind
from pawl.core.model.ids import RunId
from pawl.core.model.plan import Json


class ForkPolicy(StrEnum):
    """Whether a pull request from a fork waits for approval."""

    ALWAYS = "always"
    FIRST = "first"
    """Until one of its author's pull requests was merged or approved for this repository."""
    NEVER = "never"
    REFUSE = "refuse"
    """Nothing that comes from a fork runs, whoever approves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A repository at a forge.

    Attributes:
        name: `owner/name`, the same as `Event.repository`.
        clone_url: what git fetches from.
        api_url: of the forge's API; "" for the forge's own public one.
        web_url: where people look at it; "" where it is not known.
        secrets: sealed values by name (ports/sealing.py): `hook` is the webhook's, `token` the forge's,
            `app_key` a GitHub App's.
        user: account of the token, where the forge asks for one.
        app_id: of a GitHub App, "" for none.
        context: template of commit statuses: `{workflow}`, `{job}`, `{event}` are filled in.
        poll_seconds: how often branch heads are compared with what webhooks told; 0 for never.
        share_token: whether jobs get `token` as their `GITHUB_TOKEN`, where the forge makes none for each.
    """

    name: str
    forge: ForgeKind
    clone_url: str
    created_at: float
    default_branch: str = "main"
    api_url: str = ""
    web_url: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    user: str = ""
    app_id: str = ""
    context: str = "pawl/{workflow}"
    forks: ForkPolicy = ForkPolicy.ALWAYS
    poll_seconds: float = 300.0
    active: bool = True
    share_token: bool = False


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    STORED = "stored"
    """Acknowledged, and not looked at yet; tried again from `next_at` on."""
    DONE = "done"
    FAILED = "failed"
    """Given up: `reason` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one workflow file said to one event of a delivery.

    Attributes:
        path: of the workflow; "" for what is about all of them.
        run: the run that was made; None when a filter or a fault said no.
        reason: what decided, for people.
        verdicts: each filter's, as `to_plain` writes `FilterVerdict`.
    """

    path: str
    reason: str
    event: str = ""
    run: RunId | None = None
    verdicts: Json = None


class DeliverySource(StrEnum):
    """Where a delivery comes from, and so what its body is."""

    WEBHOOK = "webhook"
    """The body is the forge's."""
    POLL = "poll"
    """A push that no webhook told of; the body is Pawl's own."""
    SCHEDULE = "schedule"
    """A cron line whose time came; the body is Pawl's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery of a webhook, one find of the poll, or one time of a schedule.

    Attributes:
        id: counts the deliveries of a server; 0 until it is stored.
        project: `owner/name`.
        key: the forge's id of it: the same key is taken once for a project.
        name: the event as the forge calls it.
        headers: those that are needed to read it again; no signature, no cookie.
        body: the raw body; empty once it was forgotten (`body_kept`), and in lists.
        replay_of: the delivery that this one is a replay of.
        tries: how often working on it failed for a while.
        next_at: when the next try is; while a server works on it, until when nobody else does.
        reason: why it starts nothing, or why it failed.
    """

    id: int = 0
    project: str
    key: str
    source: DeliverySource
    name: str
    received_at: float
    correlation: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    body_kept: bool = True
    replay_of: int | None = None
    state: DeliveryState = DeliveryState.STORED
    tries: int = 0
    next_at: float = 0.0
    done_at: float | None = None
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRecord:
    """A commit that a ref was told to be at: by a webhook, by the poll, or by a first look at the forge.

    Attributes:
        ref: the full ref.
        told_at: when it was told last.
        delivery: which delivery told it first; 0 for the first look.
    """

    project: str
    ref: str
    sha: str
    told_at: float
    delivery: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """A cron line of a workflow on the default branch.

    Attributes:
        zone: name of the time zone, `UTC` where the file names none.
        set_at: when `next_at` was found: by a clock that has since been set back, that is in the future.
        next_at: when it is due, seconds since 1970; None when it never is.
        fired_at: the last minute it fired for.
    """

    project: str
    path: str
    cron: str
    zone: str
    set_at: float
    next_at: float | None
    fired_at: float | None = None
