"""The whole table of whose jobs may have secrets (R29, I26)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from pawl.core.model.events import Event
from pawl.core.secrets.rights import OF_THE_BASE, rights_of
from pawl.core.workflow.event_facts import EVENTS


@pytest.mark.parametrize(("name", "from_fork"), [*product(sorted(EVENTS), (False, True))])
def test_every_event_with_and_without_a_fork(name: str, *, from_fork: bool) -> None:
    rights = rights_of(Event(name=name, from_fork=from_fork))
    allowed = not from_fork or name in OF_THE_BASE
    assert (rights.secrets, rights.writes) == (allowed, allowed)
    assert bool(rights.reason) is not allowed


@pytest.mark.parametrize("name", ["", "PUSH", "pull_request_review_thread", "pull request", "anything"])
def test_what_nobody_named_gets_nothing(name: str) -> None:
    assert not rights_of(Event(name=name)).secrets
    assert not rights_of(Event(name=name)).writes


@pytest.mark.parametrize("name", ["pull_request", "pull_request_review", "push", "workflow_dispatch"])
def test_nothing_else_about_a_fork_lets_secrets_out(name: str) -> None:
    event = Event(name=name, from_fork=True)
    others = (
        replace(event, actor="owner", head_repository="acme/site", repository="acme/site"),
        replace(event, action="closed", payload={"pull_request": {"merged": True}}),
        replace(event, ref="refs/heads/main", base_ref="main", head_ref="main"),
    )
    assert not any(rights_of(other).secrets or rights_of(other).writes for other in others)


def test_events_of_the_base_are_known_events() -> None:
    assert set(EVENTS) >= OF_THE_BASE
