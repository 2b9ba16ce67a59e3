"""Log bytes to lines for people: split, decoded, sieved, with the runner's markers understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pawl.cli.terminal.sanitise import sanitise

MOST_LINE_BYTES = 64 * 1024
"""A longer line is shown in pieces of this size."""

# `##[name]text` as the runner writes it into logs, and `::name props::text` as a step wrote it.
_MARKER = re.compile(
    r"(?:##\[(?P<hash>[a-z]+)\]|::(?P<colons>[a-z]+)(?: [^\n]{0,2000}?)?::)(?P<text>.*)", re.DOTALL
)
_KNOWN = frozenset({"group", "endgroup", "error", "warning", "notice", "debug", "command", "section"})


# As steps and actions begin their logs (engine/execution/steps/script.py, engine/execution/actions).
_HEADER = b"##[group]Run "
_HEADER_END = b"##[endgroup]"


class Marker(StrEnum):
    """What a line of a log is."""

    TEXT = "text"
    GROUP = "group"
    END_GROUP = "endgroup"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    DEBUG = "debug"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line fit for a terminal."""

    marker: Marker
    text: str


def read_line(raw: bytes, *, colour: bool) -> ShownLine:
    """Return a log line (bytes without newline) as it is to be shown."""
    text = raw.decode("utf-8", "replace")
    if text.startswith(("##[", "::")) and (match := _MARKER.match(text)):
        name = match["hash"] or match["colons"]
        if name in _KNOWN:
            marker = Marker.GROUP if name == "section" else Marker(name)
            return ShownLine(marker, sanitise(_unescape(match["text"]), colour=colour))
    return ShownLine(Marker.TEXT, sanitise(text, colour=colour))


def _unescape(text: str) -> str:
    # The data of a workflow command is escaped (GitHub docs, workflow commands).
    if "%" not in text:
        return text
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def harmless_text(block: bytes) -> str | None:
    """Return a block of whole lines as text when no line of it needs care, else None.

    Nearly all output is of this kind, and a step may write gigabytes: lines are not looked at one by one.
    """
    if not block.endswith(b"\n") or b"\x1b" in block:
        return None
    text = block.decode("utf-8", "replace")
    if "\n::" in text or "##[" in text or text.startswith("::"):
        return None
    return text if text.replace("\n", "").replace("\t", "").isprintable() else None


class HeaderSieve:
    """Takes the header out of a step's log: its script, shell and variables, which the first group holds.

    A view that shows a run as it goes has the step's name; the stored log keeps all of it.
    """

    def __init__(self) -> None:
        self.is_first = True
        self._in_header = False

    @property
    def is_over(self) -> bool:
        """Return whether every further line is the step's own."""
        return not (self.is_first or self._in_header)

    def keep(self, raw: bytes) -> bool:
        """Return whether a line, given in the log's order, is not of the header."""
        if self.is_first:
            self.is_first, self._in_header = False, raw.startswith(_HEADER)
            return not self._in_header
        if self._in_header:
            self._in_header = not raw.startswith(_HEADER_END)
            return False
        return True


class LineSplitter:
    """Puts blocks of one stream together to lines; holds at most `MOST_LINE_BYTES`."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def is_empty(self) -> bool:
        """Return whether no half line is held."""
        return not self._held

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes, without their newlines."""
        *lines, rest = (self._held + data).split(b"\n")
        yield from lines
        while len(rest) > MOST_LINE_BYTES:
            yield rest[:MOST_LINE_BYTES]
            rest = rest[MOST_LINE_BYTES:]
        self._held = rest

    def flush(self) -> Iterator[bytes]:
        """Yield what is left without a newline at its end, if anything."""
        if self._held:
            yield self._held
        self._held = b""
