"""What the output stream can do, found out once."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import IO


def use_colour(choice: str, stream: IO[str]) -> bool:
    """Return whether to use colours: the option first, then NO_COLOR (no-color.org), then the terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() and os.environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The signs of statuses, for terminals with and without Unicode."""

    success: str = "✓"
    failure: str = "✗"
    cancelled: str = "⊘"
    skipped: str = "-"
    running: str = "●"
    waiting: str = "○"
    warning: str = "!"
    group: str = "▾"
    bar: str = "│"
    arrow: str = "›"  # noqa: RUF001 - meant: it separates names that may hold a `>`
    dot: str = "·"
    ellipsis: str = "…"


UNICODE = Glyphs()
ASCII = Glyphs(
    success="+",
    failure="x",
    cancelled="/",
    running="*",
    waiting="o",
    group="v",
    bar="|",
    arrow=">",
    dot="-",
    ellipsis="~",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """An output stream as drawing sees it. `width` and `height` are cells."""

    colour: bool
    is_terminal: bool
    glyphs: Glyphs
    width: int
    height: int


def look_at(stream: IO[str], *, colour: bool) -> Screen:
    """Return what `stream` can do. Without a terminal the width is 100 cells, or COLUMNS."""
    size = shutil.get_terminal_size((100, 24))
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return Screen(
        colour=colour,
        is_terminal=stream.isatty() and os.environ.get("TERM") != "dumb",
        glyphs=UNICODE if encoding.startswith("utf") else ASCII,
        width=max(20, size.columns),
        height=max(6, size.lines),
    )
