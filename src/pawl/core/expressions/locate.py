"""From offsets in an expression's text to places in the file."""

from __future__ import annotations

import re
from bisect import bisect_right

from pawl.core.diagnostics import Position
from pawl.core.expressions.failure import Locate

_LINE_FEED = re.compile("\n")


def locate_from(start: Position, text: str) -> Locate:
    """Return the mapping for `text` that stands at `start`; lines after the first begin at column 1."""
    breaks: list[int] = []
    if "\n" in text:
        breaks = [match.start() for match in _LINE_FEED.finditer(text)]

    def locate(offset: int) -> Position:
        line = bisect_right(breaks, offset - 1)
        if line == 0:
            return Position(start.line, start.column + offset)
        return Position(start.line + line, offset - breaks[line - 1])

    return locate


def shifted(locate: Locate, by: int) -> Locate:
    """Return the mapping of a piece of text that begins `by` characters into the located one."""
    return lambda offset: locate(offset + by)


def pieced(pieces: list[tuple[int, int, Locate]]) -> Locate:
    """Return the mapping of a text put together from pieces.

    Args:
        pieces: for each, in order: where it begins in the new text, its length, and its own mapping.
            Offsets between pieces map to the nearest end of the piece before.
    """
    begins = [begin for begin, _, _ in pieces]

    def locate(offset: int) -> Position:
        index = max(bisect_right(begins, offset) - 1, 0)
        begin, length, own = pieces[index]
        return own(min(max(offset - begin, 0), length))

    return locate
