"""What passes between a forge and a server: webhooks in, commit statuses out. Plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from pawl.core.model.events import Event


class ForgeKind(StrEnum):
    """Which forge's way of speaking; the value is the `{provider}` of `/webhooks/{provider}`."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    """Forgejo too."""
    BITBUCKET = "bitbucket"
    GENERIC = "generic"
    """Any sender that signs as Pawl documents it."""


PUBLIC_APIS: Mapping[ForgeKind, str] = MappingProxyType(
    {
        ForgeKind.GITHUB: "https://api.github.com",
        ForgeKind.GITLAB: "https://gitlab.com/api/v4",
        ForgeKind.BITBUCKET: "https://api.bitbucket.org/2.0",
    }
)
"""The API of a forge's public instance, for a project that names none; Gitea has no such one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A webhook request as it came.

    Attributes:
        headers: by lower-case name; one that came twice is refused before.
        body: the raw bytes, over which signatures are.
    """

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What a verified webhook says.

    Attributes:
        delivery: the forge's id of this delivery, the same when it is sent again.
        name: the event as the forge calls it (`push`, `Merge Request Hook`, `repo:push`).
        repository: `owner/name`, "" where it names none.
        events: what happened, in order; several where one push moved several refs.
        ignored: why it starts nothing, when there are no events; a ping says `ping`.
    """

    delivery: str
    name: str
    repository: str
    events: tuple[Event, ...] = ()
    ignored: str = ""


class CommitState(StrEnum):
    """What a commit status says; each forge's adapter has its own words for it."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark on a line of a file; `level` is `notice`, `warning` or `failure`."""

    path: str
    line: int
    message: str
    level: str = "failure"
    title: str = ""
    end_line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """What stands at a commit under one name.

    Attributes:
        sha: the commit; for a pull request its head.
        context: the name, the same for every state of it.
        description: for people, of any length; adapters cut it to what the forge takes.
        url: where to look.
        ref: the branch or tag, short; "" where it is not known.
        started_at, completed_at: seconds since 1970.
        annotations: for forges that show them.
    """

    sha: str
    context: str
    state: CommitState
    description: str = ""
    url: str = ""
    ref: str = ""
    started_at: float | None = None
    completed_at: float | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeAccess:
    """How to reach one repository at its forge.

    Attributes:
        repository: `owner/name`.
        api_url: of the forge's API, without a slash at the end: `https://api.github.com`,
            `https://git.example.org/api/v4` (GitLab), `https://git.example.org/api/v1` (Gitea).
        token: what its API is called with; "" for none. Never shown: `repr` leaves it out.
        app_id, app_key: of a GitHub App (the key as PEM), where one is configured.
        user: the account that the token belongs to, where the forge asks for it (Bitbucket).
    """

    repository: str
    api_url: str
    token: str = field(default="", repr=False)
    app_id: str = ""
    app_key: str = field(default="", repr=False)
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeToken:
    """A token for git and the forge's API.

    Attributes:
        user: the name that goes with it in HTTP basic authentication.
        secret: never shown: `repr` leaves it out.
        expires_at: seconds since 1970; None where it does not end by itself.
        permissions: what the forge gave (`contents: read`); empty where the forge cannot tell.
    """

    user: str
    secret: str = field(repr=False)
    expires_at: float | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
