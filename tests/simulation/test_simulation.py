"""A fixed number of seeds, those that once found something, a few planted bugs, and that it is repeatable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawl.engine.control.marks import MARKS
from tests.simulation.mutants import MUTANTS, find
from tests.simulation.world import NEVER_HIT, Options, Outcome, run_seed

ROOT = Path(__file__).resolve().parents[2]
KNOWN = [
    int(line.split()[0])
    for line in Path(__file__).with_name("seeds.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
SEEDS = 60
BATCH = 10


def _told(outcome: Outcome) -> str:
    again = f"python -m tests.simulation --seed {outcome.seed} --trace"
    return "\n".join([f"{again} (faults: {outcome.faults})", *outcome.violations])


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_nothing_is_lost_or_doubled_whatever_goes_wrong(first: int) -> None:
    outcomes = [run_seed(seed) for seed in range(first, first + BATCH)]
    assert [_told(each) for each in outcomes if each.violations] == []


@pytest.mark.parametrize("seed", KNOWN)
def test_what_was_found_once_is_not_there_any_more(seed: int) -> None:
    assert run_seed(seed).violations == ()


@pytest.mark.parametrize(
    "name",
    [
        "worker not compared",
        "finish twice",
        "events outside the transaction",
        "lapse by another clock",
        "environment lets everybody in",
        "fork starts at once",
    ],
)
def test_a_planted_bug_is_found(name: str) -> None:
    assert find(name, within=20) is not None


@pytest.mark.parametrize("name", MUTANTS)
def test_every_planted_bug_still_fits_the_code(name: str) -> None:
    patches = MUTANTS[name]()
    assert patches
    assert all(hasattr(place, what) for place, what, _ in patches)


def test_a_server_killed_anywhere_goes_on() -> None:
    points = run_seed(3, Options(quiet=True)).points
    outcomes = [run_seed(3, Options(crash_at=at)) for at in range(1, points, max(1, points // 8))]
    assert [_told(each) for each in outcomes if each.violations] == []


def test_a_seed_is_the_same_in_another_process_with_other_hashes() -> None:
    program = "from tests.simulation.world import run_seed; print(run_seed(7).trace_hash)"
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == run_seed(7).trace_hash


def test_marks_that_cannot_be_hit_exist() -> None:
    assert NEVER_HIT.keys() <= MARKS
