from __future__ import annotations

from pathlib import Path

import pytest

from pawl.cli.local_event import EventWish, build_event, choose_event, read_payload
from pawl.core.model.errors import UsageError
from pawl.core.workflow.parse import parse_workflow
from pawl.core.workflow.syntax import Workflow
from pawl.ports.source import SourceState

STATE = SourceState(
    sha="a" * 40,
    branch="topic",
    tag=None,
    dirty=True,
    repository="me/app",
    default_branch="main",
    author="Jane Doe <jane@example.com>",
    message="Subject\n\nBody",
)


def workflow(on: str) -> Workflow:
    text = f"on: {on}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: 'true'\n"
    parsed = parse_workflow(text).workflow
    assert parsed is not None
    return parsed


def test_a_push_is_of_the_branch_that_is_checked_out() -> None:
    event = build_event("push", EventWish(), STATE, ("a.py",))
    assert (event.ref, event.sha, event.changed_files) == ("refs/heads/topic", "a" * 40, ("a.py",))
    assert event.actor == "Jane-Doe"
    assert event.payload["head_commit"]["message"] == "Subject\n\nBody"  # type: ignore[index]  # known shape


def test_a_pull_request_goes_from_this_branch_to_the_default_one() -> None:
    event = build_event("pull_request", EventWish(), STATE, None)
    assert (event.ref, event.base_ref, event.head_ref) == ("refs/pull/1/merge", "main", "topic")
    assert event.action == "opened"
    assert event.payload["pull_request"]["title"] == "Subject"  # type: ignore[index]  # known shape


def test_options_go_before_the_working_tree() -> None:
    wish = EventWish(branch="other", base="release", changed=("b.py",))
    event = build_event("pull_request.closed", wish, STATE, ("a.py",))
    assert (event.action, event.base_ref, event.head_ref) == ("closed", "release", "other")
    assert event.changed_files == ("b.py",)
    assert build_event("push", EventWish(tag="v1"), STATE, None).ref == "refs/tags/v1"


def test_a_payload_is_taken_as_it_is() -> None:
    payload = {
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "head": {"ref": "evil", "sha": "b" * 40, "repo": {"full_name": "you/app"}},
            "base": {"ref": "main", "repo": {"full_name": "me/app"}},
        },
        "sender": {"login": "you"},
    }
    event = build_event("pull_request", EventWish(payload=payload), STATE, None)
    assert event.payload == payload
    assert (event.ref, event.sha, event.head_ref) == ("refs/pull/7/merge", "b" * 40, "evil")
    assert (event.actor, event.action, event.from_fork) == ("you", "synchronize", True)


def test_a_schedule_has_the_workflows_cron_line() -> None:
    event = build_event("schedule", EventWish(), STATE, None, workflow("{schedule: [{cron: '0 3 * * *'}]}"))
    assert event.schedule == "0 3 * * *"


@pytest.mark.parametrize(
    ("on", "wish", "event"),
    [
        ("[pull_request, push]", EventWish(), "push"),
        ("[workflow_dispatch, pull_request]", EventWish(), "workflow_dispatch"),
        ("[push, workflow_dispatch]", EventWish(inputs={"a": "b"}), "workflow_dispatch"),
        ("[issues]", EventWish(), "issues"),
        ("[push]", EventWish(name="pull_request"), "pull_request"),
    ],
)
def test_the_most_ordinary_event_is_chosen(on: str, wish: EventWish, event: str) -> None:
    assert choose_event(workflow(on), wish) == event


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("psh", "there is no event `psh`", "did you mean `push`?"),
        ("push.opened", "`push` has no activity type `opened`", "it has no activity types"),
        ("pull_request.opend", "has no activity type `opend`", "did you mean `opened`?"),
    ],
)
def test_unknown_events_get_a_suggestion(name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_event(name, EventWish(), STATE, None)
    assert message in caught.value.message
    assert caught.value.hint == hint


def test_a_branch_and_a_tag_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match="a branch or a tag"):
        build_event("push", EventWish(branch="a", tag="b"), STATE, None)


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, '"x"'])
def test_an_event_file_must_hold_an_object(text: str, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(text)
    with pytest.raises(UsageError):
        read_payload(file)
