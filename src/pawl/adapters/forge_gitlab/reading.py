"""GitLab's webhooks as events, with bodies shaped as GitHub's.

Source: GitLab documentation, "Webhooks" and "Webhook events".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pawl.adapters.forge_gitlab.merge_requests import read_merge_request
from pawl.adapters.forge_gitlab.people import sender_of
from pawl.core.forges.events import base_event, is_deleted, is_new, pushed, ref_created, ref_deleted
from pawl.core.forges.members import Members, delivery_of, read_members
from pawl.core.forges.payloads import (
    Person,
    PushPayload,
    comment_payload,
    commit_payload,
    push_payload,
    repository_of,
    repository_payload,
)
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, Hook, Received

_ISSUE_ACTIONS = {"open": "opened", "reopen": "reopened", "close": "closed", "update": "edited"}
_RELEASE_ACTIONS = {"create": "published", "update": "edited", "delete": "deleted"}
_COMMENT_ACTIONS = {"": "created", "create": "created", "update": "edited"}

Made = tuple[Event, ...] | str
"""Events, or why there are none."""


def read_hook(received: Received) -> Hook:
    """Return what a verified request of GitLab says; raises as `Forge.read`."""
    name = received.headers.get("x-gitlab-event", "")
    body = read_members(received)
    repository = repository_in(body)
    made = _events(body, repository)
    return Hook(
        delivery=_delivery(received),
        name=name,
        repository=repository,
        events=made if isinstance(made, tuple) else (),
        ignored=made if isinstance(made, str) else "",
    )


def _delivery(received: Received) -> str:
    """Return the delivery's id. Older versions send only one that hooks share which set off each other."""
    named = delivery_of(received, "idempotency-key", "webhook-id")
    if named.startswith("sha256-") and received.headers.get("x-gitlab-event-uuid"):
        return f"{delivery_of(received, 'x-gitlab-event-uuid')}-{named}"
    return named


def repository_in(body: Members) -> str:
    """Return the path of the project, "" where the body is about none."""
    if "project" not in body:
        return ""
    return body.object("project").repository("path_with_namespace")


def _events(body: Members, repository: str) -> Made:
    kind = body.text("object_kind", "") or body.text("event_name", "")
    reader = _READERS.get(kind)
    if reader is None or not repository:
        return f"`{kind[:60]}` starts no workflow" if kind else "it has no `object_kind`"
    project = body.object("project")
    branch = project.branch("default_branch", "")
    about = repository_payload(
        repository,
        branch,
        url=project.text("web_url", ""),
        number=project.number("id") if "id" in project else None,
        private=project.value.get("visibility_level") == 0,
    )
    sender = sender_of(body)
    payload = {"repository": about, "sender": sender.payload()}
    return reader(base_event(ForgeKind.GITLAB, repository, branch, sender.login, payload), body)


def _push(base: Event, body: Members) -> Made:
    ref, before, after = body.full_ref("ref"), body.commit_or_zeros("before"), body.commit_or_zeros("after")
    if is_deleted(after):
        return (ref_deleted(base, ref),)
    # An annotated tag stands in `after`; the commit that it names, in `checkout_sha`.
    sha = body.commit("checkout_sha", after)
    commits = [_commit(each) for each in body.objects("commits")]
    head = next((each for each in commits if each["id"] == sha), None)
    push = PushPayload(
        ref=ref, before=before, after=sha, commits=commits, head_commit=head, created=is_new(before, after)
    )
    message, author = _words_of(body, sha)
    event = pushed(
        replace(base, payload=push_payload(push, repository_of(base), sender_of(body))),
        ref,
        before,
        sha,
        message=message,
        author=author,
    )
    return (ref_created(base, ref, sha), event) if is_new(before, after) else (event,)


def _words_of(body: Members, sha: str) -> tuple[str, str]:
    """Return message and author of the commit that was pushed last."""
    for each in body.objects("commits"):
        if each.text("id", "") == sha:
            return each.text("message", ""), each.maybe("author").text("name", "")
    return "", ""


def _commit(told: Members) -> dict[str, object]:
    author = told.maybe("author")
    files = {kind: list(told.texts(kind)) for kind in ("added", "modified", "removed")}
    return commit_payload(
        told.commit("id"),
        told.text("message", ""),
        Person(login="", name=author.text("name", ""), email=author.text("email", "")),
        url=told.text("url", ""),
        time=told.text("timestamp", ""),
        files=files,
    )


def _issue(base: Event, body: Members) -> Made:
    told = body.object("object_attributes")
    action = _ISSUE_ACTIONS.get(told.text("action", ""))
    if action is None:
        return f"the action `{told.text('action', '')[:60]}` of an issue starts no workflow"
    payload = {**base.payload, "action": action, "issue": _issue_payload(told)}
    return (replace(base, name="issues", action=action, payload=payload),)


def _issue_payload(told: Members) -> dict[str, object]:
    return {
        "number": told.number("iid"),
        "title": told.text("title", ""),
        "body": told.text("description", ""),
        "state": "open" if told.text("state", "") == "opened" else "closed",
    }


def _note(base: Event, body: Members) -> Made:
    told = body.object("object_attributes")
    action = _COMMENT_ACTIONS.get(told.text("action", ""))
    about = {"Issue": "issue", "MergeRequest": "merge_request"}.get(told.text("noteable_type", ""))
    if about is None or action is None:
        return "only comments on issues and merge requests start workflows"
    payload = comment_payload(
        action,
        told.text("note", ""),
        sender_of(body),
        _issue_payload(body.object(about)),
        is_pull_request=about == "merge_request",
    )
    return (replace(base, name="issue_comment", action=action, payload={**base.payload, **payload}),)


def _release(base: Event, body: Members) -> Made:
    action = _RELEASE_ACTIONS.get(body.text("action", ""))
    if action is None:
        return f"the action `{body.text('action', '')[:60]}` of a release starts no workflow"
    tag = body.branch("tag")
    release = {"tag_name": tag, "name": body.text("name", ""), "body": body.text("description", "")}
    payload = {**base.payload, "action": action, "release": {**release, "draft": False, "prerelease": False}}
    return (replace(base, name="release", action=action, ref=f"refs/tags/{tag}", payload=payload),)


_READERS: Mapping[str, Callable[[Event, Members], Made]] = {
    "push": _push,
    "tag_push": _push,
    "merge_request": read_merge_request,
    "issue": _issue,
    "note": _note,
    "release": _release,
}
