"""Tables that fit: columns give way by rank, and a text that finds no room beside them goes below its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pawl.cli.terminal.cells import cell_width
from pawl.cli.terminal.lines import Line, Piece, Style, crop_line, line
from pawl.cli.terminal.screen import Screen
from pawl.cli.terminal.wrapping import wrap

_GAP = "  "
_WIDEST = 120
_LEAST_TEXT = 24
"""Cells below which a row's text is not worth reading beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        rank: 0 stays always; of the others the highest gives way first.
        right: whether it stands at the right edge of its cells.
        most: cells it takes at most.
    """

    title: str
    rank: int = 0
    right: bool = False
    most: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: one piece for each column, and a text of any length about it."""

    cells: Sequence[Piece]
    text: Piece | None = None


def draw_table(
    columns: Sequence[Column], rows: Sequence[Row], screen: Screen, *, text_title: str = ""
) -> list[Line]:
    """Return head and rows, none wider than the screen but for texts that stand on lines of their own."""
    width = min(screen.width, _WIDEST)
    widths = [
        min(
            column.most, max([cell_width(column.title), *(cell_width(row.cells[place].text) for row in rows)])
        )
        for place, column in enumerate(columns)
    ]
    shown = _choose(columns, widths, width)
    used = sum(widths[place] + len(_GAP) for place in shown)
    has_text = any(row.text is not None for row in rows)
    beside = has_text and width - used >= _LEAST_TEXT
    title = (Piece(text_title, Style.FAINT),) if beside else ()
    heads = [Piece(column.title, Style.FAINT) for column in columns]
    head = _cells(heads, columns, widths, shown, screen)
    lines = [_cropped((*head, *title) if beside else head[:-1], width, screen)]
    for row in rows:
        drawn = _cells(row.cells, columns, widths, shown, screen)
        text = (row.text,) if row.text is not None else ()
        lines.append(_cropped((*drawn, *text) if beside else drawn[:-1], width, screen))
        if text and not beside:
            lines += wrap(line("    ", *text), width)
    return lines


def _cropped(pieces: Line, width: int, screen: Screen) -> Line:
    return crop_line(pieces, width, ellipsis=screen.glyphs.ellipsis)


def _choose(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Return the places of the columns that there is room for."""
    shown = list(range(len(columns)))
    while sum(widths[place] + len(_GAP) for place in shown) - len(_GAP) > width:
        ranked = [place for place in shown if columns[place].rank]
        if not ranked:
            break
        shown.remove(max(ranked, key=lambda place: columns[place].rank))
    return shown


def _cells(
    cells: Sequence[Piece],
    columns: Sequence[Column],
    widths: Sequence[int],
    shown: Sequence[int],
    screen: Screen,
) -> Line:
    pieces: list[Piece] = []
    for place in shown:
        (cut,) = crop_line((cells[place],), widths[place], ellipsis=screen.glyphs.ellipsis) or (Piece(""),)
        blank = Piece(" " * (widths[place] - cell_width(cut.text)))
        pieces += [blank, cut] if columns[place].right else [cut, blank]
        pieces.append(Piece(_GAP))
    return tuple(pieces)
