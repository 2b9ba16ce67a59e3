"""What may have to wait for a person, and what became of that: plain frozen values (requirement Q13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pawl.core.model.ids import RunId

WHOLE_RUN = ""
"""The environment of an approval that is about a run from a fork, and not about an environment."""


class ApprovalState(StrEnum):
    """How far an approval has come."""

    WAITING = "waiting"
    APPROVED = "approved"
    """By a person, or because all that was waited for was time."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Nobody decided in time."""
    WITHDRAWN = "withdrawn"
    """What waited for it was cancelled or ended."""
    EXEMPT = "exempt"
    """Nobody was asked: `rule` says why."""


class BranchRule(StrEnum):
    """From which refs a job may deploy to an environment."""

    ANY = "any"
    DEFAULT = "default"
    """The default branch alone."""
    PATTERNS = "patterns"
    """Branches and tags that match one of the environment's patterns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment of a project, and what protects it.

    Attributes:
        project: `owner/name`.
        name: as it was given; environments whose names differ in case alone are one.
        reviewers: names of the tokens any one of which may approve; none for no review.
        prevent_self_review: whether who started a run cannot approve it.
        wait_minutes: how long a job waits at least.
        branches, tags: patterns as `on.push.branches` has them, for `BranchRule.PATTERNS`.
    """

    project: str
    name: str
    created_at: float
    reviewers: tuple[str, ...] = ()
    prevent_self_review: bool = False
    wait_minutes: float = 0.0
    rule: BranchRule = BranchRule.ANY
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A run from a fork, or the jobs of a run that deploy to one environment, and whether they may go on.

    It is bound to the run, its attempt and the environment; that of a run from a fork to repository, request
    and commit besides (R27): the same commit need not be approved twice, and another one must be.

    Attributes:
        environment: as the workflow names it; `WHOLE_RUN` for a run from a fork.
        number, sha: of the pull request and its head; "" where one is not known, so that nothing but this
            very run is approved.
        author: of the request, as the forge calls them; "" where that is not known.
        rule: which rule asks for it, or exempted it, in words.
        asked_at: when it began to wait.
        review: whether a person has to approve.
        ready_at: the earliest time at which what waits may go on.
        expires_at: when it is given up.
        look_at: when time alone changes something about it; None once it is settled.
        decided_by: who approved or rejected it; "" for nobody.
    """

    run: RunId
    attempt: int
    environment: str
    repository: str
    state: ApprovalState
    rule: str
    asked_at: float
    number: int | None = None
    sha: str = ""
    author: str = ""
    review: bool = True
    ready_at: float = 0.0
    expires_at: float = 0.0
    look_at: float | None = None
    decided_at: float | None = None
    decided_by: str = ""
    comment: str = ""


def same_name(name: str) -> str:
    """Return what two spellings of one environment's name have in common."""
    return name.strip().casefold()
