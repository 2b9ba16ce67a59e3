"""The lists of a server on wide and narrow terminals."""

from __future__ import annotations

from typing import Any

import pytest

from pawl.cli.remote.tables import draw_artifacts, draw_queue, draw_runs, draw_tokens, draw_workers, show_time
from pawl.cli.terminal.cells import cell_width
from pawl.cli.terminal.lines import Line, to_text
from pawl.cli.terminal.screen import UNICODE, Screen

NOW = 1_700_000_000.0
RUNS: list[dict[str, Any]] = [
    {
        "id": 12,
        "name": "CI",
        "run_name": "Mend the parser",
        "status": "in_progress",
        "conclusion": None,
        "created_at": NOW - 70,
        "started_at": NOW - 65,
        "ref": "refs/heads/main",
        "repository": "acme/app",
    },
    {"id": 11, "name": "CI", "status": "completed", "conclusion": "timed_out", "completed_at": NOW - 90,
     "created_at": NOW - 100, "started_at": NOW - 100, "ref": "refs/tags/v1", "repository": "acme/app"},
    {"id": 10, "path": ".ci.yml", "status": "queued", "cancelling": True, "created_at": NOW},
]  # fmt: skip
QUEUE: list[dict[str, Any]] = [
    {"position": 1, "run": 12, "job": "test#1", "name": "test (linux)", "repository": "acme/app",
     "waiting_since": NOW - 30, "reason": "the next free worker takes it"},
    {"position": 2, "run": 9, "job": "gpu", "name": "gpu", "repository": "acme/models",
     "waiting_since": NOW - 7200, "reason": "no worker has the labels gpu, self-hosted"},
]  # fmt: skip
WORKERS: list[dict[str, Any]] = [
    {"id": "w1", "name": "builder-1", "labels": ["linux", "self-hosted"], "slots": 2, "last_seen": NOW - 3},
    {
        "id": "w2",
        "name": "builder-2",
        "labels": ["gpu"],
        "slots": 1,
        "last_seen": NOW - 3,
        "health": "disk full",
    },
    {"id": "w3", "name": "builder-3", "labels": [], "slots": 1, "last_seen": NOW - 300},
    {"id": "w4", "name": "builder-4", "labels": [], "slots": 1, "last_seen": NOW, "draining": True},
]


def screen(width: int) -> Screen:
    return Screen(colour=False, is_terminal=True, glyphs=UNICODE, width=width, height=40)


def shown(lines: list[Line]) -> list[str]:
    return [to_text(each, colour=False) for each in lines]


def test_runs_on_a_wide_terminal() -> None:
    drawn = shown(draw_runs(RUNS, NOW, screen(120)))
    assert drawn[0].split() == ["RUN", "WORKFLOW", "STATE", "TOOK", "REF", "REPOSITORY", "STARTED"]
    assert drawn[1].split("  ")[0] == "●"
    assert "Mend the parser  in progress  1m 05s  main" in drawn[1]
    assert show_time(NOW - 70) in drawn[1]
    assert "✗   11  CI               timed out       10s" in drawn[2]
    assert ".ci.yml" in drawn[3]
    assert "cancelling" in drawn[3]


def test_runs_on_a_narrow_terminal_keep_number_workflow_and_state() -> None:
    drawn = shown(draw_runs(RUNS, NOW, screen(50)))
    assert drawn[0].split() == ["RUN", "WORKFLOW", "STATE", "TOOK", "REF"]
    assert "12  Mend the parser  in progress" in drawn[1]


def test_the_queue_says_why_each_job_waits() -> None:
    drawn = shown(draw_queue(QUEUE, NOW, screen(120)))
    assert drawn[1].startswith("1   12  test (linux)     30s  acme/app")
    assert drawn[1].endswith("the next free worker takes it")
    assert drawn[2].startswith("2    9  gpu           2h 00m  acme/models")


def test_on_a_narrow_terminal_the_reason_stands_below() -> None:
    drawn = shown(draw_queue(QUEUE, NOW, screen(50)))
    assert drawn[2:5] == [
        "    the next free worker takes it",
        "2    9  gpu           2h 00m  acme/models",
        "    no worker has the labels gpu, self-hosted",
    ]


def test_workers_show_how_they_are() -> None:
    drawn = shown(draw_workers(WORKERS, NOW, screen(100)))
    states = [row.split()[1] for row in drawn[1:]]
    assert states == ["ready", "unwell", "away", "draining"]
    assert drawn[2].endswith("gpu; disk full")


def test_workers_show_how_many_slots_are_busy_and_with_what() -> None:
    running = [{"run": number, "job": "build", "attempt": 1, "name": "b"} for number in "1234567"]
    worker = {"name": "w1", "slots": 8, "labels": ["linux"], "last_seen": NOW, "busy": 7, "running": running}
    title, row, *_ = shown(draw_workers([worker], NOW, screen(200)))
    assert title.endswith("LABELS, AND WHAT IT RUNS")
    assert row.split()[:3] == ["w1", "ready", "7/8"]
    assert "linux; runs 1 b, 2 b, " in row
    assert row.endswith("5 b and 2 more")


def test_tokens_show_what_they_may_and_whether_they_are_good() -> None:
    tokens: list[dict[str, Any]] = [
        {"id": "abcdef123456", "name": "first", "scope": "admin", "created_at": NOW, "last_used": None},
        {"id": "0123456789ab", "name": "old", "scope": "worker", "created_at": NOW, "revoked": True},
        {"id": "0123456789ac", "name": "short", "scope": "read", "created_at": NOW, "expires_at": NOW + 60},
        {"id": "0123456789ad", "name": "over", "scope": "read", "created_at": NOW, "expires_at": NOW},
    ]
    drawn = shown(draw_tokens(tokens, NOW, screen(100)))
    assert drawn[1].split()[:4] == ["first", "admin", "good", "never"]
    assert drawn[2].split()[:3] == ["old", "worker", "revoked"]
    assert f"good until {show_time(NOW + 60)}" in drawn[3]
    assert drawn[4].split()[:3] == ["over", "read", "expired"]


@pytest.mark.parametrize("width", [20, 35, 50, 64, 80, 120, 200])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    for lines in (draw_runs(RUNS, NOW, screen(width)), draw_queue(QUEUE, NOW, screen(width)),
                  draw_workers(WORKERS, NOW, screen(width))):  # fmt: skip
        assert max(map(cell_width, shown(lines))) <= width


@pytest.mark.parametrize(
    "row", [{}, {"id": None, "name": 5, "labels": "x", "facts": [], "last_seen": "never"}]
)
def test_rows_of_another_version_are_drawn_as_far_as_they_are_known(row: dict[str, Any]) -> None:
    for draw in (draw_runs, draw_queue, draw_workers, draw_tokens):
        assert draw([row], NOW, screen(80))


def test_what_a_server_says_cannot_steer_the_terminal() -> None:
    evil = "a\x1b[2Jb\nc"
    for lines in (draw_runs([{"name": evil, "repository": evil}], NOW, screen(120)),
                  draw_queue([{"name": evil, "reason": evil}], NOW, screen(120)),
                  draw_workers([{"name": evil, "labels": [evil]}], NOW, screen(120))):  # fmt: skip
        assert all(char not in text for text in shown(lines) for char in "\x1b\n")


def test_artifacts_name_their_first_files_and_count_the_others() -> None:
    files = [{"name": f"{each}.txt", "size": 300} for each in range(7)]
    found = [{"name": "dist", "size": 2100, "job": "pack", "attempt": 2, "files": files}]
    assert shown(draw_artifacts(found, screen(100))) == [
        "ARTIFACT    SIZE  JOB   ATTEMPT  FILES",
        "dist      2.1 kB  pack        2  0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more",
    ]
