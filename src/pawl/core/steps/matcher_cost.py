"""What a regular expression can cost: its tree, the loops that can explode, the places it can divide a text.

Used by `matcher_regex`, which says why this is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

ALL = (1 << 129) - 1
"""The mask of every character."""

OTHER = 1 << 128
"""In a mask: every character beyond ASCII."""

_MAX_POSITIONS = 200
_FOLLOWERS = 12
_FEW = 3  # a repetition of at most so many is written out in thought: a constant factor


class RegexError(ValueError):
    """The expression is not valid, not supported, or too costly."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One character out of `mask`, which has a bit for each ASCII character and one for all others."""

    mask: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """An anchor or a look-around: takes no character."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same again, from `low` to `high` times; None is without end."""

    item: Node
    low: int
    high: int | None


Node = Atom | Nothing | Sequence | Choice | Repeat


def _is_loop(node: Node) -> bool:
    return isinstance(node, Repeat) and (node.high is None or node.high > _FEW)


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Sequence(items):
            return items
        case Choice(options):
            return options
        case Repeat(item, _, _):
            return (item,)
        case _:
            return ()


def contains_loop(node: Node) -> bool:
    """Return whether something in `node` can repeat more than a few times."""
    return _is_loop(node) or any(contains_loop(child) for child in _children(node))


def _varies(node: Node) -> bool:
    """Return whether `node` can match one text in more than one way or length."""
    if isinstance(node, Choice) or (isinstance(node, Repeat) and node.low != node.high):
        return True
    return any(_varies(child) for child in _children(node))


def check_loops(node: Node) -> None:
    """Refuse loops in loops that can divide one text in several ways: they take exponential time."""
    if isinstance(node, Repeat) and _is_loop(node) and _varies(node.item):
        _Positions().check_loop(node)
    for child in _children(node):
        check_loops(child)


@dataclass(frozen=True, slots=True)
class _Edges:
    nullable: bool
    first: tuple[int, ...]
    last: tuple[int, ...]


class _Positions:
    """The positions of a loop's body and which may follow which (Glushkov's construction).

    If no position is followed by two that share a character, nor by one in two ways, there is only one
    way through any text, and the loop takes linear time.
    """

    def __init__(self) -> None:
        self._masks: list[int] = []
        self._pairs: set[tuple[int, int]] = set()
        self._follow: dict[int, int] = {}

    def check_loop(self, loop: Repeat) -> None:
        edges = self._edges(loop)
        self._disjoint(edges.first)

    def _edges(self, node: Node) -> _Edges:
        match node:
            case Atom(mask):
                if len(self._masks) >= _MAX_POSITIONS:
                    raise RegexError("a repeated group is too large")
                self._masks.append(mask)
                own = (len(self._masks) - 1,)
                return _Edges(nullable=False, first=own, last=own)
            case Nothing():
                return _Edges(nullable=True, first=(), last=())
            case Sequence(items):
                return self._sequence(items)
            case Choice(options):
                parts = [self._edges(option) for option in options]
                return _Edges(
                    any(part.nullable for part in parts),
                    tuple(position for part in parts for position in part.first),
                    tuple(position for part in parts for position in part.last),
                )
            case Repeat(item, low, _):
                inner = self._edges(item)
                if _is_loop(node):
                    if inner.nullable:
                        raise RegexError("a repeated group that can be empty")
                    self._join(inner.last, inner.first)
                return _Edges(inner.nullable or low == 0, inner.first, inner.last)

    def _sequence(self, items: tuple[Node, ...]) -> _Edges:
        whole = _Edges(nullable=True, first=(), last=())
        for item in items:
            part = self._edges(item)
            self._join(whole.last, part.first)
            whole = _Edges(
                whole.nullable and part.nullable,
                whole.first + part.first if whole.nullable else whole.first,
                whole.last + part.last if part.nullable else part.last,
            )
        return whole

    def _join(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        for left in before:
            for right in after:
                mask = self._masks[right]
                if (left, right) in self._pairs or self._follow.get(left, 0) & mask:
                    raise RegexError("a repetition inside a repetition can take exponential time")
                self._pairs.add((left, right))
                self._follow[left] = self._follow.get(left, 0) | mask

    def _disjoint(self, positions: tuple[int, ...]) -> None:
        seen = 0
        for position in positions:
            if seen & self._masks[position]:
                raise RegexError("the alternatives of a repeated group can start alike")
            seen |= self._masks[position]


def splits_of(node: Node, after: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Return, for each loop that may end in several places, the masks of the characters that must follow.

    `after` is what must follow `node`; empty at the end of the expression, where any end will do.
    """
    match node:
        case Sequence(items):
            found: list[tuple[int, ...]] = []
            for item in reversed(items):
                found = splits_of(item, after) + found
                after = _before(item, after)
            return found
        case Choice(options):
            return [masks for option in options for masks in splits_of(option, after)]
        case Repeat() if _is_loop(node):
            return [after] if after and _taken(node) & after[0] else []
        case Repeat(item, _, _):
            first = _first(item)[0]
            return splits_of(item, (first | after[0],) if after else (ALL,))
        case _:
            return []


def _before(node: Node, after: tuple[int, ...]) -> tuple[int, ...]:
    """Return the masks of the characters with which `node`, and then `after`, must start."""
    match node:
        case Atom(mask):
            return (mask, *after[: _FOLLOWERS - 1])
        case Nothing():
            return after
        case Sequence(items):
            for item in reversed(items):
                after = _before(item, after)
            return after
        case _:
            first, nullable = _first(node)
            if not nullable:
                return (first,)
            return (first | after[0],) if after else (ALL,)


def _taken(node: Node) -> int:
    if isinstance(node, Atom):
        return node.mask
    taken = 0
    for child in _children(node):
        taken |= _taken(child)
    return taken


def _first(node: Node) -> tuple[int, bool]:
    """Return what `node` can start with, and whether it can be empty."""
    match node:
        case Atom(mask):
            return mask, False
        case Nothing():
            return 0, True
        case Choice(options):
            parts = [_first(option) for option in options]
            mask = 0
            for part, _ in parts:
                mask |= part
            return mask, any(nullable for _, nullable in parts)
        case Repeat(item, low, _):
            mask, nullable = _first(item)
            return mask, nullable or low == 0
        case Sequence(items):
            whole = 0
            for item in items:
                mask, nullable = _first(item)
                whole |= mask
                if not nullable:
                    return whole, False
            return whole, True
