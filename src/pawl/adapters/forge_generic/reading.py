"""Webhooks of any sender that signs as docs/reference/webhooks.md says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pawl.core.forges.events import (
    PullRequest,
    base_event,
    is_deleted,
    pull_request_events,
    pushed,
    ref_created,
    ref_deleted,
)
from pawl.core.forges.members import Members, delivery_of, read_members
from pawl.core.forges.payloads import (
    Person,
    PullRequestTexts,
    PushPayload,
    commit_payload,
    pull_request_payload,
    push_payload,
    repository_of,
    repository_payload,
)
from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind, Hook, Received

_OF_ALL = frozenset({"event", "repository", "default_branch", "actor", "payload"})
_OF_EVENT: Mapping[str, frozenset[str]] = {
    "ping": frozenset(),
    "push": frozenset({"ref", "before", "sha", "message", "author", "changed_files", "forced"}),
    "create": frozenset({"ref", "sha"}),
    "delete": frozenset({"ref"}),
    "pull_request": frozenset(
        {
            *("action", "number", "title", "body", "draft", "merged", "message", "author", "changed_files"),
            *("base_ref", "base_sha", "head_ref", "head_sha", "head_repository"),
        }
    ),
    "release": frozenset({"action", "ref"}),
    "repository_dispatch": frozenset({"action", "ref", "sha", "client_payload"}),
    "workflow_dispatch": frozenset({"ref", "sha", "inputs"}),
}
"""What a body may hold besides `_OF_ALL`, by event."""


def read_hook(received: Received) -> Hook:
    """Return what a verified request says; raises as `Forge.read`."""
    delivery = delivery_of(received, "x-ci-delivery")
    body = read_members(received)
    name = body.text("event")
    if name not in _OF_EVENT:
        raise body.wrong("event", f"is none of {', '.join(_OF_EVENT)}")
    unknown = sorted(set(body.value) - _OF_ALL - _OF_EVENT[name])
    if unknown:
        raise body.wrong(unknown[0][:60], f"is no member of the event `{name}`")
    repository = repository_in(body)
    if name == "ping":
        return Hook(delivery=delivery, name=name, repository=repository, ignored="ping")
    events = _READERS[name](_base(body), body)
    return Hook(delivery=delivery, name=name, repository=repository, events=events)


def repository_in(body: Members) -> str:
    """Return the repository's name."""
    return body.repository("repository")


def _base(body: Members) -> Event:
    repository = repository_in(body)
    branch = body.branch("default_branch", "")
    payload = {
        "repository": repository_payload(repository, branch),
        "sender": _actor(body).payload(),
    }
    return base_event(ForgeKind.GENERIC, repository, branch, _actor(body).login, payload)


def _actor(body: Members) -> Person:
    return Person(login=body.text("actor", ""))


def _with_more(event: Event, body: Members) -> Event:
    """Return the event with the sender's own `payload` on top of what was made."""
    return replace(event, payload={**event.payload, **body.maybe("payload").value})


def _push(base: Event, body: Members) -> tuple[Event, ...]:
    ref, after = body.full_ref("ref"), body.commit_or_zeros("sha")
    if is_deleted(after):
        return (_with_more(ref_deleted(base, ref), body),)
    before = body.commit_or_zeros("before") if "before" in body else ""
    message, author = body.text("message", ""), body.text("author", "")
    commit = commit_payload(after, message, Person(login="", name=author))
    push = PushPayload(
        ref=ref,
        before=before,
        after=after,
        commits=[commit],
        head_commit=commit,
        forced=body.flag("forced"),
        created=is_deleted(before),
    )
    payload = push_payload(push, repository_of(base), _actor(body))
    event = pushed(replace(base, payload=payload), ref, before, after, message=message, author=author)
    return (_with_files(_with_more(event, body), body),)


def _with_files(event: Event, body: Members) -> Event:
    files = body.texts("changed_files") if "changed_files" in body else None
    return replace(event, changed_files=files)


def _create(base: Event, body: Members) -> tuple[Event, ...]:
    return (_with_more(ref_created(base, body.full_ref("ref"), body.commit("sha", "")), body),)


def _delete(base: Event, body: Members) -> tuple[Event, ...]:
    return (_with_more(ref_deleted(base, body.full_ref("ref")), body),)


def _pull_request(base: Event, body: Members) -> tuple[Event, ...]:
    action = body.text("action")
    pull = PullRequest(
        number=body.number("number"),
        base_ref=body.branch("base_ref"),
        head_ref=body.branch("head_ref"),
        base_sha=body.commit("base_sha", ""),
        head_sha=body.commit("head_sha"),
        head_repository=body.repository("head_repository"),
        merged=body.flag("merged"),
        message=body.text("message", ""),
        author=body.text("author", ""),
    )
    texts = PullRequestTexts(
        title=body.text("title", ""),
        body=body.text("body", ""),
        author=_actor(body),
        is_open=action != "closed",
        draft=body.flag("draft"),
    )
    payload = {
        **base.payload,
        "action": action,
        "number": pull.number,
        "pull_request": pull_request_payload(pull, texts, repository_of(base)),
    }
    events = pull_request_events(replace(base, payload=payload), pull, action)
    return tuple(_with_files(_with_more(event, body), body) for event in events)


def _release(base: Event, body: Members) -> tuple[Event, ...]:
    ref, action = body.full_ref("ref"), body.text("action")
    payload = {**base.payload, "action": action, "release": {"tag_name": ref.removeprefix("refs/tags/")}}
    return (_with_more(replace(base, name="release", action=action, ref=ref, payload=payload), body),)


def _repository_dispatch(base: Event, body: Members) -> tuple[Event, ...]:
    action = body.text("action")
    payload = {**base.payload, "action": action, "client_payload": body.maybe("client_payload").value}
    event = replace(base, name="repository_dispatch", action=action, payload=payload)
    return (_with_more(_at(event, body), body),)


def _workflow_dispatch(base: Event, body: Members) -> tuple[Event, ...]:
    inputs = body.maybe("inputs")
    texts = {name: inputs.text(name) for name in inputs.value}
    return (_with_more(_at(replace(base, name="workflow_dispatch", inputs=texts), body), body),)


def _at(event: Event, body: Members) -> Event:
    """Return the event about the ref and commit that the body names, where it does."""
    ref = body.full_ref("ref") if "ref" in body else event.ref
    return replace(event, ref=ref, sha=body.commit("sha", ""))


_READERS: Mapping[str, Callable[[Event, Members], tuple[Event, ...]]] = {
    "push": _push,
    "create": _create,
    "delete": _delete,
    "pull_request": _pull_request,
    "release": _release,
    "repository_dispatch": _repository_dispatch,
    "workflow_dispatch": _workflow_dispatch,
}
