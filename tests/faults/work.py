"""Workflows whose log shows whether anything was lost, doubled or started twice."""

from __future__ import annotations

from pathlib import Path

from tests.faults.installation import Installation
from tests.faults.processes import until

TICKING = """\
on: workflow_dispatch
jobs:
  work:
    runs-on: {label}
    steps:
      - name: work
        run: |
          {mark}
          i=0
          for line in 1 2 3 4 5 6 7 8 9 10; do
            i=$((i + 1)); echo "line $i"
          done
          until [ -e {gate} ]; do
            i=$((i + 1)); echo "line $i"; sleep 0.05
          done
          echo "last $i"
"""


class Ticking:
    """A run of one job that writes numbered lines until its gate is opened, then how many there were."""

    def __init__(self, pawl: Installation, *, name: str = "ticking") -> None:
        """Trigger it; the step writes a line to a file each time that it is started."""
        self._pawl = pawl
        self._gate = pawl.folder / f"{name}.gate"
        self._starts = pawl.folder / f"{name}.starts"
        mark = f"echo started >> {self._starts}"
        self.run = pawl.api.trigger(TICKING.format(label="self-hosted", gate=self._gate, mark=mark))

    @property
    def starts(self) -> int:
        """Return how often the step was started."""
        return len(self._starts.read_text("ascii").splitlines()) if self._starts.exists() else 0

    def wait_for_lines(self, more: int = 1) -> None:
        """Wait until the server has `more` lines than now."""
        wanted = len(self._pawl.api.log_lines(self.run)) + more
        until(
            lambda: len(self._pawl.api.log_lines(self.run)) >= wanted, f"{more} more lines of run {self.run}"
        )

    def open_gate(self) -> None:
        """Let the step end."""
        self._gate.touch()

    def assert_whole(self, *, attempts: int = 1) -> None:
        """Check that the run succeeded in its last attempt, which lost and doubled no line."""
        ended = self._pawl.wait_for_end(self.run)
        assert ended["conclusion"] == "success", ended
        found = self._pawl.api.attempts(self.run)
        assert [attempt["attempt"] for attempt in found] == list(range(1, attempts + 1)), found
        assert found[-1]["conclusion"] == "success", found
        assert self.starts == attempts
        assert_counted(self._pawl.api.log_lines(self.run, attempt=attempts))


def assert_counted(lines: list[str]) -> None:
    """Check that lines count from 1 without a gap and that the last one says how many there are."""
    numbered = [line for line in lines if line.startswith("line ")]
    assert numbered == [f"line {number}" for number in range(1, len(numbered) + 1)]
    assert [line for line in lines if line.startswith("last ")] == [f"last {len(numbered)}"]


def gated_in_container(gate: Path, label: str) -> str:
    """Return a workflow that ticks in a container, whose gate is a file of the workspace."""
    return TICKING.format(label=label, gate=gate, mark="true")
