"""What a run says at its commit."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pawl.core.lifecycle import RunState
from pawl.core.lifecycle.state import Group, JobState
from pawl.core.model.events import Event
from pawl.core.model.forge import CommitState
from pawl.core.model.ids import JobId, JobKey, RunId
from pawl.core.model.records import RunRecord
from pawl.core.model.status import Conclusion, Status
from pawl.engine.reporting.lines import commit_of, context_of, duration, lines_of, ref_of

RUN = RunRecord(
    id=RunId(7),
    number=3,
    repository="acme/site",
    path="ci.yml",
    name="CI",
    run_name="x",
    event="push",
    ref="refs/heads/main",
    sha="a" * 40,
    actor="ann",
    correlation="c",
    created_at=1.0,
)
NOTHING = RunState(groups={})


def line(state: RunState = NOTHING, **changes: Any) -> tuple[CommitState, str]:
    (made,) = lines_of(dataclasses.replace(RUN, **changes), state, "pawl/{workflow}").values()
    return made.state, made.description


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "pending", "Waiting"),
        ({"reason": "held by run 3"}, "pending", "Waiting: held by run 3"),
        (
            {"status": Status.WAITING, "reason": "waits for approval"},
            "pending",
            "Waiting: waits for approval",
        ),
        ({"status": Status.IN_PROGRESS, "started_at": 2.0}, "running", "Running"),
        ({"status": Status.IN_PROGRESS, "cancelling": True}, "running", "Being cancelled"),
        (
            {"conclusion": Conclusion.SUCCESS, "started_at": 2.0, "completed_at": 5.0},
            "success",
            "Succeeded in 3 s",
        ),
        ({"conclusion": Conclusion.FAILURE, "reason": "no"}, "failure", "Failed: no"),
        (
            {"conclusion": Conclusion.TIMED_OUT, "started_at": 0.0, "completed_at": 7265.0},
            "failure",
            "Timed out after 2 h 1 min",
        ),
        (
            {"conclusion": Conclusion.CANCELLED, "started_at": 0.0, "completed_at": 1.0, "reason": "by ann"},
            "cancelled",
            "Cancelled: by ann",
        ),
        ({"conclusion": Conclusion.SKIPPED}, "skipped", "Skipped"),
        (
            {"conclusion": Conclusion.FAILURE, "reason": "a\r\nb\x1b[1m " + "x" * 900},
            "failure",
            "Failed: a b [1m " + "x" * 483 + "…",
        ),
    ],
)
def test_a_run_says_where_it_is(changes: dict[str, Any], state: str, words: str) -> None:
    assert line(**changes) == (CommitState(state), words)


def job(name: str, **changes: Any) -> JobState:
    return JobState(id=JobId(name), **changes)


def test_a_run_all_of_whose_jobs_wait_for_somebody_says_so() -> None:
    waits = job("deploy", reason="waits for approval of live")
    group = Group(key=JobKey("deploy"), jobs=(waits,))
    state = RunState(groups={group.key: group})
    assert line(state, status=Status.IN_PROGRESS)[1] == "Waiting: waits for approval of live"
    other = Group(key=JobKey("test"), jobs=(job("test", status=Status.IN_PROGRESS),))
    busy = RunState(groups={group.key: group, other.key: other})
    assert line(busy, status=Status.IN_PROGRESS)[1] == "Running"


def test_jobs_have_a_line_each_where_the_template_names_them() -> None:
    groups = {
        "lint": Group(key=JobKey("lint")),
        "build": Group(
            key=JobKey("build"),
            jobs=(job("build#1", status=Status.IN_PROGRESS, started_at=2.0), job("build#2")),
        ),
        "test": Group(key=JobKey("test"), result=Conclusion.SKIPPED, reason="its condition is false"),
        "ship": Group(
            key=JobKey("ship"),
            result=Conclusion.FAILURE,
            jobs=(
                job("ship#1", conclusion=Conclusion.SUCCESS, started_at=1.0, completed_at=9.0),
                job(
                    "ship#2",
                    conclusion=Conclusion.FAILURE,
                    started_at=2.0,
                    completed_at=5.0,
                    reason="exit code 2",
                ),
            ),
        ),
    }
    state = RunState(groups={group.key: group for group in groups.values()})
    made = lines_of(RUN, state, "{workflow}/{job}")
    assert {name: (each.state.value, each.description) for name, each in made.items()} == {
        "CI/lint": ("pending", "Waiting"),
        "CI/build": ("running", "Running"),
        "CI/test": ("skipped", "Skipped: its condition is false"),
        "CI/ship": ("failure", "Failed after 8 s: exit code 2"),
    }
    assert list(lines_of(RUN, NOTHING, "{workflow}/{job}")) == ["CI"]


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("pawl/{workflow}", "pawl/{job} {event}"),
        ("{event}: {workflow}", "push: {job} {event}"),
        ("{other} {}", "{other} {}"),
        ("", "pawl"),
        ("{job}", "pawl"),
    ],
)
def test_what_is_filled_into_a_template_is_not_looked_at_again(template: str, context: str) -> None:
    assert context_of(template, "{job} {event}", "push") == context


def test_a_name_is_one_line_and_not_longer_than_forges_take() -> None:
    assert context_of("pawl/{workflow}", "a\r\nb\u202ec", "push") == "pawl/a b c"
    assert len(context_of("pawl/{workflow}", "x" * 999, "push")) == 250


@pytest.mark.parametrize(
    ("changes", "commit", "ref"),
    [
        ({"sha": "a" * 40}, "a" * 40, "main"),
        ({"sha": "0" * 40}, "", "main"),
        ({"sha": "abc", "ref": "refs/tags/v1"}, "", "v1"),
        ({"sha": "a" * 40, "head_sha": "b" * 40, "head_ref": "x", "number": 1}, "b" * 40, "x"),
        ({"sha": "a" * 40, "head_sha": "bbb", "head_ref": "x", "from_fork": True}, "a" * 40, ""),
    ],
)
def test_a_status_stands_at_a_whole_commit(changes: dict[str, Any], commit: str, ref: str) -> None:
    event = Event(name="push", **changes)
    assert (commit_of(event), ref_of(event)) == (commit, ref)


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min")]
)
def test_durations_are_told_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
