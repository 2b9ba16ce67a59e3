"""A sample of a webhook, and how each forge signs one."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from pawl.adapters.forge_generic import sign
from pawl.core.model.forge import ForgeKind, Received

SECRET = "s3cret of the project"
NOW = 1_750_000_000.0

BEFORE = "1" * 40
AFTER = "a" * 40
HEAD = "b" * 40
BASE = "c" * 40
MERGED = "d" * 40
ZEROS = "0" * 40

_EVENT_HEADERS = {
    ForgeKind.GITHUB: ("x-github-event", "x-github-delivery"),
    ForgeKind.GITLAB: ("x-gitlab-event", "idempotency-key"),
    ForgeKind.GITEA: ("x-gitea-event", "x-gitea-delivery"),
    ForgeKind.BITBUCKET: ("x-event-key", "x-request-uuid"),
    ForgeKind.GENERIC: ("", "x-ci-delivery"),
}


@dataclass(frozen=True)
class Sample:
    """A webhook and what it says.

    Attributes:
        forge: whose.
        name: the event as the forge calls it.
        body: before it becomes JSON.
        events: of each event what is to be found, by attribute.
        ignored: why there are none.
        title: tells samples of one event apart.
    """

    forge: ForgeKind
    name: str
    body: dict[str, Any]
    events: tuple[dict[str, Any], ...] = ()
    ignored: str = ""
    title: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.forge.value}-{self.title or self.name}"

    def received(self, secret: str = SECRET, now: float = NOW, **members: Any) -> Received:
        """Return the request, signed; `members` replace members of the body."""
        return signed(self.forge, self.name, {**self.body, **members}, secret, now, headers=self.headers)


def signed(
    forge: ForgeKind,
    name: str,
    body: dict[str, Any] | bytes,
    secret: str = SECRET,
    now: float = NOW,
    *,
    delivery: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    headers: dict[str, str] | None = None,
) -> Received:
    """Return a request as the forge sends it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    event, number = _EVENT_HEADERS[forge]
    sent = {"content-type": "application/json", number: delivery, **({event: name} if event else {})}
    return Received(headers={**sent, **signature(forge, raw, secret, now), **(headers or {})}, body=raw)


def signature(forge: ForgeKind, raw: bytes, secret: str = SECRET, now: float = NOW) -> dict[str, str]:
    """Return the headers by which a forge shows that it knows the secret."""
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    match forge:
        case ForgeKind.GITHUB:
            return {"x-hub-signature-256": f"sha256={digest}"}
        case ForgeKind.GITLAB:
            return {"x-gitlab-token": secret}
        case ForgeKind.GITEA:
            return {"x-gitea-signature": digest, "x-hub-signature-256": f"sha256={digest}"}
        case ForgeKind.BITBUCKET:
            return {"x-hub-signature": f"sha256={digest}"}
        case ForgeKind.GENERIC:
            return {"x-ci-signature": sign(secret, raw, now)}


def both(**event: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a change of a pull request from `topic` into `main` is to workflows."""
    same = {"base_ref": "main", "head_ref": "topic", "head_sha": HEAD, "number": 7, "from_fork": False}
    about = {"name": "pull_request", "ref": "refs/pull/7/merge", "sha": HEAD, **same, **event}
    return about, {
        **about,
        "name": "pull_request_target",
        "ref": "refs/heads/main",
        "sha": event.get("before", ""),
    }
