"""Samples of GitLab. Source: GitLab documentation, "Webhook events"."""

from __future__ import annotations

from typing import Any

from pawl.core.model.forge import ForgeKind
from tests.webhooks.sample import AFTER, BEFORE, HEAD, MERGED, ZEROS, Sample, both

PROJECT = {
    "id": 15,
    "name": "App",
    "description": "",
    "web_url": "https://gitlab.example/acme/app",
    "git_ssh_url": "git@gitlab.example:acme/app.git",
    "git_http_url": "https://gitlab.example/acme/app.git",
    "namespace": "Acme",
    "visibility_level": 0,
    "path_with_namespace": "acme/app",
    "default_branch": "main",
    "ci_config_path": None,
}
USER = {"id": 4, "name": "Ann Lee", "username": "ann", "avatar_url": None, "email": "[REDACTED]"}


def commit(sha: str, message: str = "Mend the roof\n") -> dict[str, Any]:
    return {
        "id": sha,
        "message": message,
        "title": message.strip(),
        "timestamp": "2025-06-15T15:06:40+00:00",
        "url": f"https://gitlab.example/acme/app/-/commit/{sha}",
        "author": {"name": "Ann Lee", "email": "ann@example.org"},
        "added": ["new.txt"],
        "modified": [],
        "removed": [],
    }


def push(**more: Any) -> dict[str, Any]:
    return {
        "object_kind": "push",
        "event_name": "push",
        "before": BEFORE,
        "after": AFTER,
        "ref": "refs/heads/main",
        "ref_protected": True,
        "checkout_sha": AFTER,
        "message": None,
        "user_id": 4,
        "user_name": "Ann Lee",
        "user_username": "ann",
        "user_email": None,
        "project_id": 15,
        "project": PROJECT,
        "commits": [commit(HEAD, "Before"), commit(AFTER)],
        "total_commits_count": 2,
        **more,
    }


def merge_request(action: str, changes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    told = {
        "id": 99,
        "iid": 7,
        "target_branch": "main",
        "source_branch": "topic",
        "source_project_id": 15,
        "target_project_id": 15,
        "author_id": 4,
        "title": "A new roof",
        "description": "As discussed.",
        "state": "opened",
        "draft": False,
        "work_in_progress": False,
        "merge_commit_sha": None,
        "source": PROJECT,
        "target": PROJECT,
        "last_commit": commit(HEAD, "The head"),
        "url": "https://gitlab.example/acme/app/-/merge_requests/7",
        "action": action,
        **more,
    }
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": USER,
        "project": PROJECT,
        "object_attributes": told,
        "labels": [{"id": 1, "title": "bug"}],
        "changes": changes or {},
    }


def _of(name: str, body: dict[str, Any], *events: dict[str, Any], **more: Any) -> Sample:
    return Sample(ForgeKind.GITLAB, name, body, events, **more)


def _merge(title: str, body: dict[str, Any], *events: dict[str, Any], **more: Any) -> Sample:
    return _of("Merge Request Hook", body, *events, title=f"merge-request-{title}", **more)


_FORK = {"source_project_id": 16, "source": {**PROJECT, "id": 16, "path_with_namespace": "stranger/app"}}
_NOTE = {"note": "/run", "noteable_type": "MergeRequest", "action": "create"}
_REQUEST = {"iid": 7, "title": "A new roof", "description": "", "state": "opened"}
_COMMON = {"user": USER, "project": PROJECT}

SAMPLES = (
    _of(
        "Push Hook",
        push(),
        {
            "name": "push",
            "ref": "refs/heads/main",
            "sha": AFTER,
            "before": BEFORE,
            "message": "Mend the roof\n",
            "author": "Ann Lee",
            "actor": "ann",
            "repository": "acme/app",
            "default_branch": "main",
            "changed_files": None,
            "provider": "gitlab",
        },
    ),
    _of(
        "Push Hook",
        push(before=ZEROS, ref="refs/heads/topic"),
        {"name": "create", "ref": "refs/heads/topic", "sha": AFTER},
        {"name": "push", "ref": "refs/heads/topic", "before": ZEROS},
        title="push-of-a-new-branch",
    ),
    _of(
        "Push Hook",
        push(after=ZEROS, checkout_sha=None, commits=[], ref="refs/heads/topic"),
        {"name": "delete", "ref": "refs/heads/main", "sha": ""},
        title="push-of-nothing",
    ),
    _of(
        "Push Hook",
        push(project={**PROJECT, "path_with_namespace": "acme/tools/app"}),
        {"repository": "acme/tools/app"},
        title="push-in-a-subgroup",
    ),
    _of(
        "Tag Push Hook",
        push(object_kind="tag_push", ref="refs/tags/v1", before=ZEROS, after="9" * 40),
        {"name": "create", "ref": "refs/tags/v1", "sha": AFTER},
        {"name": "push", "ref": "refs/tags/v1", "sha": AFTER, "message": "Mend the roof\n"},
        title="push-of-an-annotated-tag",
    ),
    _merge(
        "open",
        merge_request("open"),
        *both(action="opened", head_repository="acme/app", message="The head", author="Ann Lee"),
    ),
    _merge("reopen", merge_request("reopen"), *both(action="reopened")),
    _merge("new-commits", merge_request("update", oldrev=BEFORE), *both(action="synchronize")),
    _merge("new-title", merge_request("update", {"title": {}}), *both(action="edited")),
    _merge(
        "ready",
        merge_request("update", {"draft": {"previous": True, "current": False}}),
        *both(action="ready_for_review"),
    ),
    _merge(
        "label",
        merge_request("update", {"labels": {"previous": [], "current": [{"title": "bug"}]}}),
        *both(action="labeled"),
    ),
    _merge("close", merge_request("close", state="closed"), *both(action="closed")),
    _merge(
        "merge",
        merge_request("merge", state="merged", merge_commit_sha=MERGED),
        {"action": "closed", "ref": "refs/heads/main", "sha": MERGED},
        {"name": "pull_request_target", "ref": "refs/heads/main", "sha": ""},
    ),
    _merge(
        "of-a-fork",
        merge_request("open", **_FORK),
        *both(action="opened", from_fork=True, head_repository="stranger/app"),
    ),
    _merge(
        "of-a-fork-that-says-otherwise",
        merge_request("open", source_project_id=16),
        *both(action="opened", from_fork=True, head_repository=""),
    ),
    _merge(
        "approved",
        merge_request("approved"),
        ignored="the action `approved` of a merge request starts no workflow",
    ),
    _of(
        "Note Hook",
        {"object_kind": "note", "object_attributes": _NOTE, "merge_request": _REQUEST, **_COMMON},
        {"name": "issue_comment", "action": "created", "ref": "refs/heads/main", "actor": "ann"},
    ),
    _of(
        "Note Hook",
        {"object_kind": "note", "object_attributes": {**_NOTE, "noteable_type": "Snippet"}, **_COMMON},
        ignored="only comments on issues and merge requests start workflows",
        title="note-on-a-snippet",
    ),
    _of(
        "Issue Hook",
        {"object_kind": "issue", "object_attributes": {**_REQUEST, "action": "open"}, **_COMMON},
        {"name": "issues", "action": "opened"},
    ),
    _of(
        "Release Hook",
        {"object_kind": "release", "tag": "v1", "name": "One", "action": "create", **_COMMON},
        {"name": "release", "action": "published", "ref": "refs/tags/v1"},
    ),
    _of("Job Hook", {"object_kind": "build", **_COMMON}, ignored="`build` starts no workflow"),
)
