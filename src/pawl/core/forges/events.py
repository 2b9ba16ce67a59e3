"""Making events of what a forge told: the rules that are the same whichever forge it was.

Source: GitHub documentation, "Events that trigger workflows": the ref and commit of a run of each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pawl.core.model.events import Event
from pawl.core.model.forge import ForgeKind
from pawl.core.model.refs import is_commit, is_no_commit

_HEADS = "refs/heads/"
_TAGS = "refs/tags/"


def base_event(
    kind: ForgeKind, repository: str, default_branch: str, actor: str, payload: Mapping[str, object]
) -> Event:
    """Return what all events of one webhook share: it is about the default branch, at no certain commit."""
    return Event(
        name="",
        ref=f"{_HEADS}{default_branch}" if default_branch else "",
        sha="",
        repository=repository,
        default_branch=default_branch,
        actor=actor,
        payload=payload,
        provider=kind.value,
    )


def completed(event: Event, default_branch: str) -> Event:
    """Return the event with the default branch filled in, where the forge did not say which that is."""
    branch = event.default_branch or default_branch
    return replace(event, default_branch=branch, ref=event.ref or f"{_HEADS}{branch}")


def pushed(base: Event, ref: str, before: str, after: str, *, message: str = "", author: str = "") -> Event:
    """Return the push of a commit to a branch or tag.

    Args:
        base: of `base_event`.
        ref: the full ref.
        before: the commit it was at, zeros for a new one.
        after: the commit.
        message: of that commit.
        author: of that commit.
    """
    return replace(base, name="push", ref=ref, sha=after, before=before, message=message, author=author)


def ref_created(base: Event, ref: str, sha: str) -> Event:
    """Return the making of a branch or tag; `sha` is "" where the forge does not say where it stands."""
    return replace(base, name="create", ref=ref, sha=sha, payload=_about_ref(base, ref))


def ref_deleted(base: Event, ref: str) -> Event:
    """Return the end of a branch or tag: the run is about the default branch, as nothing else is left."""
    return replace(base, name="delete", payload=_about_ref(base, ref))


def _about_ref(base: Event, ref: str) -> dict[str, object]:
    kind = "tag" if ref.startswith(_TAGS) else "branch"
    short = ref.removeprefix(_TAGS).removeprefix(_HEADS)
    return {**base.payload, "ref": short, "ref_type": kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull or merge request, as far as runs depend on it.

    Attributes:
        base_ref, head_ref: short names of branches.
        base_sha: "" where the forge does not say; of Bitbucket's digits events make nothing.
        head_sha: of its last commit; Bitbucket gives only the first digits.
        head_repository: `owner/name`; "" when it is gone or not told, which counts as a fork.
        merged: whether it was, and then `merge_sha` is what it became, "" where that is not told.
        message, author: of the last commit, where the forge tells.
    """

    number: int
    base_ref: str
    head_ref: str
    head_sha: str
    head_repository: str
    base_sha: str = ""
    merged: bool = False
    merge_sha: str = ""
    message: str = ""
    author: str = ""


def pull_request_events(base: Event, pull: PullRequest, action: str) -> tuple[Event, Event]:
    """Return what a change of a pull request is to workflows: `pull_request` and `pull_request_target`.

    The first is about the request's head, the second about its base branch, whose workflow it runs. Where the
    merge of both is to be run, whoever has the repository makes it: what forges say of it here may be old.
    """
    about = about_pull_request(replace(base, name="pull_request", action=action), pull)
    target = replace(about, name="pull_request_target", ref=f"{_HEADS}{pull.base_ref}", sha=about.before)
    return about, target


def about_pull_request(event: Event, pull: PullRequest) -> Event:
    """Return the event as one about the head of a pull request; once merged, about what it became."""
    merged = pull.merged and bool(pull.merge_sha)
    return replace(
        event,
        ref=f"{_HEADS}{pull.base_ref}" if merged else f"refs/pull/{pull.number}/merge",
        sha=pull.merge_sha if merged else pull.head_sha,
        base_ref=pull.base_ref,
        head_ref=pull.head_ref,
        head_sha=pull.head_sha,
        head_repository=pull.head_repository,
        before=pull.base_sha if is_commit(pull.base_sha) else "",
        from_fork=pull.head_repository.lower() != event.repository.lower(),
        number=pull.number,
        message=pull.message,
        author=pull.author,
    )


def is_new(before: str, after: str) -> bool:
    """Return whether a push made the ref."""
    return is_no_commit(before) and not is_no_commit(after)


def is_deleted(after: str) -> bool:
    """Return whether a push ended the ref."""
    return is_no_commit(after)
