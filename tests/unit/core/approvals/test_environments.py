"""What protects an environment: branches, reviewers, time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pawl.core.approvals.environments import (
    Standing,
    branch_refusal,
    needs_person,
    next_look,
    reviewer_refusal,
    standing,
    why_waiting,
)
from pawl.core.model.approvals import Approval, ApprovalState, BranchRule, Environment, same_name
from pawl.core.model.events import Event
from pawl.core.model.ids import RunId

LIVE = Environment(project="acme/site", name="live", created_at=0.0)
PATTERNS = replace(
    LIVE, rule=BranchRule.PATTERNS, branches=("main", "release/**", "!release/old"), tags=("v*",)
)
WAITING = Approval(
    run=RunId(1),
    attempt=1,
    environment="live",
    repository="acme/site",
    state=ApprovalState.WAITING,
    rule="one of ann has to approve",
    asked_at=0.0,
    ready_at=60.0,
    expires_at=100.0,
)


@pytest.mark.parametrize(
    ("environment", "ref", "fine"),
    [
        (LIVE, "refs/heads/anything", True),
        (LIVE, "refs/pull/7/merge", True),
        (replace(LIVE, rule=BranchRule.DEFAULT), "refs/heads/main", True),
        (replace(LIVE, rule=BranchRule.DEFAULT), "refs/heads/main2", False),
        (replace(LIVE, rule=BranchRule.DEFAULT), "refs/tags/main", False),
        (replace(LIVE, rule=BranchRule.DEFAULT), "refs/pull/7/merge", False),
        (PATTERNS, "refs/heads/main", True),
        (PATTERNS, "refs/heads/release/1/2", True),
        (PATTERNS, "refs/heads/release/old", False),
        (PATTERNS, "refs/heads/v1", False),
        (PATTERNS, "refs/tags/v1", True),
        (PATTERNS, "refs/tags/main", False),
        (PATTERNS, "refs/pull/7/merge", False),
        (replace(PATTERNS, branches=("pull/*/merge",)), "refs/pull/7/merge", True),
        (replace(PATTERNS, tags=()), "refs/tags/v1", False),
    ],
)
def test_refs_and_rules_about_branches(environment: Environment, ref: str, fine: bool) -> None:
    refusal = branch_refusal(environment, Event(name="push", ref=ref))
    assert bool(refusal) is not fine
    if refusal:
        assert "may not deploy to environment `live`" in refusal


def test_a_fork_never_meets_a_rule_about_branches_whatever_its_ref_is_called() -> None:
    event = Event(name="pull_request", ref="refs/heads/main", from_fork=True)
    assert "comes from a fork" in branch_refusal(PATTERNS, event)
    assert "comes from a fork" in branch_refusal(replace(LIVE, rule=BranchRule.DEFAULT), event)
    assert branch_refusal(LIVE, event) == ""


def test_only_reviewers_approve_and_not_who_started_it_where_that_is_asked_for() -> None:
    asked = replace(LIVE, reviewers=("ann", "bob"))
    assert reviewer_refusal(asked, "ann", frozenset({"ann"})) == ""
    assert "no reviewer" in reviewer_refusal(asked, "eve", frozenset())
    strict = replace(asked, prevent_self_review=True)
    assert "somebody else" in reviewer_refusal(strict, "ann", frozenset({"Ann"}))
    assert reviewer_refusal(strict, "bob", frozenset({"ann"})) == ""


@pytest.mark.parametrize(
    ("now", "review", "approved", "found"),
    [
        (0.0, True, False, Standing.WAITS),
        (60.0, True, False, Standing.WAITS),
        (99.9, True, False, Standing.WAITS),
        (100.0, True, False, Standing.EXPIRED),
        (59.9, True, True, Standing.WAITS),
        (60.0, True, True, Standing.GOES_ON),
        (100.0, True, True, Standing.GOES_ON),
        (59.9, False, False, Standing.WAITS),
        (60.0, False, False, Standing.GOES_ON),
        (100.0, False, False, Standing.GOES_ON),
    ],
)
def test_people_and_time_have_to_agree(now: float, *, review: bool, approved: bool, found: Standing) -> None:
    assert standing(replace(WAITING, review=review), now, approved=approved) is found


def test_time_is_looked_at_when_it_changes_something() -> None:
    assert next_look(WAITING) == 100.0
    approved = replace(WAITING, decided_by="ann")
    assert (next_look(approved), needs_person(approved)) == (60.0, False)
    assert next_look(replace(WAITING, review=False)) == 60.0
    assert next_look(replace(WAITING, state=ApprovalState.APPROVED)) is None


def test_what_is_waited_for_is_said() -> None:
    assert why_waiting(WAITING) == (
        "it waits for approval to deploy to environment `live`: one of ann has to approve"
    )
    assert why_waiting(replace(WAITING, environment="")).startswith("it waits for approval: ")
    assert "the time that environment `live`" in why_waiting(replace(WAITING, review=False))


def test_spellings_of_a_name() -> None:
    assert same_name(" Production ") == same_name("PRODUCTION") == "production"
