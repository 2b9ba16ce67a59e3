"""What `pawl trigger` makes of a commit, and when a run's number means a server's run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.adapters.git.tree import CommitFacts
from pawl.cli.findings.checked import CheckedFile
from pawl.cli.local_event import EventWish
from pawl.cli.remote import choosing
from pawl.cli.remote.choosing import ask_server
from pawl.cli.remote.options import Asked
from pawl.cli.remote.place import PlaceWish
from pawl.cli.remote.triggering import (
    CommittedWorkflow,
    Upload,
    event_of,
    names_of,
    notice_changes,
    trigger_body,
)
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.syntax import Workflow
from pawl.ports.source import SourceState

JOBS = "jobs: {a: {runs-on: ubuntu-latest, steps: [{run: echo}]}}\n"


def workflow(on: str) -> Workflow:
    parsed = parse_workflow(f"on: {on}\n{JOBS}".encode(), ".ci.yml").workflow
    assert parsed is not None
    return parsed


def facts(*, ref: str = "refs/heads/main", is_dirty: bool = False) -> CommitFacts:
    state = SourceState(
        sha="1" * 40,
        branch=ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None,
        tag=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else None,
        dirty=False,
        repository="acme/app",
        default_branch="main",
        author="Ann Example <ann@example.com>",
        message="Mend it",
    )
    return CommitFacts(ref=ref, state=state, changed=("a.txt",), is_dirty=is_dirty)


def test_what_a_workflow_may_be_called() -> None:
    assert names_of(".github/workflows/ci.yml") == {".github/workflows/ci.yml", "ci.yml", "ci"}


def test_a_workflow_that_can_be_started_by_hand_is() -> None:
    assert event_of(workflow("[push, workflow_dispatch]"), EventWish(), facts()).name == "workflow_dispatch"
    assert event_of(workflow("push"), EventWish(), facts()).name == "push"
    assert event_of(workflow("[push, workflow_dispatch]"), EventWish(name="push"), facts()).name == "push"


def test_the_event_is_about_the_branch_or_tag_of_the_commit() -> None:
    assert event_of(workflow("push"), EventWish(), facts(ref="refs/heads/topic")).ref == "refs/heads/topic"
    assert event_of(workflow("push"), EventWish(), facts(ref="refs/tags/v1")).ref == "refs/tags/v1"


def test_what_is_sent_names_commit_event_and_files() -> None:
    event = event_of(workflow("workflow_dispatch"), EventWish(inputs={"env": "staging"}), facts())
    file = CommittedWorkflow(
        checked=CheckedFile(path=".ci.yml", text="on: push", diagnostics=()), workflow=None
    )
    upload = Upload(file=file, event=event, variables={"A": "b"}, priority=3, request_id="x")
    body = trigger_body(upload, "digest")
    expected = {
        "path": ".ci.yml",
        "workflow": "on: push",
        "repository": "acme/app",
        "ref": "refs/heads/main",
        "sha": "1" * 40,
        "event": "workflow_dispatch",
        "actor": "Ann-Example",
        "inputs": {"env": "staging"},
        "variables": {"A": "b"},
        "changed_files": ["a.txt"],
        "source": "digest",
        "priority": 3,
        "request_id": "x",
    }
    assert {name: body[name] for name in expected} == expected


def test_changes_that_stay_out_are_said_only_of_what_is_checked_out() -> None:
    told: list[str] = []
    notice_changes(facts(is_dirty=True), None, told.append)
    notice_changes(facts(is_dirty=True), "main", told.append)
    notice_changes(facts(), None, told.append)
    assert told == ["changes that are not committed stay out: commit 1111111111 runs, as it is"]


def test_a_run_is_the_server_s_when_one_is_named_or_the_project_has_none_of_that_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PAWL_SERVER", raising=False)
    nowhere = Asked(wish=PlaceWish(), from_file=None)
    addresses: dict[Path, str] = {}
    monkeypatch.setattr(choosing, "default_data", lambda: Path("data"))
    monkeypatch.setattr(choosing, "local_address", addresses.get)
    assert ask_server(Asked(wish=PlaceWish(server=""), from_file=None), "1", [1])
    assert ask_server(Asked(wish=PlaceWish(), from_file="https://x"), "1", [1])
    assert not ask_server(nowhere, "9", [1])  # there is no server: the project says what it lacks
    addresses[Path("data")] = "http://127.0.0.1:8080"
    assert ask_server(nowhere, "9", [1])
    assert ask_server(nowhere, None, [])
    assert not ask_server(nowhere, "#1", [1])
    assert not ask_server(nowhere, None, [1])
    assert not ask_server(nowhere, "x", [1])
