"""How many cells a text takes on a terminal, and cutting it to fit."""

from __future__ import annotations

import unicodedata


def cell_width(text: str) -> int:
    """Return the number of terminal cells `text` takes: wide East Asian characters and emoji take two."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def crop(text: str, width: int, *, ellipsis: str = "…") -> str:
    """Return `text` cut to at most `width` cells, with an ellipsis where something was cut off."""
    if width <= 0:
        return ""
    if cell_width(text) <= width:
        return text
    kept: list[str] = []
    room = width - cell_width(ellipsis)
    for char in text:
        room -= _cells(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + ellipsis[: max(0, width)]
