"""Durations, images, ids."""

from __future__ import annotations

import pytest

from pawl.core.workflow.duration import parse_duration
from pawl.core.workflow.images import image_problem, is_image
from pawl.core.workflow.step_ids import MAX_LENGTH, StepIds, describe_uses, id_problem


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25), ("1d", 86_400)],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "1h-5m", "10x", "-1m", "1" * 5000 + "m"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    "name",
    [
        "node",
        "node:20",
        "library/node",
        "ghcr.io/owner/name:v1",
        "localhost:5000/a/b",
        "[::1]:5000/a",
        "a__b/c--d",
        "busybox@sha256:" + "0" * 64,
    ],
)
def test_names_of_images_are_accepted(name: str) -> None:
    assert image_problem(name) is None


@pytest.mark.parametrize("name", ["", "Node", "a b", "a:", "a//b", "-a", "a@sha256:1", "a:b:c", "x" * 500])
def test_other_texts_are_no_images(name: str) -> None:
    assert image_problem(name) is not None


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("ubuntu-latest", False),
        ("python:3.12", True),
        ("ghcr.io/a/b", True),
        ("self-hosted", False),
        ("${{ matrix.os }}", False),
        ("organization/Group", False),
    ],
)
def test_an_image_in_runs_on_is_told_from_a_label(label: str, expected: bool) -> None:
    assert is_image(label) is expected


@pytest.mark.parametrize("text", ["a", "_", "_a", "A-1_b", "x" * (MAX_LENGTH - 1)])
def test_ids_are_accepted(text: str) -> None:
    assert id_problem(text) is None


@pytest.mark.parametrize("text", ["", "1a", "-a", "a b", "ä", "__", "__a", "x" * MAX_LENGTH])
def test_other_texts_are_no_ids(text: str) -> None:
    assert id_problem(text) is not None


def test_made_up_ids_count_up_and_go_round_those_that_are_taken() -> None:
    ids = StepIds({"__run_2"})
    assert [ids.make("run") for _ in range(3)] == ["__run", "__run_3", "__run_4"]


def test_made_up_ids_stay_within_the_length() -> None:
    ids = StepIds()
    made = [ids.make("x" * 200) for _ in range(12)]
    assert len(set(made)) == 12
    assert max(map(len, made)) == MAX_LENGTH


@pytest.mark.parametrize(
    ("uses", "word"),
    [
        ("actions/checkout@v4", "actions/checkout"),
        ("owner/name/path@main", "owner/name"),
        ("docker://alpine:3", "alpine:3"),
        ("./local", "self"),
        ("$/local", "self"),
        ("actions/checkout", "run"),
        ("a/b@c@d", "run"),
        ("a@b", "run"),
    ],
)
def test_an_action_gives_the_word_for_its_id(uses: str, word: str) -> None:
    assert describe_uses(uses) == word
