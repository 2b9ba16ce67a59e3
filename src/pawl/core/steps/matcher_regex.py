"""The regular expressions of problem matchers: read as .NET reads them, and bounded in what they cost.

A problem matcher is user text that must run as a regular expression, and Python cannot interrupt one. So
the text is parsed here, which gives three things: a Python pattern with the same meaning (.NET with
RegexOptions.ECMAScript, actions/runner IssueMatcher.cs), the refusal of expressions that can backtrack
exponentially, and for each line an upper bound of the steps, so that a costly line is skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

MAX_LENGTH = 2000
"""Characters of an expression."""

MAX_LINE = 4096
"""Characters of a line that are matched; longer lines never match."""

MAX_STEPS = 4_000_000
"""Upper bound of backtracking steps for one line, about a tenth of a second."""

_MAX_DEPTH = 30
_MAX_POSITIONS = 200
_FOLLOWERS = 12
_FEW = 3  # a repetition of at most so many is written out in thought: a constant factor
_OTHER = 1 << 128  # in a mask: every character beyond ASCII
_ALL = (1 << 129) - 1
_DIGIT = sum(1 << code for code in range(ord("0"), ord("9") + 1))
_WORD = _DIGIT | sum(1 << ord(letter) for letter in "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPACE = sum(1 << ord(blank) for blank in " \t\n\r\f\v")
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b", "0": "\0"}


class RegexError(ValueError):
    """The expression is not valid, not supported, or too costly."""


@dataclass(frozen=True, slots=True)
class _Atom:
    """One character out of `mask`, which has a bit for each ASCII character and one for all others."""

    mask: int


@dataclass(frozen=True, slots=True)
class _Nothing:
    """An anchor or a look-around: takes no character."""


@dataclass(frozen=True, slots=True)
class _Sequence:
    items: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    item: _Node
    low: int
    high: int | None


_Node = _Atom | _Nothing | _Sequence | _Choice | _Repeat


@dataclass(frozen=True)
class MatcherRegex:
    """A compiled expression of a problem matcher."""

    pattern: re.Pattern[str]
    groups: tuple[int, ...]  # .NET's group number -> Python's
    splits: tuple[tuple[int, ...], ...]  # for each loop that can end in several places: what must follow
    anchored: bool

    @property
    def group_count(self) -> int:
        """The number of groups, the whole match included."""
        return len(self.groups)

    @cached_property
    def _followers(self) -> tuple[re.Pattern[str] | None, ...]:
        return tuple(
            None if masks == (_ALL,) else re.compile(f"(?={''.join(map(_class_of, masks))})")
            for masks in self.splits
        )

    def steps(self, line: str) -> int:
        """Return an upper bound (up to a small factor) of what matching `line` costs."""
        length = len(line) + 1
        cost = length if self.anchored else length * length
        if cost * length ** len(self.splits) <= MAX_STEPS:
            return cost
        for follower in self._followers:
            cost *= length if follower is None else len(follower.findall(line)) + 1
        return cost

    def match(self, line: str) -> tuple[str, ...] | None:
        """Return the groups of the match in .NET's order, '' for one that took no part; None without match.

        A line that is too long, or would cost too much, does not match.
        """
        if len(line) > MAX_LINE or self.steps(line) > MAX_STEPS:
            return None
        found = self.pattern.search(line)
        return None if found is None else tuple(found[number] or "" for number in self.groups)


def compile_regex(text: str) -> MatcherRegex:
    """Return the expression `text`, ready to match.

    Raises:
        RegexError: it is not valid in .NET, uses what is not supported (back references, Unicode
            categories), or could take exponential time.
    """
    if len(text) > MAX_LENGTH:
        raise RegexError(f"an expression of {len(text)} characters; at most {MAX_LENGTH} are allowed")
    reader = _Reader(text)
    tree = reader.read()
    _check_loops(tree)
    try:
        pattern = re.compile("".join(reader.python), re.ASCII | (re.IGNORECASE if reader.ignore_case else 0))
    except (re.error, OverflowError, RecursionError) as fault:
        raise RegexError(str(fault)) from fault
    groups = (0, *reader.unnamed, *reader.named)
    splits = (*_splits(tree), *((_ALL,),) * reader.looks)
    return MatcherRegex(pattern, groups, splits, anchored=_is_anchored(tree, text))


class _Reader:
    """Reads an expression once, building the tree and the Python text."""

    def __init__(self, text: str) -> None:
        self.ignore_case = text.startswith("(?i)")
        self.text = text.removeprefix("(?i)")
        self.at = 0
        self.python: list[str] = []
        self.unnamed: list[int] = []
        self.named: list[int] = []
        self.depth = 0
        self.looks = 0  # look-arounds that may read the whole line at each place

    def read(self) -> _Node:
        tree = self._choice()
        if self.at < len(self.text):
            raise RegexError(f"unexpected `)` at {self.at + 1}")
        return tree

    def _peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def _take(self, length: int = 1) -> str:
        taken = self._peek(length)
        if len(taken) < length:
            raise RegexError("the expression ends too early")
        self.at += length
        return taken

    def _choice(self) -> _Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise RegexError(f"groups are nested more than {_MAX_DEPTH} deep")
        options = [self._sequence()]
        while self._peek() == "|":
            self.python.append(self._take())
            options.append(self._sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else _Choice(tuple(options))

    def _sequence(self) -> _Node:
        items: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            items.append(self._repeated(self._single()))
        return _Sequence(tuple(items))

    def _single(self) -> _Node:
        character = self._take()
        if character in "*+?":
            raise RegexError(f"nothing to repeat before `{character}` at {self.at}")
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "^" | "$":
                self.python.append(character)
                return _Nothing()
            case ".":
                self.python.append(".")
                return _Atom(_ALL & ~(1 << 10))
            case _:
                return self._literal(character)

    def _literal(self, character: str) -> _Atom:
        self.python.append(re.escape(character))
        return _Atom(self._mask(character))

    def _mask(self, character: str) -> int:
        cases = {character, character.lower(), character.upper()} if self.ignore_case else {character}
        mask = 0
        for case in cases:
            mask |= 1 << ord(case) if len(case) == 1 and case.isascii() else _OTHER
        return mask

    def _group(self) -> _Node:
        for opening in ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"):
            if self.text.startswith(opening[1:], self.at):
                self.at += len(opening) - 1
                self.python.append(opening)
                inner = self._group_end()
                if opening in ("(?:", "(?>"):
                    return inner
                return self._look_around(inner)
        number = len(self.unnamed) + len(self.named) + 1
        if self._peek() == "?":
            named = re.compile(r"\?(?:<([A-Za-z_]\w{0,99})>|'([A-Za-z_]\w{0,99})')").match(self.text, self.at)
            if named is None:
                raise RegexError(f"a group that is not supported at {self.at}")
            self.at = named.end()
            self.named.append(number)
        else:
            self.unnamed.append(number)
        self.python.append("(")
        return self._group_end()

    def _look_around(self, inner: _Node) -> _Node:
        _check_loops(inner)
        self.looks += _contains_loop(inner)
        return _Nothing()

    def _group_end(self) -> _Node:
        inner = self._choice()
        if self._peek() != ")":
            raise RegexError("a group is not closed")
        self.python.append(self._take())
        return inner

    def _escape(self) -> _Node:
        mask, python = self._escaped(in_class=False)
        self.python.append(python)
        return _Nothing() if mask is None else _Atom(mask)

    def _escaped(self, *, in_class: bool) -> tuple[int | None, str]:
        r"""Read what follows a `\`; return its mask (None for no character) and its Python text."""
        character = self._take()
        if character.lower() in _CLASSES:
            mask = _CLASSES[character.lower()]
            return (mask if character.islower() else _ALL & ~mask), "\\" + character
        if character in "bB" and not in_class:
            return None, "\\" + character
        plain = self._plain_escape(character)
        return self._mask(plain), re.escape(plain)

    def _plain_escape(self, character: str) -> str:
        if character in "xu":
            digits = self._take(2 if character == "x" else 4)
            if not re.fullmatch(r"[0-9A-Fa-f]+", digits):
                raise RegexError(f"`\\{character}{digits}` is not a character")
            return chr(int(digits, 16))
        if character == "b":
            return "\b"
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character.isascii() and character.isalnum():
            raise RegexError(f"`\\{character}` is not supported")
        return character

    def _class(self) -> _Atom:
        negated = self._peek() == "^"
        self.at += negated
        mask, items, first = 0, ["[^" if negated else "["], True
        while first or self._peek() != "]":
            first = False
            low, python, single = self._member()
            if single is not None and self._peek() == "-" and self._peek(2) not in ("-]", "-"):
                self._take()
                _, end, last = self._member()
                if last is None or ord(last) < ord(single):
                    raise RegexError(f"a range the wrong way round before {self.at}")
                low, python = self._range(single, last), f"{python}-{end}"
            mask |= low
            items.append(python)
        self._take()
        self.python += (*items, "]")
        return _Atom(_ALL & ~mask if negated else mask)

    def _member(self) -> tuple[int, str, str | None]:
        """Read one member of a class: its mask, its Python text, and the character if it is just one."""
        character = self._take()
        if character != "\\":
            return self._mask(character), _in_class(character), character
        start = self.at
        mask, python = self._escaped(in_class=True)
        if self.text[start].lower() in _CLASSES:
            return mask or 0, python, None
        self.at, end = start + 1, self.at
        single = self._plain_escape(self.text[start])
        self.at = end
        return mask or 0, _in_class(single), single

    def _range(self, low: str, high: str) -> int:
        mask = _OTHER if ord(high) > 0x7F else 0
        for code in range(ord(low), min(ord(high), 0x7F) + 1):
            mask |= self._mask(chr(code))
        return mask

    def _repeated(self, item: _Node) -> _Node:
        bounds = self._bounds()
        if bounds is None:
            return item
        if self._peek() == "?":
            self.python.append(self._take())
        if self._peek() in ("*", "+", "?"):
            raise RegexError(f"a repetition of a repetition at {self.at + 1}")
        return _Repeat(item, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self._peek())
        if simple is not None:
            self.python.append(self._take())
            return simple
        counted = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}").match(self.text, self.at)
        if counted is None:
            return None
        self.at = counted.end()
        self.python.append(counted[0])
        low = int(counted[1])
        high = low if counted[2] is None else int(counted[3]) if counted[3] else None
        if high is not None and high < low:
            raise RegexError(f"`{counted[0]}` is the wrong way round")
        return low, high


def _in_class(character: str) -> str:
    return f"\\U{ord(character):08x}"


def _class_of(mask: int) -> str:
    members = "".join(_in_class(chr(code)) for code in range(128) if mask >> code & 1)
    beyond = "\\U00000080-\\U0010ffff" if mask & _OTHER else ""
    return f"[{members}{beyond}]" if members or beyond else "(?!)"


def _is_loop(node: _Node) -> bool:
    return isinstance(node, _Repeat) and (node.high is None or node.high > _FEW)


def _children(node: _Node) -> tuple[_Node, ...]:
    match node:
        case _Sequence(items):
            return items
        case _Choice(options):
            return options
        case _Repeat(item, _, _):
            return (item,)
        case _:
            return ()


def _contains_loop(node: _Node) -> bool:
    return _is_loop(node) or any(_contains_loop(child) for child in _children(node))


def _varies(node: _Node) -> bool:
    """Return whether `node` can match one text in more than one way or length."""
    if isinstance(node, _Choice) or (isinstance(node, _Repeat) and node.low != node.high):
        return True
    return any(_varies(child) for child in _children(node))


def _check_loops(node: _Node) -> None:
    """Refuse loops in loops that can divide one text in several ways: they take exponential time."""
    if isinstance(node, _Repeat) and _is_loop(node) and _varies(node.item):
        _Positions().check_loop(node)
    for child in _children(node):
        _check_loops(child)


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

    def check_loop(self, loop: _Repeat) -> None:
        edges = self._edges(loop)
        self._disjoint(edges.first)

    def _edges(self, node: _Node) -> _Edges:
        match node:
            case _Atom(mask):
                if len(self._masks) >= _MAX_POSITIONS:
                    raise RegexError("a repeated group is too large")
                self._masks.append(mask)
                own = (len(self._masks) - 1,)
                return _Edges(nullable=False, first=own, last=own)
            case _Nothing():
                return _Edges(nullable=True, first=(), last=())
            case _Sequence(items):
                return self._sequence(items)
            case _Choice(options):
                parts = [self._edges(option) for option in options]
                return _Edges(
                    any(part.nullable for part in parts),
                    tuple(position for part in parts for position in part.first),
                    tuple(position for part in parts for position in part.last),
                )
            case _Repeat(item, low, _):
                inner = self._edges(item)
                if _is_loop(node):
                    if inner.nullable:
                        raise RegexError("a repeated group that can be empty")
                    self._join(inner.last, inner.first)
                return _Edges(inner.nullable or low == 0, inner.first, inner.last)

    def _sequence(self, items: tuple[_Node, ...]) -> _Edges:
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


def _splits(node: _Node, after: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Return, for each loop that may end in several places, the masks of the characters that must follow.

    `after` is what must follow `node`; empty at the end of the expression, where any end will do.
    """
    match node:
        case _Sequence(items):
            found: list[tuple[int, ...]] = []
            for item in reversed(items):
                found = _splits(item, after) + found
                after = _before(item, after)
            return found
        case _Choice(options):
            return [masks for option in options for masks in _splits(option, after)]
        case _Repeat() if _is_loop(node):
            return [after] if after and _taken(node) & after[0] else []
        case _Repeat(item, _, _):
            first = _first(item)[0]
            return _splits(item, (first | after[0],) if after else (_ALL,))
        case _:
            return []


def _before(node: _Node, after: tuple[int, ...]) -> tuple[int, ...]:
    """Return the masks of the characters with which `node`, and then `after`, must start."""
    match node:
        case _Atom(mask):
            return (mask, *after[: _FOLLOWERS - 1])
        case _Nothing():
            return after
        case _Sequence(items):
            for item in reversed(items):
                after = _before(item, after)
            return after
        case _:
            first, nullable = _first(node)
            if not nullable:
                return (first,)
            return (first | after[0],) if after else (_ALL,)


def _taken(node: _Node) -> int:
    if isinstance(node, _Atom):
        return node.mask
    taken = 0
    for child in _children(node):
        taken |= _taken(child)
    return taken


def _first(node: _Node) -> tuple[int, bool]:
    """Return what `node` can start with, and whether it can be empty."""
    match node:
        case _Atom(mask):
            return mask, False
        case _Nothing():
            return 0, True
        case _Choice(options):
            parts = [_first(option) for option in options]
            mask = 0
            for part, _ in parts:
                mask |= part
            return mask, any(nullable for _, nullable in parts)
        case _Repeat(item, low, _):
            mask, nullable = _first(item)
            return mask, nullable or low == 0
        case _Sequence(items):
            whole = 0
            for item in items:
                mask, nullable = _first(item)
                whole |= mask
                if not nullable:
                    return whole, False
            return whole, True


def _is_anchored(tree: _Node, text: str) -> bool:
    return text.removeprefix("(?i)").startswith("^") and not isinstance(tree, _Choice)
