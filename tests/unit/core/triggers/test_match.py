from __future__ import annotations

import pytest

from pawl.core.model.events import Event
from pawl.core.triggers import Match, match_trigger
from pawl.core.workflow.parse import parse_workflow


def match(on: str, event: Event) -> Match:
    text = f"on:\n{on}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{{run: 'true'}}]\n"
    parsed = parse_workflow(text)
    assert parsed.workflow is not None, parsed.diagnostics
    return match_trigger(parsed.workflow.triggers, event)


def test_an_event_that_is_not_listened_to_says_what_is() -> None:
    found = match("  push:\n  schedule: [{cron: '1 1 * * *'}]", Event(name="issues", action="opened"))
    assert not found.started
    assert found.reason == "the workflow does not listen to `issues`, only to `push`, `schedule`"


def test_the_deciding_pattern_is_named() -> None:
    on = "  push:\n    branches: ['release/**', '!release/**-beta']"
    refused = match(on, Event(name="push", ref="refs/heads/release/1-beta"))
    assert not refused.started
    assert refused.verdicts[-1].pattern == "!release/**-beta"
    assert refused.reason == "branch `release/1-beta` matches `!release/**-beta` of `branches`"
    accepted = match(on, Event(name="push", ref="refs/heads/release/1"))
    assert accepted.started
    assert accepted.verdicts[-1].pattern == "release/**"


def test_tags_only_keeps_branches_out_and_the_reverse() -> None:
    assert not match("  push:\n    tags: ['v*']", Event(name="push")).started
    assert not match("  push:\n    branches: [main]", Event(name="push", ref="refs/tags/v1")).started


def test_branches_and_tags_each_count_for_their_own_kind_of_ref() -> None:
    on = "  push:\n    branches: [main]\n    tags: ['v*']"
    started = {
        ref: match(on, Event(name="push", ref=f"refs/{ref}")).started
        for ref in ("heads/main", "heads/dev", "tags/v1", "tags/x")
    }
    assert started == {"heads/main": True, "heads/dev": False, "tags/v1": True, "tags/x": False}


def test_paths_are_not_looked_at_for_tags() -> None:
    event = Event(name="push", ref="refs/tags/v1", changed_files=("README.md",))
    assert match("  push:\n    paths: ['src/**']", event).started


@pytest.mark.parametrize(("files", "started"), [(("a.md", "src/x"), True), (("a.md",), False), ((), False)])
def test_paths_ignore_lets_through_when_one_file_is_not_ignored(
    files: tuple[str, ...], *, started: bool
) -> None:
    found = match("  push:\n    paths-ignore: ['**.md']", Event(name="push", changed_files=files))
    assert found.started is started


def test_unknown_changes_let_the_event_through_and_say_so() -> None:
    found = match("  push:\n    paths: ['src/**']", Event(name="push", changed_files=None))
    assert found.started
    assert "not known which files changed" in found.reason


def test_a_pull_request_is_judged_by_its_base_branch_and_default_types() -> None:
    on = "  pull_request:\n    branches: [main]"
    opened = Event(name="pull_request", action="opened", base_ref="main", head_ref="dev")
    assert match(on, opened).started
    assert not match(on, Event(name="pull_request", action="labeled", base_ref="main")).started
    assert not match(on, Event(name="pull_request", action="opened", base_ref="dev")).started


def test_workflow_run_is_judged_by_name_and_branch() -> None:
    on = "  workflow_run:\n    workflows: [Build]\n    types: [completed]\n    branches: ['r/**']"
    run = {"name": "Build", "head_branch": "r/1"}
    assert match(on, Event(name="workflow_run", action="completed", payload={"workflow_run": run})).started
    other = {"name": "Test", "head_branch": "r/1"}
    assert not match(
        on, Event(name="workflow_run", action="completed", payload={"workflow_run": other})
    ).started
    wrong = {"name": "Build", "head_branch": "main"}
    assert not match(
        on, Event(name="workflow_run", action="completed", payload={"workflow_run": wrong})
    ).started


def test_only_the_schedule_that_fired_counts() -> None:
    on = "  schedule:\n    - cron: '1 1 * * *'\n    - cron: '2 2 * * *'"
    assert match(on, Event(name="schedule", schedule="2 2 * * *")).started
    assert not match(on, Event(name="schedule", schedule="3 3 * * *")).started


def test_repository_dispatch_types_are_the_users_own_words() -> None:
    on = "  repository_dispatch:\n    types: [deploy]"
    assert match(on, Event(name="repository_dispatch", action="deploy")).started
    assert not match(on, Event(name="repository_dispatch", action="test")).started
    assert match("  repository_dispatch:", Event(name="repository_dispatch", action="test")).started


def test_merge_groups_are_judged_by_the_branch_they_go_into() -> None:
    payload = {"merge_group": {"base_ref": "refs/heads/main"}}
    event = Event(name="merge_group", action="checks_requested", payload=payload)
    assert match("  merge_group:\n    branches: [main]", event).started
    assert not match("  merge_group:\n    branches: [dev]", event).started
