"""Random kills under load: every accepted run ends, nothing is lost, doubled or left behind."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.cycles import kill_and_check

CYCLES = int(os.environ.get("PAWL_KILL_CYCLES", "5"))


def test_every_accepted_run_survives_random_kills(tmp_path: Path) -> None:
    survived = kill_and_check(tmp_path, cycles=CYCLES, seed=3)
    assert survived.runs >= CYCLES // 5
