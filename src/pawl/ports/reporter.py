"""The reporter: who is told what a run does, as it does it."""

from __future__ import annotations

from typing import Protocol

from pawl.core.model.run_events import RunEvent


class Reporter(Protocol):
    """Draws, prints or stores the events of one run."""

    def report(self, event: RunEvent) -> None:
        """Take one event. Called in order, from the event loop; must return at once and not raise."""
