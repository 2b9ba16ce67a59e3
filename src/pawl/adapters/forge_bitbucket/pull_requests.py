"""A pull request of Bitbucket as GitHub's."""

from __future__ import annotations

import re
from dataclasses import replace

from pawl.core.forges.events import PullRequest, pull_request_events
from pawl.core.forges.members import Members
from pawl.core.forges.payloads import (
    Person,
    PullRequestTexts,
    comment_payload,
    pull_request_payload,
    repository_of,
)
from pawl.core.model.events import Event
from pawl.core.model.refs import repository_fault

_SOME_COMMIT = re.compile(r"[0-9a-f]{12,64}")


def read_pull_request(base: Event, body: Members, action: str) -> tuple[Event, ...]:
    """Return the events of a pull request.

    `updated` does not say whether commits came, so it is taken for `synchronize`.
    """
    told = body.object("pullrequest")
    pull = _pull_request(told)
    author = told.maybe("author")
    texts = PullRequestTexts(
        title=told.text("title", ""),
        body=told.text("description", ""),
        author=Person(login=author.text("nickname", "") or author.text("display_name", "")),
        url=told.maybe("links").maybe("html").text("href", ""),
        is_open=told.text("state", "") == "OPEN",
        draft=told.flag("draft"),
    )
    payload = {
        **base.payload,
        "action": action,
        "number": pull.number,
        "pull_request": pull_request_payload(pull, texts, repository_of(base)),
    }
    return pull_request_events(replace(base, payload=payload), pull, action)


def read_comment(base: Event, body: Members, action: str, sender: Person) -> tuple[Event, ...]:
    """Return the event of a comment on a pull request."""
    told = body.object("pullrequest")
    about = {
        "number": told.number("id"),
        "title": told.text("title", ""),
        "body": told.text("description", ""),
        "state": "open" if told.text("state", "") == "OPEN" else "closed",
    }
    text = body.object("comment").maybe("content").text("raw", "")
    payload = comment_payload(action, text, sender, about, is_pull_request=True)
    return (replace(base, name="issue_comment", action=action, payload={**base.payload, **payload}),)


def _pull_request(told: Members) -> PullRequest:
    source, target = told.object("source"), told.object("destination")
    where = source.maybe("repository").text("full_name", "")
    return PullRequest(
        number=told.number("id"),
        base_ref=target.object("branch").branch("name"),
        head_ref=source.object("branch").branch("name"),
        base_sha=_commit(target),
        head_sha=_commit(source),
        head_repository="" if repository_fault(where) else where,
        merged=told.text("state", "") == "MERGED",
        merge_sha=_commit(told, "merge_commit") if "merge_commit" in told else "",
    )


def _commit(side: Members, name: str = "commit") -> str:
    """Return the commit of a side: its first twelve digits are all that Bitbucket gives."""
    commit = side.object(name)
    told = commit.text("hash")
    if _SOME_COMMIT.fullmatch(told) is None:
        raise commit.wrong("hash", "is no id of a commit")
    return told
