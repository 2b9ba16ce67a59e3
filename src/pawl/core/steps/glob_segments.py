r"""One part of a glob pattern, between slashes: `*`, `?`, `[...]`, `\` escapes; matched in bounded time."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class _Wild(Enum):
    ONE = "?"
    MANY = "*"


_POSIX = MappingProxyType(
    {
        "[:alnum:]": ("L", "Nl", "Nd"),
        "[:alpha:]": ("L", "Nl"),
        "[:blank:]": ("Zs",),
        "[:cntrl:]": ("Cc",),
        "[:digit:]": ("Nd",),
        "[:lower:]": ("Ll",),
        "[:punct:]": ("P",),
        "[:space:]": ("Z",),
        "[:upper:]": ("Lu",),
        "[:word:]": ("L", "Nl", "Nd", "Pc"),
    }
)
_POSIX_RANGES = MappingProxyType(
    {
        "[:ascii:]": (("\0", "\x7f"),),
        "[:blank:]": (("\t", "\t"),),
        "[:space:]": (("\t", "\r"),),
        "[:xdigit:]": (("A", "F"), ("a", "f"), ("0", "9")),
    }
)
_POSIX_WITHOUT = MappingProxyType({"[:graph:]": ("Z", "C"), "[:print:]": ("C",)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    """A bracket expression.

    A character is in it when it lies in one of `ranges`, has one of the Unicode `categories` (or their
    first letters), or has none of those of `without` although that is not empty.
    """

    ranges: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]
    without: tuple[str, ...]
    negated: bool

    def holds(self, character: str) -> bool:
        category = unicodedata.category(character)
        inside = (
            any(low <= character <= high for low, high in self.ranges)
            or category.startswith(self.categories)
            or (bool(self.without) and not category.startswith(self.without))
        )
        return inside != self.negated


class _Poison(Enum):
    """A bracket expression that nothing can match; the rest of its part is not looked at."""

    NOTHING = "nothing"


_Token = str | _Wild | _Class | _Poison


@dataclass(frozen=True, slots=True)
class Segment:
    """A parsed part. A part with a wildcard matches no empty name."""

    tokens: tuple[_Token, ...]

    def matches(self, name: str) -> bool:
        """Return whether the part matches all of `name`, in at most (tokens x characters) steps."""
        at = position = 0
        retry: tuple[int, int] | None = None
        while position < len(name):
            token = self.tokens[at] if at < len(self.tokens) else None
            if token is _Wild.MANY:
                at += 1
                retry = (at, position)
            elif token is not None and _matches_one(token, name[position]):
                at, position = at + 1, position + 1
            elif retry is None:
                return False
            else:
                retry = (retry[0], retry[1] + 1)
                at, position = retry
        return bool(name) and all(token is _Wild.MANY for token in self.tokens[at:])


def _matches_one(token: _Token, character: str) -> bool:
    match token:
        case str():
            return token == character
        case _Class():
            return token.holds(character)
        case _Wild.ONE:
            return True
        case _Wild.MANY | _Poison.NOTHING:
            return False


def parse_segment(text: str, *, literal: bool = False) -> Segment:
    """Return the part written as `text`; `literal` takes every character for itself."""
    if literal:
        return Segment(tuple(text))
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            tokens.append(text[at + 1])
            at += 2
            continue
        if character == "[" and (bracket := _parse_class(text, at)) is not None:
            token, at = bracket
            tokens.append(token)
            continue
        if character == "*":
            if not tokens or tokens[-1] is not _Wild.MANY:
                tokens.append(_Wild.MANY)
        else:
            tokens.append(_Wild.ONE if character == "?" else character)
        at += 1
    return Segment(tuple(tokens))


def _parse_class(text: str, start: int) -> tuple[_Class | _Poison, int] | None:
    """Return the bracket expression at `start` and where it ends; None where `[` stands for itself.

    Source: minimatch, brace-expressions.ts.
    """
    content = _Bracket(text, start + 1)
    end = content.read()
    if end is None:
        return None
    if content.broken or not (content.ranges or content.categories or content.without):
        return _Poison.NOTHING, len(text)
    parsed = _Class(
        ranges=tuple(content.ranges),
        categories=tuple(content.categories),
        without=tuple(content.without),
        negated=content.negated,
    )
    return parsed, end


class _Bracket:
    """The reading of one bracket expression."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.negated = text[at : at + 1] in ("!", "^")
        self._at = at + self.negated
        self._low = ""
        self.ranges: list[tuple[str, str]] = []
        self.categories: list[str] = []
        self.without: list[str] = []
        self.broken = False

    def read(self) -> int | None:
        """Collect the members; return where the expression ends, or None when it does not."""
        first = True
        while self._at < len(self._text) and not self.broken:
            character = self._text[self._at]
            if character == "]" and not first:
                return self._at + 1
            first = False
            if character == "[" and self._named():
                continue
            if character == "\\":
                self._at += 1
                if self._at == len(self._text):
                    return None
                character = self._text[self._at]
            self._member(character)
        return self._at if self.broken else None

    def _named(self) -> bool:
        name = self._text[self._at : self._text.find(":]", self._at) + 2]
        if name not in {*_POSIX, *_POSIX_RANGES, *_POSIX_WITHOUT}:
            return False
        self.broken = bool(self._low)  # `[a-[:digit:]]`
        self.categories += _POSIX.get(name, ())
        self.ranges += _POSIX_RANGES.get(name, ())
        self.without += _POSIX_WITHOUT.get(name, ())
        self._at += len(name)
        return True

    def _member(self, character: str) -> None:
        self._at += 1
        if self._low:
            if character >= self._low:  # a range the wrong way round is dropped
                self.ranges.append((self._low, character))
            self._low = ""
        elif self._text.startswith("-]", self._at):
            self.ranges += ((character, character), ("-", "-"))
            self._at += 1
        elif self._text.startswith("-", self._at):
            self._low = character
            self._at += 1
        else:
            self.ranges.append((character, character))


def literal_of(text: str) -> str:
    """Return the name that `text` stands for when it has no wildcard, else '' (Pattern.getLiteral).

    A bracket with a single character in it is that character.
    """
    literal: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            at += 1
            character = text[at]
        elif character in "*?":
            return ""
        elif character == "[" and at + 1 < len(text) and (found := _bracket_literal(text, at)) is not None:
            content, at = found
            if len(content) > 1:
                return ""
            character = content
        literal.append(character)
        at += 1
    return "".join(literal)


def _bracket_literal(text: str, start: int) -> tuple[str, int] | None:
    """Return what the bracket at `start` holds, and where it ends; None if open or empty."""
    content: list[str] = []
    at = start + 1
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        elif text[at] == "]":
            return ("".join(content), at) if content else None
        content.append(text[at])
        at += 1
    return None
