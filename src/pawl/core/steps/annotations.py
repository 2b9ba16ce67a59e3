"""Annotations: the notices, warnings and errors a step reports about its own work.

They come from workflow commands (`::error file=a.py,line=3::text`) and from problem matchers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

MAX_MESSAGE = 16_384
"""Characters of a message that are kept: enough for any report, and a flood stays small."""


class AnnotationLevel(StrEnum):
    """How much an annotation matters to its reader; none of them fails a step."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One remark about the user's files, made by a step.

    Attributes:
        level: notice, warning or error.
        message: the text, at most `MAX_MESSAGE` characters.
        properties: `file`, `line`, `endLine`, `col`, `endColumn`, `title`, `code` where known, all as
            written and consistent with each other (see `consistent_places`).
    """

    level: AnnotationLevel
    message: str
    properties: Mapping[str, str]


def annotation(level: AnnotationLevel, message: str, properties: Mapping[str, str]) -> Annotation:
    """Return the annotation with its message bounded and its places made consistent."""
    return Annotation(
        level=level,
        message=message[:MAX_MESSAGE],
        properties=MappingProxyType(consistent_places(properties)),
    )


def consistent_places(properties: Mapping[str, str]) -> dict[str, str]:
    """Return `properties` without the line and column values that contradict each other.

    An end without a start becomes the start; columns need a line and a range within one line; an end
    before its start drops both. Property names ignore case and keep their spelling. Source:
    actions/runner ActionCommandManager.cs, ValidateLinesAndColumns, step by step.
    """
    places = _Places(dict(properties))
    places.start_from_end("line", "endLine")
    places.start_from_end("col", "endColumn")
    has_column = places.number("col") is not None or places.number("endColumn") is not None
    if has_column and places.number("line") is None:
        places.drop("col", "endColumn")
    if has_column and places.number("endLine") is not None and places.text("line") != places.text("endLine"):
        places.drop("col", "endColumn")
    places.drop_reversed("line", "endLine")
    places.drop_reversed("col", "endColumn")
    return places.values


class _Places:
    """The properties under correction, looked up ignoring case."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def _key(self, name: str) -> str | None:
        folded = name.lower()
        return next((key for key in self.values if key.lower() == folded), None)

    def text(self, name: str) -> str | None:
        key = self._key(name)
        return None if key is None else self.values[key]

    def number(self, name: str) -> int | None:
        return parse_int32(self.text(name))

    def start_from_end(self, start: str, end: str) -> None:
        if self.number(start) is None and self.number(end) is not None:
            self.values[self._key(start) or start] = self.text(end) or ""

    def drop(self, *names: str) -> None:
        for name in names:
            key = self._key(name)
            if key is not None:
                del self.values[key]

    def drop_reversed(self, start: str, end: str) -> None:
        first, last = self.number(start), self.number(end)
        if first is not None and last is not None and last < first:
            self.drop(start, end)


def parse_int32(text: str | None) -> int | None:
    """Return the 32-bit number that .NET's int.TryParse reads from `text`, or None."""
    if text is None or len(text) > 64:  # far more than any number needs
        return None
    digits = text.strip(" \t\n\v\f\r\0")
    sign, magnitude = (digits[0], digits[1:]) if digits[:1] in ("+", "-") else ("", digits)
    if not (magnitude.isascii() and magnitude.isdigit()):
        return None
    value = int(sign + magnitude)
    return value if -(2**31) <= value < 2**31 else None
