"""The view for programs: one event a line, as JSON (docs/reference/events.md)."""

from __future__ import annotations

import json
from collections.abc import Callable

from pawl.core.model.run_events import RunEvent, to_json


class JsonView:
    """Writes each event as one line of JSON. `write` must not raise."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def report(self, event: RunEvent) -> None:
        """Take one event (ports.reporter)."""
        # ASCII only: a terminal shows escapes, so nothing from outside can steer it.
        self._write(json.dumps(to_json(event), separators=(",", ":")) + "\n")
