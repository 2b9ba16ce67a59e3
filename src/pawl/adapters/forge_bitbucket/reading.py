"""Bitbucket Cloud's webhooks as events, with bodies shaped as GitHub's.

Source: Atlassian support, "Event payloads" of Bitbucket Cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pawl.adapters.forge_bitbucket.pull_requests import read_comment, read_pull_request
from pawl.core.forges.events import base_event, pushed, ref_created, ref_deleted
from pawl.core.forges.members import Members, delivery_of, read_members
from pawl.core.forges.payloads import (
    Person,
    PushPayload,
    commit_payload,
    push_payload,
    repository_of,
    repository_payload,
)
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, Hook, Received

_ZEROS = "0" * 40
_FOLDERS = {"branch": "heads", "tag": "tags", "annotated_tag": "tags"}

Made = tuple[Event, ...] | str
"""Events, or why there are none."""


def read_hook(received: Received) -> Hook:
    """Return what a verified request of Bitbucket says; raises as `Forge.read`."""
    name = received.headers.get("x-event-key", "")
    delivery = delivery_of(received, "x-request-uuid")
    body = read_members(received)
    repository = repository_in(body)
    made = "ping" if name == "diagnostics:ping" else _events(name, body, repository)
    return Hook(
        delivery=delivery,
        name=name,
        repository=repository,
        events=made if isinstance(made, tuple) else (),
        ignored=made if isinstance(made, str) else "",
    )


def repository_in(body: Members) -> str:
    """Return the name of the repository, "" where the body is about none."""
    return body.object("repository").repository("full_name") if "repository" in body else ""


def _events(name: str, body: Members, repository: str) -> Made:
    reader = _READERS.get(name)
    if reader is None or not repository:
        return f"`{name[:60]}` starts no workflow" if name else "it has no `X-Event-Key`"
    about = body.object("repository")
    branch = about.maybe("mainbranch").branch("name", "")
    url = about.maybe("links").maybe("html").text("href", "")
    sender = person(body.maybe("actor"))
    payload = {
        "repository": repository_payload(repository, branch, url=url, private=about.flag("is_private")),
        "sender": sender.payload(),
    }
    base = base_event(ForgeKind.BITBUCKET, repository, branch, sender.login, payload)
    return reader(base, body)


def person(told: Members) -> Person:
    """Return an account; Bitbucket gives a nickname, and no name that is surely one account's."""
    name = told.text("display_name", "")
    return Person(login=told.text("nickname", "") or name, name=name)


def _push(base: Event, body: Members) -> Made:
    changes = [
        event
        for change in body.object("push").objects("changes")
        for event in _changed(base, change, person(body.maybe("actor")))
    ]
    return tuple(changes) or "no branch or tag was changed"


def _changed(base: Event, change: Members, sender: Person) -> Iterator[Event]:
    """Yield what happened to one ref: one push may move several."""
    if "new" not in change:
        yield ref_deleted(base, _full_ref(change.object("old")))
        return
    new = change.object("new")
    ref, target = _full_ref(new), new.object("target")
    after = target.commit("hash")
    is_made = "old" not in change
    before = _ZEROS if is_made else change.object("old").object("target").commit("hash")
    if is_made:
        yield ref_created(base, ref, after)
    commits = [_commit(each) for each in change.objects("commits")]
    push = PushPayload(
        ref=ref,
        before=before,
        after=after,
        commits=commits[::-1],
        head_commit=_commit(target),
        created=is_made,
        forced=change.flag("forced"),
        compare=change.maybe("links").maybe("html").text("href", ""),
    )
    yield pushed(
        replace(base, payload=push_payload(push, repository_of(base), sender)),
        ref,
        before,
        after,
        message=target.text("message", ""),
        author=_author(target).name,
    )


def _full_ref(told: Members) -> str:
    folder = _FOLDERS.get(told.text("type"))
    if folder is None:
        raise told.wrong("type", "is neither `branch` nor `tag`")
    return f"refs/{folder}/{told.branch('name')}"


def _commit(told: Members) -> dict[str, object]:
    return commit_payload(
        told.commit("hash"),
        told.text("message", ""),
        _author(told),
        url=told.maybe("links").maybe("html").text("href", ""),
        time=told.text("date", ""),
    )


def _author(commit: Members) -> Person:
    """Return a commit's author, whom `raw` gives as git does: `Ann Lee <ann@example.org>`."""
    author = commit.maybe("author")
    name, _, email = author.text("raw", "").rpartition(" <")
    if not name:
        name, email = author.text("raw", ""), ""
    return Person(login=author.maybe("user").text("nickname", ""), name=name, email=email.rstrip(">"))


def _pull_request(action: str) -> Callable[[Event, Members], Made]:
    return lambda base, body: read_pull_request(base, body, action)


def _comment(action: str) -> Callable[[Event, Members], Made]:
    return lambda base, body: read_comment(base, body, action, person(body.maybe("actor")))


_READERS: Mapping[str, Callable[[Event, Members], Made]] = {
    "repo:push": _push,
    "pullrequest:created": _pull_request("opened"),
    "pullrequest:updated": _pull_request("synchronize"),
    "pullrequest:fulfilled": _pull_request("closed"),
    "pullrequest:rejected": _pull_request("closed"),
    "pullrequest:comment_created": _comment("created"),
    "pullrequest:comment_updated": _comment("edited"),
    "pullrequest:comment_deleted": _comment("deleted"),
}
