"""Samples of Bitbucket Cloud. Source: Atlassian support, "Event payloads"."""

from __future__ import annotations

from typing import Any

from pawl.core.model.forge import ForgeKind
from tests.webhooks.sample import AFTER, BEFORE, HEAD, ZEROS, Sample, both

REPOSITORY = {
    "type": "repository",
    "name": "App",
    "full_name": "acme/app",
    "uuid": "{673a6070-3421-46c9-9d48-90745f7bfe8e}",
    "links": {"html": {"href": "https://bitbucket.example/acme/app"}},
    "is_private": True,
    "mainbranch": {"type": "branch", "name": "main"},
}
ACTOR = {"type": "user", "display_name": "Ann Lee", "nickname": "ann", "uuid": "{d301aafa}"}
_COMMON = {"actor": ACTOR, "repository": REPOSITORY}


def _target(sha: str) -> dict[str, Any]:
    return {
        "type": "commit",
        "hash": sha,
        "message": "Mend the roof\n",
        "date": "2025-06-15T15:06:40+00:00",
        "author": {"raw": "Ann Lee <ann@example.org>", "user": ACTOR},
        "links": {"html": {"href": f"https://bitbucket.example/acme/app/commits/{sha}"}},
    }


def _side(name: str, sha: str, kind: str = "branch") -> dict[str, Any]:
    return {"type": kind, "name": name, "target": _target(sha)}


def push(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"push": {"changes": list(changes)}, **_COMMON}


def change(**more: Any) -> dict[str, Any]:
    return {
        "new": _side("main", AFTER),
        "old": _side("main", BEFORE),
        "created": False,
        "closed": False,
        "forced": False,
        "commits": [_target(AFTER)],
        "truncated": False,
        **more,
    }


def pull(**more: Any) -> dict[str, Any]:
    source = {"branch": {"name": "topic"}, "commit": {"hash": HEAD[:12]}, "repository": REPOSITORY}
    target = {"branch": {"name": "main"}, "commit": {"hash": BEFORE[:12]}, "repository": REPOSITORY}
    told = {
        "id": 7,
        "title": "A new roof",
        "description": "As discussed.",
        "state": "OPEN",
        "author": ACTOR,
        "source": source,
        "destination": target,
        "merge_commit": None,
        "links": {"html": {"href": "https://bitbucket.example/acme/app/pull-requests/7"}},
        **more,
    }
    return {"pullrequest": told, **_COMMON}


def _of(name: str, body: dict[str, Any], *events: dict[str, Any], **more: Any) -> Sample:
    return Sample(ForgeKind.BITBUCKET, name, body, events, **more)


_SHORT = {"sha": HEAD[:12], "head_sha": HEAD[:12], "before": ""}
_NO_BRANCH = {key: value for key, value in REPOSITORY.items() if key != "mainbranch"}
_FORK = {
    "branch": {"name": "topic"},
    "commit": {"hash": HEAD[:12]},
    "repository": {"full_name": "stranger/app"},
}


def _both(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return both(**{**_SHORT, **more})


SAMPLES = (
    _of(
        "repo:push",
        push(change()),
        {
            "name": "push",
            "ref": "refs/heads/main",
            "sha": AFTER,
            "before": BEFORE,
            "message": "Mend the roof\n",
            "author": "Ann Lee",
            "actor": "ann",
            "changed_files": None,
            "provider": "bitbucket",
            "default_branch": "main",
        },
    ),
    _of(
        "repo:push",
        push(
            change(),
            change(new=_side("v1", AFTER, "tag"), old=None, created=True),
            change(new=None, old=_side("topic", HEAD), closed=True),
        ),
        {"name": "push", "ref": "refs/heads/main"},
        {"name": "create", "ref": "refs/tags/v1"},
        {"name": "push", "ref": "refs/tags/v1", "before": ZEROS},
        {"name": "delete", "ref": "refs/heads/main", "sha": ""},
        title="push-of-three-refs",
    ),
    _of("repo:push", push(), ignored="no branch or tag was changed", title="push-of-nothing"),
    _of(
        "repo:push",
        {**push(change(new=None, closed=True)), "repository": _NO_BRANCH},
        {"name": "delete", "ref": "", "default_branch": ""},
        title="push-without-a-main-branch",
    ),
    _of("pullrequest:created", pull(), *_both(action="opened", head_repository="acme/app")),
    _of("pullrequest:updated", pull(), *_both(action="synchronize")),
    _of("pullrequest:rejected", pull(state="DECLINED"), *_both(action="closed")),
    _of(
        "pullrequest:fulfilled",
        pull(state="MERGED", merge_commit={"hash": "d" * 12}),
        {"name": "pull_request", "action": "closed", "ref": "refs/heads/main", "sha": "d" * 12},
        {"name": "pull_request_target", "ref": "refs/heads/main", "sha": ""},
    ),
    _of(
        "pullrequest:created",
        pull(source=_FORK),
        *_both(action="opened", from_fork=True, head_repository="stranger/app"),
        title="pull-request-of-a-fork",
    ),
    _of(
        "pullrequest:comment_created",
        {**pull(), "comment": {"id": 1, "content": {"raw": "/run"}, "user": ACTOR}},
        {"name": "issue_comment", "action": "created", "ref": "refs/heads/main", "sha": ""},
    ),
    _of("repo:fork", {"fork": {}, **_COMMON}, ignored="`repo:fork` starts no workflow"),
    _of("diagnostics:ping", {"test": True}, ignored="ping"),
)
