"""The YAML tree with positions: what the composer makes and everything after it reads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pawl.core.diagnostics import Position, Span
from pawl.core.model.plan import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A scalar: its value after the YAML 1.2 core schema, and its text as the file means it.

    Attributes:
        value: None, a boolean, a number or a string.
        text: the text after unquoting and folding (`value` of a string).
        place: where it stands, quotes included: line and column of its begin and of its end. Plain numbers:
            a large file has tens of thousands, and few are ever asked for their span.
        style: `plain`, `single`, `double`, `literal` or `folded`.
        content_start: for a literal block, the place of its first character.
        content_lines: for any other scalar over several lines that holds `${{`: for each line of the file
            the offset in `text` where it begins, and the place of that character.
    """

    value: bool | int | float | str | None
    text: str
    place: tuple[int, int, int, int]
    style: str = "plain"
    content_start: Position | None = None
    content_lines: tuple[tuple[int, Position], ...] = ()

    @property
    def span(self) -> Span:
        """Where it stands, quotes included."""
        line, column, end_line, end_column = self.place
        return Span(Position(line, column), Position(end_line, end_column))

    def locate(self, offset: int) -> Position:
        """Return the place in the file of character `offset` of `text` (a near one behind an escape)."""
        if self.content_start is not None:
            first = self.text.rfind("\n", 0, offset) + 1
            line = self.content_start.line + self.text.count("\n", 0, offset)
            return Position(line, self.content_start.column + offset - first)
        if self.content_lines:
            begin, place = self.content_lines[
                bisect_right(self.content_lines, offset, key=lambda at: at[0]) - 1
            ]
            return Position(place.line, place.column + offset - begin)
        quote = 1 if self.style in {"single", "double"} else 0
        return Position(self.place[0], self.place[1] + quote + offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Keys and values in the file's order. Merge keys and aliases are already resolved."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, exact spelling, or None."""
        for name, value in self.entries:
            if name.text == key:
                return value
        return None

    def by_name(self) -> dict[str, Node]:
        """Return the values by key, for looking up many of them."""
        return {name.text: value for name, value in self.entries}

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self.entries)


Node: TypeAlias = "Scalar | Sequence | Mapping"


def to_json(node: Node | None) -> Json:
    """Return the plain data of a tree; strings that hold `${{` stay templates."""
    match node:
        case None:
            return None
        case Scalar():
            return node.value
        case Sequence():
            return [to_json(item) for item in node.items]
        case Mapping():
            return {key.text: to_json(value) for key, value in node.entries}
