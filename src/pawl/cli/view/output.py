"""Writing a view's text: a reader that went away ends the view, never the run."""

from __future__ import annotations

import sys

from pawl.cli.errors import silence_stdout


class Output:
    """Writes to standard output and keeps quiet once nobody reads it any more."""

    def __init__(self) -> None:
        self.is_open = True

    def write(self, text: str) -> None:
        """Write `text` and flush; never raises for a closed pipe or a full disk."""
        if not self.is_open:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            self.is_open = False
            silence_stdout()
