"""P13, second half: how long the command takes to say its version. Floor: Python starting and ending."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Missing, Row, interleaved, milliseconds
from benchmarks.project import PAWL


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    ours, floor = interleaved(
        lambda: subprocess.run([*PAWL, "--version"], check=True, capture_output=True),
        lambda: subprocess.run([sys.executable, "-I", "-c", ""], check=True),
        runs=15,
    )
    taken = milliseconds(ours)
    return [
        Row(
            id="P13",
            what="`pawl --version`",
            pawl=taken,
            floor=("python -I -c ''", milliseconds(floor)),
            target="60 ms",
            meets=taken.median < 60,
        )
    ]
