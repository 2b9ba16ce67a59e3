"""Wrapping lines at words, so that a narrow terminal shows a text as a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pawl.cli.terminal.cells import cell_width
from pawl.cli.terminal.lines import Line, Piece, to_text, width_of
from pawl.cli.terminal.screen import Screen

_WORD = re.compile(r"\s+|\S+")
_HANGING = 4


def draw_lines(lines: Iterable[Line], screen: Screen) -> Iterator[str]:
    """Yield the lines as text; on a terminal, those that are too wide are wrapped."""
    for one in lines:
        for part in wrap(one, screen.width) if screen.is_terminal else (one,):
            yield to_text(part, colour=screen.colour)


def wrap(pieces: Line, width: int) -> Iterator[Line]:
    """Yield `pieces` on as many lines as they need; later ones are indented a little more than the first.

    Lines with colours of their own (logs), and with a word that no line has room for (addresses, progress
    bars), are left as they are: a terminal wraps them itself, and they can be copied whole.
    """
    if width_of(pieces) <= width or any("\x1b" in piece.text for piece in pieces):
        yield pieces
        return
    text = "".join(piece.text for piece in pieces)
    indent = min(len(text) - len(text.lstrip()) + _HANGING, width // 3)
    if any(cell_width(word) > width - indent for word in text.split()):
        yield pieces
        return
    current: list[Piece] = []
    used = 0
    for word, style in ((word, piece.style) for piece in pieces for word in _WORD.findall(piece.text)):
        cells = cell_width(word)
        if used + cells > width and used > indent:
            yield tuple(current)
            current, used = [Piece(" " * indent)], indent
            if word.isspace():
                continue
        current.append(Piece(word, style))
        used += cells
    yield tuple(current)
