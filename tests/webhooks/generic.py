"""Samples of the generic hook, as docs/reference/webhooks.md says that they look."""

from __future__ import annotations

from typing import Any

from pawl.core.model.forge import ForgeKind
from tests.webhooks.sample import AFTER, BASE, BEFORE, HEAD, ZEROS, Sample, both

_COMMON = {"repository": "acme/app", "default_branch": "main", "actor": "ann"}


def _of(body: dict[str, Any], *events: dict[str, Any], **more: Any) -> Sample:
    return Sample(ForgeKind.GENERIC, body["event"], {**_COMMON, **body}, events, **more)


_PUSH = {"event": "push", "ref": "refs/heads/main", "sha": AFTER}
_PULL = {
    "event": "pull_request",
    "action": "opened",
    "number": 7,
    "title": "A new roof",
    "base_ref": "main",
    "base_sha": BASE,
    "head_ref": "topic",
    "head_sha": HEAD,
    "head_repository": "acme/app",
}

SAMPLES = (
    _of({"event": "ping"}, ignored="ping"),
    _of(
        {**_PUSH, "before": BEFORE, "message": "Mend", "author": "Ann Lee", "changed_files": ["a.txt"]},
        {
            "name": "push",
            "ref": "refs/heads/main",
            "sha": AFTER,
            "before": BEFORE,
            "message": "Mend",
            "author": "Ann Lee",
            "actor": "ann",
            "changed_files": ("a.txt",),
            "provider": "generic",
        },
    ),
    _of(_PUSH, {"before": "", "changed_files": None}, title="push-that-says-little"),
    _of({**_PUSH, "sha": ZEROS}, {"name": "delete", "ref": "refs/heads/main"}, title="push-of-nothing"),
    _of({"event": "create", "ref": "refs/tags/v1", "sha": AFTER}, {"name": "create", "ref": "refs/tags/v1"}),
    _of({"event": "delete", "ref": "refs/tags/v1"}, {"name": "delete", "ref": "refs/heads/main"}),
    _of(_PULL, *both(action="opened", before=BASE)),
    _of(
        {**_PULL, "head_repository": "stranger/app"},
        *both(action="opened", before=BASE, from_fork=True),
        title="pull-request-of-a-fork",
    ),
    _of(
        {"event": "release", "action": "published", "ref": "refs/tags/v1"},
        {"name": "release", "action": "published", "ref": "refs/tags/v1"},
    ),
    _of(
        {"event": "repository_dispatch", "action": "deploy", "client_payload": {"to": "here"}},
        {"name": "repository_dispatch", "action": "deploy", "ref": "refs/heads/main", "sha": ""},
    ),
    _of(
        {"event": "workflow_dispatch", "ref": "refs/heads/topic", "inputs": {"level": "high"}},
        {"name": "workflow_dispatch", "ref": "refs/heads/topic", "inputs": {"level": "high"}},
    ),
)
