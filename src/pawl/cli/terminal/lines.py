"""Lines made of styled pieces: drawing makes them, one place turns them into bytes for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pawl.cli.terminal.cells import cell_width, crop


class Style(StrEnum):
    """What a piece of a line means. The eight basic colours only, so the user's theme decides."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    GOOD = "32"
    BAD = "31"
    BAD_STRONG = "1;31"
    WARN = "33"
    NOTE = "36"
    LINK = "34"
    OTHER = "35"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text in one style. The text has no control characters and no newline."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Piece, ...]


def line(*pieces: Piece | str) -> Line:
    """Return a line of `pieces`; plain strings are plain pieces."""
    return tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces)


def width_of(pieces: Iterable[Piece]) -> int:
    """Return how many cells the pieces take."""
    return sum(cell_width(piece.text) for piece in pieces)


def fit(left: Line, right: Piece, width: int, *, ellipsis: str = "…") -> Line:
    """Return one line of exactly `width` cells at most: `left` cut as needed, `right` at the right edge."""
    room = width - cell_width(right.text) - 1
    kept = crop_line(left, room, ellipsis=ellipsis)
    gap = width - width_of(kept) - cell_width(right.text)
    return (*kept, Piece(" " * max(1, gap)), right) if right.text else kept


def crop_line(pieces: Line, width: int, *, ellipsis: str = "…") -> Line:
    """Return `pieces` cut to `width` cells."""
    kept: list[Piece] = []
    for piece in pieces:
        room = width - width_of(kept)
        if room <= 0:
            break
        kept.append(Piece(crop(piece.text, room, ellipsis=ellipsis), piece.style))
        if kept[-1].text != piece.text:
            break
    return tuple(kept)


def to_text(pieces: Line, *, colour: bool) -> str:
    """Return the line as text, with SGR colours if `colour`; trailing blanks are dropped."""
    if not colour:
        return "".join(piece.text for piece in pieces).rstrip()
    return "".join(
        f"\x1b[{piece.style.value}m{piece.text}\x1b[0m" if piece.style.value else piece.text
        for piece in pieces
    ).rstrip(" ")
