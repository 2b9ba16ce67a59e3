"""The webhooks of Gitea and Forgejo as events: GitHub's in shape, with words of their own.

Source: Gitea, modules/structs/hook.go and modules/webhook/type.go; Forgejo's are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pawl.core.forges.events import (
    base_event,
    is_deleted,
    is_new,
    pull_request_events,
    pushed,
    ref_created,
    ref_deleted,
)
from pawl.core.forges.github_shape import made_ref, read_pull_request, repository_in
from pawl.core.forges.members import Members, delivery_of, read_members
from pawl.core.forges.signing import header
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, Hook, Received

NAMES = ("x-forgejo-event", "x-gitea-event")
_PULL_REQUEST_ACTIONS = {
    "synchronized": "synchronize",
    "label_updated": "labeled",
    "label_cleared": "unlabeled",
}
_RELEASE_ACTIONS = {"updated": "edited"}
_COMMENTS = ("created", "edited", "deleted")


def read_hook(received: Received) -> Hook:
    """Return what a verified request says; raises as `Forge.read`."""
    name = header(received, *NAMES)
    delivery = delivery_of(received, "x-forgejo-delivery", "x-gitea-delivery")
    body = read_members(received, forms=True)
    repository = repository_in(body)
    events, ignored = _events(name, body, repository)
    return Hook(delivery=delivery, name=name, repository=repository, events=events, ignored=ignored)


def _events(name: str, body: Members, repository: str) -> tuple[tuple[Event, ...], str]:
    reader = _READERS.get(name)
    if reader is None or not repository:
        return (), f"`{name[:60]}` starts no workflow" if name else "it has no `X-Gitea-Event`"
    branch = body.object("repository").branch("default_branch", "")
    sender = body.maybe("sender").text("login", "")
    base = base_event(ForgeKind.GITEA, repository, branch, sender, body.value)
    made = reader(replace(base, name=name), body)
    return (made, "") if isinstance(made, tuple) else ((), made)


Made = tuple[Event, ...] | str
"""Events, or why there are none."""


def _push(base: Event, body: Members) -> Made:
    ref, before, after = body.full_ref("ref"), body.commit_or_zeros("before"), body.commit_or_zeros("after")
    if is_deleted(after):
        return "the ref was deleted, of which `delete` tells"
    head = _head_commit(body, after)
    payload = {
        **base.payload,
        "created": is_new(before, after),
        "deleted": False,
        "compare": body.text("compare_url", ""),
        "head_commit": head.value or None,
    }
    message, author = head.text("message", ""), head.maybe("author").text("name", "")
    return (pushed(replace(base, payload=payload), ref, before, after, message=message, author=author),)


def _head_commit(body: Members, after: str) -> Members:
    """Return the commit that was pushed last; the list of older versions may end before it."""
    if "head_commit" in body:
        return body.object("head_commit")
    return next((each for each in body.objects("commits") if each.text("id", "") == after), Members({}))


def _create(base: Event, body: Members) -> Made:
    return (ref_created(base, made_ref(body), body.commit("sha", "")),)


def _delete(base: Event, body: Members) -> Made:
    return (ref_deleted(base, made_ref(body)),)


def _pull_request(base: Event, body: Members) -> Made:
    told = body.text("action")
    if told == "reviewed":
        return "a review starts no workflow"
    action = _PULL_REQUEST_ACTIONS.get(told, told)
    base = replace(base, payload={**base.payload, "action": action})
    return pull_request_events(base, read_pull_request(body.object("pull_request")), action)


def _issues(base: Event, body: Members) -> Made:
    action = _PULL_REQUEST_ACTIONS.get(body.text("action"), body.text("action"))
    return (replace(base, name="issues", action=action, payload={**base.payload, "action": action}),)


def _comment(base: Event, body: Members) -> Made:
    action = body.text("action")
    if action not in _COMMENTS:
        return "only comments that are made, edited or deleted start workflows"
    return (replace(base, name="issue_comment", action=action),)


def _release(base: Event, body: Members) -> Made:
    action = _RELEASE_ACTIONS.get(body.text("action"), body.text("action"))
    tag = body.object("release").branch("tag_name")
    return (replace(base, ref=f"refs/tags/{tag}", action=action, payload={**base.payload, "action": action}),)


_READERS: Mapping[str, Callable[[Event, Members], Made]] = {
    "push": _push,
    "create": _create,
    "delete": _delete,
    "pull_request": _pull_request,
    "pull_request_sync": _pull_request,
    "pull_request_label": _pull_request,
    "pull_request_assign": _pull_request,
    "pull_request_milestone": _pull_request,
    "pull_request_review_request": _pull_request,
    "issues": _issues,
    "issue_label": _issues,
    "issue_assign": _issues,
    "issue_milestone": _issues,
    "issue_comment": _comment,
    "pull_request_comment": _comment,
    "release": _release,
}
