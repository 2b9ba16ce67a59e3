"""Whether a run from a fork starts, waits for approval, or is refused: one total, pure function (R27, R28).

What happened to the request (its action) and whether it is open, closed or merged are arguments that change
nothing. They are there so that the table of the tests runs over them: elsewhere the rule was skipped once a
request was closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pawl.core.model.approvals import Approval
from pawl.core.model.events import Event
from pawl.core.model.projects import ForkPolicy
from pawl.core.model.refs import is_commit


class AuthorRole(StrEnum):
    """What the author of a request is to the repository, as far as the forge tells."""

    OWNER = "owner"
    MEMBER = "member"
    COLLABORATOR = "collaborator"
    CONTRIBUTOR = "contributor"
    """Had a commit merged before."""
    FIRST_TIMER = "first_timer"
    UNKNOWN = "unknown"


class RequestState(StrEnum):
    """How far a pull request has come."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"
    UNKNOWN = "unknown"


class ForkOutcome(StrEnum):
    """What becomes of a run."""

    RUNS = "runs"
    WAITS = "waits"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkQuestion:
    """Everything that is known when a run is about to start.

    Attributes:
        policy: of the project; that of a repository without one is `always`.
        approved: the approval of this very commit of this request, where there is one.
        author_approved: an approval of an earlier request by the same author here, where there is one.
    """

    from_fork: bool
    event: str
    action: str = ""
    role: AuthorRole = AuthorRole.UNKNOWN
    state: RequestState = RequestState.UNKNOWN
    policy: ForkPolicy = ForkPolicy.ALWAYS
    approved: Approval | None = None
    author_approved: Approval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkVerdict:
    """The outcome, and which rule made it, in words."""

    outcome: ForkOutcome
    rule: str


_KNOWN = frozenset({AuthorRole.OWNER, AuthorRole.MEMBER, AuthorRole.COLLABORATOR, AuthorRole.CONTRIBUTOR})
_ROLES: Mapping[str, AuthorRole] = {
    "OWNER": AuthorRole.OWNER,
    "MEMBER": AuthorRole.MEMBER,
    "COLLABORATOR": AuthorRole.COLLABORATOR,
    "CONTRIBUTOR": AuthorRole.CONTRIBUTOR,
    "FIRST_TIMER": AuthorRole.FIRST_TIMER,
    "FIRST_TIME_CONTRIBUTOR": AuthorRole.FIRST_TIMER,
}
"""Source: GitHub's GraphQL reference, `CommentAuthorAssociation`."""


OF_THE_BASE = frozenset({"pull_request_target"})
"""Runs the base branch's own workflow and files: no stranger wrote them, so nobody has to look first.

Source: GitHub docs, "Approving workflow runs from public forks".
"""


def decide_fork(asked: ForkQuestion) -> ForkVerdict:
    """Return whether a run starts, waits for approval or is refused."""
    if not asked.from_fork:
        return ForkVerdict(outcome=ForkOutcome.RUNS, rule="it does not come from a fork")
    if asked.event in OF_THE_BASE:
        return ForkVerdict(outcome=ForkOutcome.RUNS, rule="it runs what the base branch holds")
    if asked.policy is ForkPolicy.REFUSE:
        return ForkVerdict(
            outcome=ForkOutcome.REFUSED, rule="the project runs nothing that comes from a fork"
        )
    if asked.approved is not None:
        by, run = asked.approved.decided_by, asked.approved.run
        return ForkVerdict(outcome=ForkOutcome.RUNS, rule=f"{by} approved this commit with run {run}")
    if asked.policy is ForkPolicy.NEVER:
        return ForkVerdict(outcome=ForkOutcome.RUNS, rule="the project asks for no approval of forks")
    if asked.policy is ForkPolicy.FIRST:
        if asked.role in _KNOWN:
            rule = f"its author is no stranger to the repository ({asked.role})"
            return ForkVerdict(outcome=ForkOutcome.RUNS, rule=rule)
        if asked.author_approved is not None:
            by, run = asked.author_approved.decided_by, asked.author_approved.run
            rule = f"{by} approved a request of its author before, with run {run}"
            return ForkVerdict(outcome=ForkOutcome.RUNS, rule=rule)
        return ForkVerdict(
            outcome=ForkOutcome.WAITS, rule="nothing of its author was merged or approved here before"
        )
    return ForkVerdict(
        outcome=ForkOutcome.WAITS, rule="the project asks for approval of what comes from a fork"
    )


def question_of(
    event: Event,
    policy: ForkPolicy,
    *,
    approved: Approval | None = None,
    author_approved: Approval | None = None,
) -> ForkQuestion:
    """Return what there is to decide about an event.

    The role is that of the request's author. Who sent the event may be somebody else: a maintainer who closes
    a stranger's request vouches for nothing.
    """
    request = _request(event)
    return ForkQuestion(
        from_fork=event.from_fork,
        event=event.name,
        action=event.action or "",
        role=_ROLES.get(str(request.get("author_association", "")), AuthorRole.UNKNOWN),
        state=_state(request),
        policy=policy,
        approved=approved,
        author_approved=author_approved,
    )


def author_of(event: Event) -> str:
    """Return who made the request, as the forge calls them; "" where the event does not tell."""
    user = _request(event).get("user")
    login = user.get("login") if isinstance(user, Mapping) else None
    return login if isinstance(login, str) else ""


def commit_of(event: Event) -> str:
    """Return the head commit that an approval is bound to, "" where the event tells no whole one.

    Bitbucket tells its first digits, which another commit can be made to share.
    """
    return event.head_sha if is_commit(event.head_sha) else ""


def _request(event: Event) -> Mapping[str, object]:
    request = event.payload.get("pull_request")
    return request if isinstance(request, Mapping) else {}


def _state(request: Mapping[str, object]) -> RequestState:
    if request.get("merged") is True:
        return RequestState.MERGED
    told = request.get("state")
    if isinstance(told, str) and told in {"open", "closed"}:
        return RequestState(told)
    return RequestState.UNKNOWN
