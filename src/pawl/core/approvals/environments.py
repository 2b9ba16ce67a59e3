"""What protects an environment: who may approve, how long is waited, which refs may deploy (Q13)."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from pawl.core.model.approvals import Approval, ApprovalState, BranchRule, Environment
from pawl.core.model.events import Event
from pawl.core.workflow.patterns import Pattern, is_included


def branch_refusal(environment: Environment, event: Event) -> str:
    """Return why an event's ref may not deploy to an environment, "" when it may."""
    if environment.rule is BranchRule.ANY:
        return ""
    what = f"`{event.ref_name}` may not deploy to environment `{environment.name}`"
    if event.from_fork:
        return f"{what}: it comes from a fork, and the environment has a rule about branches"
    if environment.rule is BranchRule.DEFAULT:
        fine = bool(event.branch) and event.branch == event.default_branch
        return "" if fine else f"{what}: only the default branch `{event.default_branch}` may"
    name, patterns = (
        (event.tag, environment.tags)
        if event.tag is not None
        else (event.branch or event.ref.removeprefix("refs/"), environment.branches)
    )
    if is_included(_compiled(patterns), name):
        return ""
    listed = ", ".join(f"`{each}`" for each in patterns) or "none"
    kind = "tags" if event.tag is not None else "branches"
    return f"{what}: it matches none of its {kind} ({listed})"


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(Pattern(text) for text in patterns)


def reviewer_refusal(environment: Environment, by: str, starters: frozenset[str]) -> str:
    """Return why somebody may not approve or reject for an environment, "" when they may.

    Args:
        environment: as it is now: whoever was taken off its reviewers approves no more (R34).
        by: who acts.
        starters: who started the run, and who started it again.
    """
    if environment.reviewers and by not in environment.reviewers:
        named = ", ".join(environment.reviewers)
        return f"`{by}` is no reviewer of environment `{environment.name}`: {named}"
    folded = {each.casefold() for each in starters}
    if environment.prevent_self_review and by.casefold() in folded:
        return f"`{by}` started the run, and environment `{environment.name}` asks for somebody else"
    return ""


class Standing(StrEnum):
    """What a waiting approval has come to at a time."""

    WAITS = "waits"
    GOES_ON = "goes_on"
    EXPIRED = "expired"


def standing(approval: Approval, now: float, *, approved: bool) -> Standing:
    """Return what becomes of a waiting approval; `approved` once a person said yes."""
    if approval.review and not approved:
        return Standing.EXPIRED if now >= approval.expires_at else Standing.WAITS
    return Standing.GOES_ON if now >= approval.ready_at else Standing.WAITS


def next_look(approval: Approval) -> float | None:
    """Return when time alone changes something about an approval; None when it never does."""
    if approval.state is not ApprovalState.WAITING:
        return None
    return approval.expires_at if needs_person(approval) else approval.ready_at


def needs_person(approval: Approval) -> bool:
    """Return whether a waiting approval still waits for somebody."""
    return approval.review and not approval.decided_by


def why_waiting(approval: Approval) -> str:
    """Return what a waiting approval waits for, in words, without a full stop."""
    where = f" to deploy to environment `{approval.environment}`" if approval.environment else ""
    if needs_person(approval):
        return f"it waits for approval{where}: {approval.rule}"
    return f"it waits for the time that environment `{approval.environment}` asks for"
