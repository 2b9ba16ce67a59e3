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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery of a webhook, or one find of the poll.

    Attributes:
        id: counts the deliveries of a server from 1.
        project: `owner/name`.
        key: the forge's id of it: the same key is taken once for a project.
        source: `webhook`, `poll`, `schedule` or `replay`.
        name: the event as the forge calls it.
        headers: those that are needed to read it again; no signature, no cookie.
        body: the raw body.
        tries: how often working on it failed for a while; `next_at`: when the next try is.
        reason: why it starts nothing, or why it failed.
    """

    id: int
    project: str
    key: str
    source: str
    name: str
    received_at: float
    correlation: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    state: DeliveryState = DeliveryState.STORED
    tries: int = 0
    next_at: float = 0.0
    done_at: float | None = None
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()
