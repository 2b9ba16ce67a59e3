"""A run's log as the demo shows it: what is folded stays folded, and jobs go by their names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

_GROUP, _END = "##[group]", "##[endgroup]"


@dataclass(slots=True)
class Reading:
    """A reader of one run.

    Attributes:
        first: when the first line came, by `time.monotonic`; 0 before that.
        first_of_step: when the first of a step came: what stands before it is about the job's set-up.
    """

    first: float = 0.0
    first_of_step: float = 0.0
    _folded: dict[tuple[str, int], bool] = field(default_factory=dict)
    _begun: dict[tuple[str, int], str] = field(default_factory=dict)

    def lines(self, told: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        """Yield the name of the job and a line, for each line of the log that is not folded away."""
        names: dict[str, str] = {}
        for each in told:
            if "key" in each and "name" in each:
                names[each["job"]] = each["name"]
            if each["type"] != "log_appended":
                continue
            self.first = self.first or time.monotonic()
            if each["index"]:
                self.first_of_step = self.first_of_step or time.monotonic()
            for line in self._shown((each["job"], each["index"]), each["data"]):
                yield names.get(each["job"], each["job"]), line

    def _shown(self, step: tuple[str, int], data: str) -> Iterator[str]:
        *whole, rest = (self._begun.get(step, "") + data).split("\n")
        self._begun[step] = rest
        for line in whole:
            if line.startswith(_GROUP):
                self._folded[step] = True
                yield f"▾ {line.removeprefix(_GROUP)}"
            elif line.startswith(_END):
                self._folded[step] = False
            elif not self._folded.get(step) and line:
                yield line
