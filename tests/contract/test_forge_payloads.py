"""`github.event` has what workflows look into, whichever forge it was (docs/reference/webhooks.md)."""

from __future__ import annotations

from typing import Any

import pytest

from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.planning.contexts import complete_payload
from tests.contract.test_forge import read
from tests.webhooks import SAMPLES
from tests.webhooks.sample import AFTER, BEFORE, HEAD

PUSHES = {
    ForgeKind.GITHUB: "push",
    ForgeKind.GITLAB: "Push Hook",
    ForgeKind.GITEA: "push",
    ForgeKind.BITBUCKET: "repo:push",
    ForgeKind.GENERIC: "push",
}
PULLS = {
    ForgeKind.GITHUB: "pull_request",
    ForgeKind.GITLAB: "merge-request-open",
    ForgeKind.GITEA: "pull_request",
    ForgeKind.BITBUCKET: "pullrequest:created",
    ForgeKind.GENERIC: "pull_request",
}
FORGES = [pytest.param(kind, id=kind.value) for kind in ForgeKind]


def event_of(kind: ForgeKind, titles: dict[ForgeKind, str], **members: Any) -> Event:
    sample = next(
        each for each in SAMPLES if each.forge is kind and (each.title or each.name) == titles[kind]
    )
    event: Event = read(sample.received(**members), kind).events[0]
    return event


def found(event: Event, path: str) -> Any:
    at: Any = complete_payload(event, {})
    for part in path.split("."):
        at = at[int(part)] if isinstance(at, list) else at[part]
    return at


@pytest.mark.parametrize("kind", FORGES)
def test_a_push_has_githubs_members(kind: ForgeKind) -> None:
    event = event_of(kind, PUSHES)
    for path, value in {
        "ref": "refs/heads/main",
        "before": BEFORE,
        "after": AFTER,
        "created": False,
        "deleted": False,
        "forced": False,
        "head_commit.id": AFTER,
        "head_commit.author.name": "Ann Lee",
        "repository.full_name": "acme/app",
        "repository.name": "app",
        "repository.owner.login": "acme",
        "repository.default_branch": "main",
        "sender.login": "ann",
    }.items():
        assert found(event, path) == value, path
    assert found(event, "head_commit.message") == event.message
    assert [commit["id"] for commit in found(event, "commits")][-1] == AFTER


@pytest.mark.parametrize("kind", FORGES)
def test_a_pull_request_has_githubs_members(kind: ForgeKind) -> None:
    event = event_of(kind, PULLS)
    for path, value in {
        "action": "opened",
        "number": 7,
        "pull_request.number": 7,
        "pull_request.title": "A new roof",
        "pull_request.draft": False,
        "pull_request.merged": False,
        "pull_request.state": "open",
        "pull_request.user.login": "ann",
        "pull_request.base.ref": "main",
        "pull_request.base.repo.full_name": "acme/app",
        "pull_request.head.ref": "topic",
        "pull_request.head.sha": HEAD[:12] if kind is ForgeKind.BITBUCKET else HEAD,
        "pull_request.head.repo.full_name": "acme/app",
        "pull_request.head.repo.fork": False,
        "repository.full_name": "acme/app",
        "sender.login": "ann",
    }.items():
        assert found(event, path) == value, path


def test_a_merge_request_of_a_fork_says_so_in_githubs_members() -> None:
    titles = {ForgeKind.GITLAB: "merge-request-of-a-fork"}
    event = event_of(ForgeKind.GITLAB, titles)
    assert found(event, "pull_request.head.repo.full_name") == "stranger/app"
    assert found(event, "pull_request.head.repo.fork") is True
    assert found(event, "pull_request.labels.0.name") == "bug"
    titles = {ForgeKind.GITLAB: "merge-request-new-commits"}
    assert found(event_of(ForgeKind.GITLAB, titles), "before") == BEFORE


def test_a_comment_has_githubs_members() -> None:
    for kind, title in {
        ForgeKind.GITLAB: "Note Hook",
        ForgeKind.BITBUCKET: "pullrequest:comment_created",
    }.items():
        event = event_of(kind, {kind: title})
        assert found(event, "comment.body") == "/run"
        assert found(event, "comment.user.login") == "ann"
        assert found(event, "issue.number") == 7
        assert found(event, "issue.pull_request") == {}


def test_a_generic_sender_may_add_members_and_replace_those_that_were_made() -> None:
    more = {"head_commit": {"id": "mine"}, "more": [1]}
    event = event_of(ForgeKind.GENERIC, PUSHES, payload=more)
    assert found(event, "head_commit.id") == "mine"
    assert found(event, "more.0") == 1
    assert event.sha == AFTER


def test_a_ref_that_was_made_or_deleted_is_told_by_kind_and_short_name() -> None:
    sample = next(each for each in SAMPLES if each.title == "push-of-three-refs")
    events = read(sample.received(), sample.forge).events
    told = [(e.name, e.payload["ref"], e.payload.get("ref_type")) for e in events]
    assert told[1] == ("create", "v1", "tag")
    assert told[3] == ("delete", "topic", "branch")
