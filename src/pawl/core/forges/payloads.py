"""`github.event` for what other forges told: the members that workflows look into, shaped as GitHub's.

Source: GitHub documentation, "Webhook events and payloads". docs/reference/webhooks.md has the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pawl.core.forges.events import PullRequest
from pawl.core.model.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account: `login` is its name at the forge; the others are for people."""

    login: str
    name: str = ""
    email: str = ""
    id: int | None = None

    def payload(self) -> dict[str, object]:
        """Return it as GitHub's `sender` or `user`."""
        return {"login": self.login, "type": "User", **({"id": self.id} if self.id is not None else {})}

    def as_author(self) -> dict[str, object]:
        """Return it as GitHub's `author` of a commit."""
        return {"name": self.name or self.login, "email": self.email, "username": self.login}


def repository_payload(
    name: str, default_branch: str, *, url: str = "", number: int | None = None, private: bool = False
) -> dict[str, object]:
    """Return GitHub's `repository`."""
    owner, _, short = name.rpartition("/")
    return {
        **({"id": number} if number is not None else {}),
        "name": short,
        "full_name": name,
        "owner": {"login": owner, "name": owner},
        "private": private,
        "html_url": url,
        "default_branch": default_branch,
    }


def repository_of(base: Event) -> Mapping[str, object]:
    """Return the `repository` that stands in the body of an event."""
    found = base.payload.get("repository")
    return found if isinstance(found, Mapping) else {}


def commit_payload(
    sha: str, message: str, author: Person, *, url: str = "", time: str = "", files: Mapping[str, object] = {}
) -> dict[str, object]:
    """Return one of GitHub's `commits`; `files` may hold `added`, `modified` and `removed`."""
    who = author.as_author()
    return {
        "id": sha,
        "message": message,
        "timestamp": time,
        "url": url,
        "author": who,
        "committer": who,
        "distinct": True,
        **{kind: files[kind] for kind in ("added", "modified", "removed") if kind in files},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPayload:
    """What goes into GitHub's body of a push."""

    ref: str
    before: str
    after: str
    commits: Sequence[Mapping[str, object]]
    head_commit: Mapping[str, object] | None
    created: bool = False
    deleted: bool = False
    forced: bool = False
    compare: str = ""


def push_payload(push: PushPayload, repository: Mapping[str, object], sender: Person) -> dict[str, object]:
    """Return GitHub's body of a push."""
    return {
        "ref": push.ref,
        "before": push.before,
        "after": push.after,
        "created": push.created,
        "deleted": push.deleted,
        "forced": push.forced,
        "compare": push.compare,
        "commits": list(push.commits),
        "head_commit": push.head_commit,
        "repository": repository,
        "pusher": {"name": sender.login, "email": sender.email},
        "sender": sender.payload(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestTexts:
    """What people wrote about a pull request, and how it stands."""

    title: str
    body: str
    author: Person
    url: str = ""
    is_open: bool = True
    draft: bool = False
    labels: Sequence[str] = ()


def pull_request_payload(
    pull: PullRequest, texts: PullRequestTexts, repository: Mapping[str, object]
) -> dict[str, object]:
    """Return GitHub's `pull_request`."""
    fork = pull.head_repository.lower() != str(repository["full_name"]).lower()
    head = {
        **(repository_payload(pull.head_repository, "") if pull.head_repository else {"full_name": ""}),
        "fork": fork,
    }
    owner = pull.head_repository.rpartition("/")[0]
    return {
        "number": pull.number,
        "title": texts.title,
        "body": texts.body,
        "state": "open" if texts.is_open else "closed",
        "draft": texts.draft,
        "merged": pull.merged,
        "merge_commit_sha": pull.merge_sha or None,
        "html_url": texts.url,
        "user": texts.author.payload(),
        "labels": [{"name": label} for label in texts.labels],
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": repository},
        "head": {
            "ref": pull.head_ref,
            "sha": pull.head_sha,
            "label": f"{owner}:{pull.head_ref}",
            "repo": head if pull.head_repository else None,
        },
    }


def comment_payload(
    action: str, body: str, author: Person, about: Mapping[str, object], *, is_pull_request: bool
) -> dict[str, object]:
    """Return GitHub's body of a comment; `about` holds `number`, `title`, `body` and `state`."""
    issue = {**about, **({"pull_request": {}} if is_pull_request else {})}
    return {"action": action, "comment": {"body": body, "user": author.payload()}, "issue": issue}
