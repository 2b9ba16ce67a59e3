"""Whether what comes from a fork waits: the whole table (R27, R28)."""

from __future__ import annotations

import itertools

import pytest

from pawl.core.approvals.forks import (
    AuthorRole,
    ForkOutcome,
    ForkQuestion,
    RequestState,
    author_of,
    commit_of,
    decide_fork,
    question_of,
)
from pawl.core.model.approvals import WHOLE_RUN, Approval, ApprovalState
from pawl.core.model.events import Event
from pawl.core.model.ids import RunId
from pawl.core.model.projects import ForkPolicy

RUNS, WAITS, REFUSED = ForkOutcome.RUNS, ForkOutcome.WAITS, ForkOutcome.REFUSED
SHA = "a" * 40
ACTIONS = (
    ("pull_request", "opened"),
    ("pull_request", "synchronize"),
    ("pull_request", "reopened"),
    ("pull_request", "edited"),
    ("pull_request", "labeled"),
    ("pull_request", "ready_for_review"),
    ("pull_request", "closed"),
    ("pull_request_target", "opened"),
    ("pull_request_target", "closed"),
    ("pull_request_review", "submitted"),
    ("pull_request_review_comment", "created"),
    ("merge_group", "checks_requested"),
    ("workflow_run", "completed"),
    ("push", ""),
    ("an event of tomorrow", "done"),
)
STRANGERS = {AuthorRole.FIRST_TIMER, AuthorRole.UNKNOWN}
APPROVAL = Approval(
    run=RunId(3),
    attempt=1,
    environment=WHOLE_RUN,
    repository="acme/site",
    state=ApprovalState.APPROVED,
    rule="",
    asked_at=0.0,
    decided_by="ann",
)


def expected(policy: ForkPolicy, role: AuthorRole, *, commit: bool, author: bool) -> ForkOutcome:
    """Return the table's answer for what comes from a fork, in other words than the code's."""
    if policy is ForkPolicy.REFUSE:
        return REFUSED
    if commit:
        return RUNS
    return {
        ForkPolicy.ALWAYS: WAITS,
        ForkPolicy.NEVER: RUNS,
        ForkPolicy.FIRST: WAITS if role in STRANGERS and not author else RUNS,
    }[policy]


@pytest.mark.parametrize("policy", ForkPolicy)
def test_the_whole_table(policy: ForkPolicy) -> None:
    count = 0
    known = (None, APPROVAL)
    for (event, action), role, state, commit, author, fork in itertools.product(
        ACTIONS, AuthorRole, RequestState, known, known, (True, False)
    ):
        verdict = decide_fork(
            ForkQuestion(
                from_fork=fork,
                event=event,
                action=action,
                role=role,
                state=state,
                policy=policy,
                approved=commit,
                author_approved=author,
            )
        )
        stranger = fork and event != "pull_request_target"
        known_author = author is not None
        wanted = expected(policy, role, commit=commit is not None, author=known_author) if stranger else RUNS
        assert verdict.outcome is wanted, (event, action, role, state, commit, author, fork)
        assert verdict.rule
        count += 1
    assert count == len(ACTIONS) * len(AuthorRole) * len(RequestState) * 8


def test_a_rule_that_exempts_names_who_approved() -> None:
    known = decide_fork(ForkQuestion(from_fork=True, event="pull_request", approved=APPROVAL))
    assert known.rule == "ann approved this commit with run 3"
    author = ForkQuestion(
        from_fork=True, event="pull_request", policy=ForkPolicy.FIRST, author_approved=APPROVAL
    )
    assert decide_fork(author).rule == "ann approved a request of its author before, with run 3"


def request(**told: object) -> Event:
    return Event(
        name="pull_request", actor="maintainer", from_fork=True, head_sha=SHA, payload={"pull_request": told}
    )


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ("OWNER", AuthorRole.OWNER),
        ("MEMBER", AuthorRole.MEMBER),
        ("COLLABORATOR", AuthorRole.COLLABORATOR),
        ("CONTRIBUTOR", AuthorRole.CONTRIBUTOR),
        ("FIRST_TIMER", AuthorRole.FIRST_TIMER),
        ("FIRST_TIME_CONTRIBUTOR", AuthorRole.FIRST_TIMER),
        ("NONE", AuthorRole.UNKNOWN),
        ("MANNEQUIN", AuthorRole.UNKNOWN),
        (None, AuthorRole.UNKNOWN),
        (["OWNER"], AuthorRole.UNKNOWN),
    ],
)
def test_the_role_is_that_of_the_requests_author_and_not_of_who_sent_the_event(
    told: object, role: AuthorRole
) -> None:
    event = request(author_association=told, user={"login": "stranger"})
    assert question_of(event, ForkPolicy.FIRST).role is role
    assert author_of(event) == "stranger"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"state": "open"}, RequestState.OPEN),
        ({"state": "closed"}, RequestState.CLOSED),
        ({"state": "closed", "merged": True}, RequestState.MERGED),
        ({"state": "gone"}, RequestState.UNKNOWN),
        ({"state": ["open"]}, RequestState.UNKNOWN),
        ({}, RequestState.UNKNOWN),
    ],
)
def test_the_state_of_the_request_is_read(told: dict[str, object], state: RequestState) -> None:
    assert question_of(request(**told), ForkPolicy.ALWAYS).state is state


def test_an_event_that_tells_nothing_of_the_request_is_one_of_a_stranger() -> None:
    for payload in ({}, {"pull_request": None}, {"pull_request": {"user": "ann"}}):
        event = Event(name="pull_request", from_fork=True, payload=payload)
        assert author_of(event) == ""
        asked = question_of(event, ForkPolicy.FIRST)
        assert decide_fork(asked).outcome is WAITS


def test_only_a_whole_commit_is_one_that_an_approval_can_be_bound_to() -> None:
    assert commit_of(request()) == SHA
    assert commit_of(Event(name="pull_request", head_sha="a" * 12)) == ""
    assert commit_of(Event(name="pull_request", sha=SHA)) == ""
    assert commit_of(Event(name="pull_request", head_sha="0" * 40)) == ""
