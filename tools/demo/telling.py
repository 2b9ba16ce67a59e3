"""What the demo prints: each step as it happens, with the seconds since the beginning."""

from __future__ import annotations

import sys
import textwrap
import threading
import time

import click

from pawl.cli.terminal.sanitise import one_line
from pawl.cli.terminal.screen import look_at, use_colour

_INDENT = 10


class Telling:
    """Writes lines, from whichever thread; on a terminal they are wrapped and coloured."""

    def __init__(self) -> None:
        """Begin the time, on standard output."""
        stream = sys.stdout
        self._stream = stream
        self._screen = look_at(stream, colour=use_colour("auto", stream))
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def step(self, text: str) -> None:
        """Tell what happens now."""
        self._write(self._time(), text, bold=True)

    def fact(self, text: str, *, colour: str | None = None) -> None:
        """Tell what came of it, or how it goes on."""
        self._write(self._time(), text, fg=colour)

    def line(self, text: str) -> None:
        """Write a line of a log."""
        self._write(self._time(), f"{self._screen.glyphs.bar} {text}", dim=True)

    def plain(self, text: str = "") -> None:
        """Write a line that is of no moment."""
        self._write("", text)

    def _time(self) -> str:
        return f"{time.monotonic() - self._began:6.2f} s"

    def _write(self, before: str, text: str, *, fg: str | None = None, **style: bool) -> None:
        text = one_line(text) if text else text
        lines = [text]
        if self._screen.is_terminal:
            width = max(20, self._screen.width - _INDENT - 1)
            lines = textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False) or [""]
        with self._lock:
            for line in lines:
                shown = click.style(line, fg=fg, **style) if self._screen.colour and line else line
                self._stream.write(f"{before:<{_INDENT}}{shown}".rstrip() + "\n")
                before = ""
            self._stream.flush()
