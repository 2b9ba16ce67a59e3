from __future__ import annotations

import random

import pytest

from tools.fuzz_workflow import damaged, fuzz


def test_a_seed_makes_the_same_texts() -> None:
    text = "on: push\njobs: {}\n"
    first, second = random.Random(1), random.Random(1)  # noqa: S311  the point is that it can be repeated
    assert [damaged(text, first) for _ in range(5)] == [damaged(text, second) for _ in range(5)]


def test_a_moment_of_fuzzing_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(0.05, seed=1) == 0
    assert "0 misbehaved" in capsys.readouterr().out
