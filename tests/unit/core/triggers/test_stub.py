from __future__ import annotations

import pytest

from pawl.core.triggers import match_trigger, stub_event
from pawl.core.workflow.parse import parse_workflow

JOBS = "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"


@pytest.mark.parametrize(
    "on",
    [
        "push",
        "{push: {branches: ['release/**', 'v[0-9]+.x'], paths: ['docs/**/*.md']}}",
        "{push: {tags: ['v*.*']}}",
        "{push: {branches-ignore: [main]}}",
        "{pull_request: {types: [labeled], branches: ['rel-*']}}",
        "{pull_request_target: {branches: [develop]}}",
        "{workflow_dispatch: {inputs: {n: {type: choice, options: [x], required: true}}}}",
        "{schedule: [{cron: '1 2 * * *'}]}",
        "{workflow_run: {workflows: [CI], branches: [main], types: [completed]}}",
        "{issues: {types: [closed]}}",
        "[issue_comment, push]",
    ],
)
def test_the_made_up_event_starts_the_workflow(on: str) -> None:
    parsed = parse_workflow(f"on: {on}{JOBS}")
    assert parsed.workflow is not None
    match = match_trigger(parsed.workflow.triggers, stub_event(parsed.workflow))
    assert match.started, match.reason


def test_an_event_can_be_asked_for() -> None:
    parsed = parse_workflow(f"on: [push, pull_request]{JOBS}")
    assert parsed.workflow is not None
    event = stub_event(parsed.workflow, "pull_request")
    assert (event.name, event.action, event.ref) == ("pull_request", "opened", "refs/pull/1/merge")
    assert stub_event(parsed.workflow, "release").action == "published"
