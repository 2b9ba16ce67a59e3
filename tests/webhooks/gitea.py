"""Samples of Gitea and Forgejo. Source: Gitea documentation, "Webhooks", and modules/structs/hook.go."""

from __future__ import annotations

from typing import Any

from pawl.core.model.forge import ForgeKind
from tests.webhooks.sample import AFTER, BASE, BEFORE, HEAD, MERGED, ZEROS, Sample, both

REPOSITORY = {
    "id": 140,
    "name": "app",
    "full_name": "acme/app",
    "private": False,
    "fork": False,
    "owner": {"id": 1, "login": "acme", "username": "acme"},
    "html_url": "http://git.example/acme/app",
    "clone_url": "http://git.example/acme/app.git",
    "default_branch": "main",
}
SENDER = {"id": 2, "login": "ann", "username": "ann", "full_name": "Ann Lee", "email": "ann@example.org"}
_COMMON = {"repository": REPOSITORY, "sender": SENDER}
_COMMIT = {
    "id": AFTER,
    "message": "Mend the roof\n",
    "url": f"http://git.example/acme/app/commit/{AFTER}",
    "author": {"name": "Ann Lee", "email": "ann@example.org", "username": "ann"},
    "committer": {"name": "Ann Lee", "email": "ann@example.org", "username": "ann"},
    "timestamp": "2025-06-15T15:06:40Z",
    "added": ["new.txt"],
    "removed": None,
    "modified": None,
}


def push(**more: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main",
        "before": BEFORE,
        "after": AFTER,
        "compare_url": "http://git.example/acme/app/compare/111...aaa",
        "commits": [_COMMIT],
        "total_commits": 1,
        "head_commit": _COMMIT,
        "pusher": SENDER,
        **_COMMON,
        **more,
    }


def pull(action: str, **more: Any) -> dict[str, Any]:
    told = {
        "id": 77,
        "number": 7,
        "user": SENDER,
        "title": "A new roof",
        "body": "As discussed.",
        "labels": [],
        "state": "open",
        "draft": False,
        "merged": False,
        "merge_commit_sha": None,
        "base": {"label": "main", "ref": "main", "sha": BASE, "repo_id": 140, "repo": REPOSITORY},
        "head": {"label": "topic", "ref": "topic", "sha": HEAD, "repo_id": 140, "repo": REPOSITORY},
        "merge_base": BASE,
        **more,
    }
    return {"action": action, "number": 7, "pull_request": told, **_COMMON}


def _of(name: str, body: dict[str, Any], *events: dict[str, Any], **more: Any) -> Sample:
    return Sample(ForgeKind.GITEA, name, body, events, **more)


_FORK = {"label": "topic", "ref": "topic", "sha": HEAD, "repo": {**REPOSITORY, "full_name": "stranger/app"}}
_OLD = {key: value for key, value in push().items() if key != "head_commit"}

SAMPLES = (
    _of(
        "push",
        push(),
        {
            "name": "push",
            "ref": "refs/heads/main",
            "sha": AFTER,
            "before": BEFORE,
            "message": "Mend the roof\n",
            "author": "Ann Lee",
            "actor": "ann",
            "changed_files": None,
            "provider": "gitea",
        },
    ),
    _of("push", _OLD, {"message": "Mend the roof\n", "author": "Ann Lee"}, title="push-of-an-old-version"),
    _of(
        "push",
        push(),
        {"name": "push", "sha": AFTER},
        title="push-of-forgejo",
        headers={"x-forgejo-event": "push", "x-forgejo-delivery": "f0-1"},
    ),
    _of(
        "push",
        push(after=ZEROS),
        ignored="the ref was deleted, of which `delete` tells",
        title="push-of-nothing",
    ),
    _of(
        "push",
        push(ref="refs/tags/v1", before=ZEROS),
        {"ref": "refs/tags/v1", "before": ZEROS},
        title="push-of-a-tag",
    ),
    _of(
        "create",
        {"sha": AFTER, "ref": "topic", "ref_type": "branch", **_COMMON},
        {"name": "create", "ref": "refs/heads/topic", "sha": AFTER},
    ),
    _of(
        "delete",
        {"ref": "v1", "ref_type": "tag", "pusher_type": "user", **_COMMON},
        {"name": "delete", "ref": "refs/heads/main"},
    ),
    _of("pull_request", pull("opened"), *both(action="opened", before=BASE)),
    _of(
        "pull_request",
        pull("synchronized"),
        *both(action="synchronize", before=BASE),
        title="pull_request-synchronized",
    ),
    _of(
        "pull_request_sync",
        pull("synchronized", head=_FORK),
        *both(action="synchronize", before=BASE, from_fork=True, head_repository="stranger/app"),
    ),
    _of(
        "pull_request",
        pull("opened", head={"label": "", "ref": "refs/pull/7/head", "sha": HEAD, "repo": REPOSITORY}),
        {"from_fork": True, "head_ref": "refs/pull/7/head", "head_repository": ""},
        {"name": "pull_request_target", "from_fork": True, "sha": BASE},
        title="pull_request-without-a-branch",
    ),
    _of("pull_request_label", pull("label_updated"), *both(action="labeled", before=BASE)),
    _of(
        "pull_request",
        pull("closed", state="closed", merged=True, merge_commit_sha=MERGED),
        {"ref": "refs/heads/main", "sha": MERGED, "action": "closed"},
        {"name": "pull_request_target", "sha": BASE},
        title="pull_request-merged",
    ),
    _of(
        "pull_request", pull("reviewed"), ignored="a review starts no workflow", title="pull_request-reviewed"
    ),
    _of(
        "issue_comment",
        {
            "action": "created",
            "issue": {"number": 7},
            "comment": {"body": "/run"},
            "is_pull": True,
            **_COMMON,
        },
        {"name": "issue_comment", "action": "created", "ref": "refs/heads/main"},
    ),
    _of(
        "release",
        {"action": "updated", "release": {"tag_name": "v1", "target_commitish": "main"}, **_COMMON},
        {"name": "release", "action": "edited", "ref": "refs/tags/v1"},
    ),
    _of(
        "issues",
        {"action": "opened", "issue": {"number": 3}, **_COMMON},
        {"name": "issues", "action": "opened"},
    ),
    _of("wiki", {"action": "created", **_COMMON}, ignored="`wiki` starts no workflow"),
)
