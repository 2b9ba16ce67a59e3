"""Samples of GitHub. Source: GitHub documentation, "Webhook events and payloads"; octokit/webhooks."""

from __future__ import annotations

from typing import Any

from pawl.core.model.forge import ForgeKind
from tests.webhooks.sample import AFTER, BASE, BEFORE, HEAD, MERGED, ZEROS, Sample, both

REPOSITORY = {
    "id": 186853002,
    "name": "app",
    "full_name": "acme/app",
    "private": False,
    "owner": {"login": "acme", "id": 21031067, "type": "Organization"},
    "html_url": "https://github.example/acme/app",
    "clone_url": "https://github.example/acme/app.git",
    "default_branch": "main",
    "fork": False,
}
SENDER = {"login": "ann", "id": 5346, "type": "User", "site_admin": False}
_COMMON = {"repository": REPOSITORY, "sender": SENDER}


def commit(sha: str, **more: Any) -> dict[str, Any]:
    return {
        "id": sha,
        "tree_id": "e" * 40,
        "distinct": True,
        "message": "Mend the roof",
        "timestamp": "2025-06-15T15:06:40+00:00",
        "url": f"https://github.example/acme/app/commit/{sha}",
        "author": {"name": "Ann Lee", "email": "ann@example.org", "username": "ann"},
        "committer": {"name": "Ann Lee", "email": "ann@example.org", "username": "ann"},
        "added": ["new.txt"],
        "removed": [],
        "modified": ["src/main.py"],
        **more,
    }


def push(**more: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main",
        "before": BEFORE,
        "after": AFTER,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": "https://github.example/acme/app/compare/111...aaa",
        "commits": [commit(AFTER)],
        "head_commit": commit(AFTER),
        "pusher": {"name": "ann", "email": "ann@example.org"},
        **_COMMON,
        **more,
    }


def pull_request(**more: Any) -> dict[str, Any]:
    return {
        "number": 7,
        "state": "open",
        "title": "A new roof",
        "body": "As discussed.",
        "user": SENDER,
        "draft": False,
        "merged": False,
        "merge_commit_sha": "f" * 40,
        "labels": [{"name": "bug"}],
        "head": {"label": "acme:topic", "ref": "topic", "sha": HEAD, "repo": REPOSITORY},
        "base": {"label": "acme:main", "ref": "main", "sha": BASE, "repo": REPOSITORY},
        **more,
    }


def _pull(action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "number": 7, "pull_request": pull_request(**more), **_COMMON}


def _of(name: str, body: dict[str, Any], *events: dict[str, Any], **more: Any) -> Sample:
    return Sample(ForgeKind.GITHUB, name, body, events, **more)


FORK = {**REPOSITORY, "full_name": "stranger/app", "fork": True}
_FROM_FORK = {"label": "stranger:topic", "ref": "topic", "sha": HEAD, "repo": FORK}
_GONE = {"label": "ghost:topic", "ref": "topic", "sha": HEAD, "repo": None}
_DEFAULT = {"ref": "refs/heads/main", "sha": "", "actor": "ann"}

SAMPLES = (
    _of("ping", {"zen": "Design for failure.", "hook_id": 1, **_COMMON}, ignored="ping"),
    _of(
        "ping", {"zen": "Keep it.", "hook_id": 1, "sender": SENDER}, ignored="ping", title="ping-organization"
    ),
    _of(
        "push",
        push(),
        {
            "name": "push",
            "ref": "refs/heads/main",
            "sha": AFTER,
            "before": BEFORE,
            "message": "Mend the roof",
            "author": "Ann Lee",
            "actor": "ann",
            "repository": "acme/app",
            "default_branch": "main",
            "changed_files": ("new.txt", "src/main.py"),
            "provider": "github",
        },
    ),
    _of("push", push(forced=True), {"changed_files": None, "sha": AFTER}, title="push-forced"),
    _of(
        "push",
        push(commits=[commit(HEAD), commit(AFTER)]),
        {"changed_files": None, "sha": AFTER},
        title="push-of-several-commits",
    ),
    _of(
        "push",
        push(before=ZEROS, created=True),
        {"changed_files": None, "before": ZEROS},
        title="push-of-a-new-branch",
    ),
    _of(
        "push",
        push(ref="refs/tags/v1", before=ZEROS, created=True, commits=[]),
        {"name": "push", "ref": "refs/tags/v1", "tag": "v1", "message": "Mend the roof"},
        title="push-of-a-tag",
    ),
    _of(
        "push",
        push(after=ZEROS, deleted=True, commits=[], head_commit=None),
        ignored="the ref was deleted, of which `delete` tells",
        title="push-of-nothing",
    ),
    _of(
        "create",
        {"ref": "topic", "ref_type": "branch", **_COMMON},
        {"name": "create", "ref": "refs/heads/topic"},
    ),
    _of(
        "create",
        {"ref": "v1", "ref_type": "tag", **_COMMON},
        {"name": "create", "ref": "refs/tags/v1"},
        title="create-tag",
    ),
    _of("delete", {"ref": "topic", "ref_type": "branch", **_COMMON}, {"name": "delete", **_DEFAULT}),
    _of(
        "pull_request",
        _pull("opened"),
        *both(action="opened", before=BASE, head_repository="acme/app", actor="ann"),
    ),
    _of(
        "pull_request",
        {**_pull("synchronize"), "before": BEFORE, "after": HEAD},
        *both(action="synchronize", before=BASE),
        title="pull_request-synchronize",
    ),
    _of(
        "pull_request",
        _pull("opened", head=_FROM_FORK),
        *both(action="opened", before=BASE, from_fork=True, head_repository="stranger/app"),
        title="pull_request-of-a-fork",
    ),
    _of(
        "pull_request",
        _pull("closed", head=_GONE, state="closed"),
        *both(action="closed", before=BASE, from_fork=True, head_repository=""),
        title="pull_request-of-a-fork-that-is-gone",
    ),
    _of(
        "pull_request",
        _pull("closed", state="closed", merged=True, merge_commit_sha=MERGED),
        {"name": "pull_request", "ref": "refs/heads/main", "sha": MERGED, "head_sha": HEAD},
        {"name": "pull_request_target", "ref": "refs/heads/main", "sha": BASE},
        title="pull_request-merged",
    ),
    _of(
        "pull_request_review",
        {"action": "submitted", "review": {"state": "approved"}, "pull_request": pull_request(), **_COMMON},
        {"name": "pull_request_review", "action": "submitted", "ref": "refs/pull/7/merge", "sha": HEAD},
    ),
    _of(
        "issue_comment",
        {"action": "created", "issue": {"number": 7}, "comment": {"body": "/run"}, **_COMMON},
        {"name": "issue_comment", "action": "created", **_DEFAULT},
    ),
    _of(
        "release",
        {"action": "published", "release": {"tag_name": "v1", "draft": False}, **_COMMON},
        {"name": "release", "action": "published", "ref": "refs/tags/v1", "sha": ""},
    ),
    _of(
        "workflow_run",
        {"action": "completed", "workflow_run": {"name": "CI", "head_branch": "topic"}, **_COMMON},
        {"name": "workflow_run", "action": "completed", **_DEFAULT},
    ),
    _of(
        "merge_group",
        {
            "action": "checks_requested",
            "merge_group": {
                "head_sha": HEAD,
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-ccc",
                "base_sha": BASE,
                "base_ref": "refs/heads/main",
                "head_commit": {"id": HEAD},
            },
            **_COMMON,
        },
        {"name": "merge_group", "ref": "refs/heads/gh-readonly-queue/main/pr-7-ccc", "sha": HEAD},
    ),
    _of(
        "repository_dispatch",
        {"action": "deploy", "branch": "main", "client_payload": {"to": "here"}, **_COMMON},
        {"name": "repository_dispatch", "action": "deploy", "ref": "refs/heads/main"},
    ),
    _of(
        "deployment",
        {"deployment": {"sha": AFTER, "ref": "main"}, "action": "created", **_COMMON},
        {"name": "deployment", "sha": AFTER},
    ),
    _of("issues", {"action": "opened", "issue": {"number": 1}, **_COMMON}, {"name": "issues", **_DEFAULT}),
    _of("star", {"action": "created", **_COMMON}, ignored="`star` starts no workflow"),
    _of(
        "workflow_dispatch",
        {"inputs": {}, "ref": "refs/heads/main", **_COMMON},
        ignored="it was started at the forge, not here",
    ),
    _of("installation", {"action": "created", "sender": SENDER}, ignored="`installation` starts no workflow"),
)
