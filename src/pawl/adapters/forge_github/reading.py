"""GitHub's webhooks as events. Source: GitHub documentation, "Webhook events and payloads"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pawl.core.forges.events import (
    about_pull_request,
    base_event,
    is_deleted,
    pull_request_events,
    pushed,
    ref_created,
    ref_deleted,
)
from pawl.core.forges.github_shape import made_ref, read_pull_request, repository_in
from pawl.core.forges.members import Members, delivery_of, read_members
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, Hook, Received
from pawl.core.model.refs import is_no_commit
from pawl.core.workflow.event_facts import EVENTS

_NOT_FROM_OUTSIDE = {
    "workflow_call": "a workflow is called by another, not by a webhook",
    "workflow_dispatch": "it was started at the forge, not here",
    "schedule": "schedules are kept by the server itself",
}
_MOST_FILES = 300
"""A commit of a push names its files; of larger ones we do not trust that it names all."""


def read_hook(received: Received) -> Hook:
    """Return what a verified request of GitHub says; raises as `Forge.read`."""
    name = received.headers.get("x-github-event", "")
    delivery = delivery_of(received, "x-github-delivery")
    body = read_members(received, forms=True)
    repository = repository_in(body)
    if name == "ping":
        return Hook(delivery=delivery, name=name, repository=repository, ignored="ping")
    events, ignored = _events(name, body, repository)
    return Hook(delivery=delivery, name=name, repository=repository, events=events, ignored=ignored)


def _events(name: str, body: Members, repository: str) -> tuple[tuple[Event, ...], str]:
    if name in _NOT_FROM_OUTSIDE:
        return (), _NOT_FROM_OUTSIDE[name]
    if name not in EVENTS or not repository:
        return (), f"`{name[:60]}` starts no workflow" if name else "it has no `X-GitHub-Event`"
    about = body.object("repository")
    sender = body.maybe("sender").text("login", "")
    branch = about.branch("default_branch", "")
    base = replace(
        base_event(ForgeKind.GITHUB, repository, branch, sender, body.value),
        name=name,
        action=body.text("action", "") or None,
    )
    reader = _READERS.get(name)
    made = reader(base, body) if reader else (base,)
    return (made, "") if isinstance(made, tuple) else ((), made)


Made = tuple[Event, ...] | str
"""Events, or why there are none."""


def _push(base: Event, body: Members) -> Made:
    ref, before, after = body.full_ref("ref"), body.commit_or_zeros("before"), body.commit_or_zeros("after")
    if is_deleted(after):
        return "the ref was deleted, of which `delete` tells"
    base = replace(base, action=None)
    head = body.maybe("head_commit")
    event = pushed(
        base,
        ref,
        before,
        after,
        message=head.text("message", ""),
        author=head.maybe("author").text("name", ""),
    )
    return (replace(event, changed_files=_files_of_one(body, before, after)),)


def _files_of_one(body: Members, before: str, after: str) -> tuple[str, ...] | None:
    """Return the files that changed when the push is one commit on top of what was there, else None.

    Of several commits the lists do not tell what differs in the end: one may take back another.
    """
    commits = list(body.objects("commits"))
    if is_no_commit(before) or body.flag("forced") or len(commits) != 1:
        return None
    if commits[0].text("id", "") != after:
        return None
    kinds = [commits[0].texts(kind) for kind in ("added", "modified", "removed")]
    files = tuple(sorted({file for kind in kinds for file in kind}))
    return files if 0 < len(files) < _MOST_FILES else None


def _create(base: Event, body: Members) -> Made:
    return (ref_created(base, made_ref(body), ""),)


def _delete(base: Event, body: Members) -> Made:
    return (ref_deleted(base, made_ref(body)),)


def _pull_request(base: Event, body: Members) -> Made:
    return pull_request_events(base, read_pull_request(body.object("pull_request")), body.text("action"))


def _about_pull_request(base: Event, body: Members) -> Made:
    """Return the event of a review: about the pull request, as `pull_request` is."""
    return (about_pull_request(base, read_pull_request(body.object("pull_request"))),)


def _merge_group(base: Event, body: Members) -> Made:
    group = body.object("merge_group")
    return (replace(base, ref=group.full_ref("head_ref"), sha=group.commit("head_sha")),)


def _release(base: Event, body: Members) -> Made:
    return (replace(base, ref=f"refs/tags/{body.object('release').branch('tag_name')}"),)


def _repository_dispatch(base: Event, body: Members) -> Made:
    branch = body.branch("branch", base.default_branch)
    return (replace(base, ref=f"refs/heads/{branch}", action=body.text("action")),)


def _deployment(base: Event, body: Members) -> Made:
    return (replace(base, sha=body.object("deployment").commit("sha")),)


_READERS: Mapping[str, Callable[[Event, Members], Made]] = {
    "push": _push,
    "create": _create,
    "delete": _delete,
    "pull_request": _pull_request,
    "pull_request_review": _about_pull_request,
    "pull_request_review_comment": _about_pull_request,
    "merge_group": _merge_group,
    "release": _release,
    "repository_dispatch": _repository_dispatch,
    "deployment": _deployment,
    "deployment_status": _deployment,
}
