"""Places in the queue: priority for a while, ageing, fairness between repositories; rates; labels."""

from __future__ import annotations

import pytest

from pawl.core.model.plan import Json
from pawl.core.queue.labels import offered_labels, required_labels
from pawl.core.queue.places import HeadStarts, head_start, place
from pawl.core.queue.rates import admit

RULES = HeadStarts(tag=300, default_branch=120, step=60, spacing=2, longest_turn=100)


def _keys(count: int, now: float, turn: float | None = None) -> list[float]:
    keys = []
    for _ in range(count):
        found = place(RULES, now=now, turn=turn, head_start=0)
        turn = found.next_turn
        keys.append(found.key)
    return keys


def test_a_lone_repository_is_queued_in_order_of_time() -> None:
    assert place(RULES, now=10, turn=None, head_start=0).key == 10
    assert place(RULES, now=20, turn=12, head_start=0).key == 20


def test_one_job_of_another_repository_comes_before_the_many_of_one() -> None:
    many = _keys(50, now=0)
    one = place(RULES, now=5, turn=None, head_start=0).key
    assert sum(key < one for key in many) == 3


def test_what_waits_is_overtaken_only_within_a_head_start() -> None:
    waiting = place(RULES, now=0, turn=None, head_start=0).key
    assert place(RULES, now=100, turn=None, head_start=120).key < waiting
    assert place(RULES, now=121, turn=None, head_start=120).key > waiting


def test_turns_do_not_run_away_from_the_time() -> None:
    assert max(_keys(1000, now=0)) == RULES.longest_turn


@pytest.mark.parametrize(
    ("is_tag", "is_default", "priority", "seconds"),
    [
        (True, False, 0, 300),
        (False, True, 0, 120),
        (False, False, 0, 0),
        (False, False, 2, 120),
        (False, True, -1, 60),
        (False, False, 10**9, 6000),
        (False, False, -(10**9), -6000),
    ],
)
def test_a_head_start_is_by_ref_and_priority(
    is_tag: bool, is_default: bool, priority: int, seconds: float
) -> None:
    found = head_start(RULES, is_tag=is_tag, is_default_branch=is_default, priority=priority)
    assert found == seconds


def test_a_burst_comes_at_once_and_the_rest_evenly() -> None:
    due, times = None, []
    for _ in range(6):
        found = admit(now=100.0, due=due, interval=10, burst=3)
        due = found.due
        times.append(found.at)
    assert times == [100, 100, 100, 110, 120, 130]


def test_after_a_pause_a_burst_is_had_again() -> None:
    assert admit(now=1000.0, due=130.0, interval=10, burst=3).at == 1000
    assert admit(now=100.0, due=110.0, interval=10, burst=0).at == 110


@pytest.mark.parametrize(
    ("runs_on", "labels"),
    [
        ("Ubuntu-Latest", ("ubuntu-latest",)),
        (["self-hosted", "GPU", "gpu"], ("gpu", "self-hosted")),
        ({"group": "big", "labels": ["a"]}, ("a",)),
        ({"group": "big"}, ()),
        ("debian:12", ()),
        ("ghcr.io/a/b", ()),
        (None, ()),
        (5, ()),
        ([" ", 3], ()),
    ],
)
def test_labels_are_compared_without_case_and_images_are_none(runs_on: Json, labels: tuple[str, ...]) -> None:
    assert required_labels(runs_on) == labels


def test_a_worker_offers_each_label_once() -> None:
    assert offered_labels(["B", "a", " b ", ""]) == ("a", "b")
