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

from pawl.core.steps.matcher_cost import (
    ALL,
    OTHER,
    Atom,
    Choice,
    Node,
    Nothing,
    RegexError,
    Repeat,
    Sequence,
    check_loops,
    contains_loop,
    splits_of,
)

__all__ = ["MAX_LENGTH", "MAX_LINE", "MAX_STEPS", "MatcherRegex", "RegexError", "compile_regex"]

MAX_LENGTH = 2000
"""Characters of an expression."""

MAX_LINE = 4096
"""Characters of a line that are matched; longer lines never match."""

MAX_STEPS = 4_000_000
"""Upper bound of backtracking steps for one line, about a tenth of a second."""

_MAX_DEPTH = 30
_DIGIT = sum(1 << code for code in range(ord("0"), ord("9") + 1))
_WORD = _DIGIT | sum(1 << ord(letter) for letter in "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPACE = sum(1 << ord(blank) for blank in " \t\n\r\f\v")
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b", "0": "\0"}


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
            None if masks == (ALL,) else re.compile(f"(?={''.join(map(_class_of, masks))})")
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
    check_loops(tree)
    try:
        pattern = re.compile("".join(reader.python), re.ASCII | (re.IGNORECASE if reader.ignore_case else 0))
    except (re.error, OverflowError, RecursionError) as fault:
        raise RegexError(str(fault)) from fault
    groups = (0, *reader.unnamed, *reader.named)
    splits = (*splits_of(tree), *((ALL,),) * reader.looks)
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

    def read(self) -> Node:
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

    def _choice(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise RegexError(f"groups are nested more than {_MAX_DEPTH} deep")
        options = [self._sequence()]
        while self._peek() == "|":
            self.python.append(self._take())
            options.append(self._sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            items.append(self._repeated(self._single()))
        return Sequence(tuple(items))

    def _single(self) -> Node:
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
                return Nothing()
            case ".":
                self.python.append(".")
                return Atom(ALL & ~(1 << 10))
            case _:
                return self._literal(character)

    def _literal(self, character: str) -> Atom:
        self.python.append(re.escape(character))
        return Atom(self._mask(character))

    def _mask(self, character: str) -> int:
        cases = {character, character.lower(), character.upper()} if self.ignore_case else {character}
        mask = 0
        for case in cases:
            mask |= 1 << ord(case) if len(case) == 1 and case.isascii() else OTHER
        return mask

    def _group(self) -> Node:
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

    def _look_around(self, inner: Node) -> Node:
        check_loops(inner)
        self.looks += contains_loop(inner)
        return Nothing()

    def _group_end(self) -> Node:
        inner = self._choice()
        if self._peek() != ")":
            raise RegexError("a group is not closed")
        self.python.append(self._take())
        return inner

    def _escape(self) -> Node:
        mask, python = self._escaped(in_class=False)
        self.python.append(python)
        return Nothing() if mask is None else Atom(mask)

    def _escaped(self, *, in_class: bool) -> tuple[int | None, str]:
        r"""Read what follows a `\`; return its mask (None for no character) and its Python text."""
        character = self._take()
        if character.lower() in _CLASSES:
            mask = _CLASSES[character.lower()]
            return (mask if character.islower() else ALL & ~mask), "\\" + character
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

    def _class(self) -> Atom:
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
        return Atom(ALL & ~mask if negated else mask)

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
        mask = OTHER if ord(high) > 0x7F else 0
        for code in range(ord(low), min(ord(high), 0x7F) + 1):
            mask |= self._mask(chr(code))
        return mask

    def _repeated(self, item: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return item
        if self._peek() == "?":
            self.python.append(self._take())
        if self._peek() in ("*", "+", "?"):
            raise RegexError(f"a repetition of a repetition at {self.at + 1}")
        return Repeat(item, *bounds)

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
    beyond = "\\U00000080-\\U0010ffff" if mask & OTHER else ""
    return f"[{members}{beyond}]" if members or beyond else "(?!)"


def _is_anchored(tree: Node, text: str) -> bool:
    return text.removeprefix("(?i)").startswith("^") and not isinstance(tree, Choice)
