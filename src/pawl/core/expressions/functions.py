"""The functions that every expression may call (actions/runner ExpressionConstants.cs and Functions/).

Each takes the run and its unevaluated arguments, since the runner evaluates them only when needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pawl.core.expressions.coercion import equal, is_primitive, to_text
from pawl.core.expressions.failure import ExpressionError
from pawl.core.expressions.json_text import read_json, write_json
from pawl.core.expressions.run import Part, Run
from pawl.core.expressions.text_rules import fold_case
from pawl.core.expressions.values import ArrayValue, Untrusted, Value, is_untrusted, keep_trust

MANY = 255
_Builtin = Callable[[Run, tuple[Part, ...]], Value]


@dataclass(frozen=True, slots=True)
class Arity:
    """How many arguments a function takes."""

    least: int
    most: int

    def admits(self, count: int) -> bool:
        """Return whether `count` arguments may be given."""
        return self.least <= count <= self.most

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.least} argument{'' if self.least == 1 else 's'}"
        if self.most >= MANY:
            return f"at least {self.least} argument{'' if self.least == 1 else 's'}"
        return f"{self.least} to {self.most} arguments"


def _contains(run: Run, arguments: tuple[Part, ...]) -> Value:
    left = arguments[0](run)
    if isinstance(left, ArrayValue):
        if not left:
            return False
        right = arguments[1](run)
        run.spend(len(left))
        return any(_equal_within(run, item, right) for item in left)
    if not is_primitive(left):
        return False
    right = arguments[1](run)
    if not is_primitive(right):
        return False
    text, part = to_text(left), to_text(right)
    run.spend_text(text, part)
    return fold_case(part) in fold_case(text)


def _equal_within(run: Run, left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str) and len(left) == len(right):
        run.spend_text(left)
    return equal(left, right)


def _starts_with(run: Run, arguments: tuple[Part, ...]) -> Value:
    text, part = _folded_pair(run, arguments)
    return part is not None and text.startswith(part)


def _ends_with(run: Run, arguments: tuple[Part, ...]) -> Value:
    text, part = _folded_pair(run, arguments)
    return part is not None and text.endswith(part)


def _folded_pair(run: Run, arguments: tuple[Part, ...]) -> tuple[str, str | None]:
    """Return both arguments folded; the second is None when either is no primitive."""
    left = arguments[0](run)
    if not is_primitive(left):
        return "", None
    right = arguments[1](run)
    if not is_primitive(right):
        return "", None
    text, part = to_text(left), to_text(right)
    run.spend_text(text, part)
    return fold_case(text), fold_case(part)


_FORMAT_PIECE = re.compile(r"([^{}]+)|(\{\{|\}\})|\{([0-9]+)(?:\}|:((?:[^}]|\}\})*)\}(?!\}))")


def _format(run: Run, arguments: tuple[Part, ...]) -> Value:
    """Replace `{N}`; source: Functions/Format.cs. The whole format is checked before any argument is read."""
    pattern = to_text(arguments[0](run))
    run.spend(1 + (len(pattern) >> 2))
    pieces = _format_pieces(pattern, len(arguments) - 1)
    untrusted = isinstance(pattern, Untrusted)
    known: dict[int, str] = {}
    made: list[str] = []
    for literal, number, specifier in pieces:
        text = literal
        if number is not None:
            if number not in known:
                known[number] = to_text(arguments[number + 1](run))
            if specifier:
                raise ExpressionError(
                    f"format: `{{{number}:{specifier[:40]}}}`: specifiers are not supported"
                )
            text = known[number]
            untrusted = untrusted or isinstance(text, Untrusted)
        run.produce(len(text))
        run.spend(1)
        made.append(text)
    return keep_trust("".join(made), untrusted)


def _format_pieces(pattern: str, count: int) -> list[tuple[str, int | None, str]]:
    """Return (literal text, argument number, specifier) for each piece of a format."""
    pieces: list[tuple[str, int | None, str]] = []
    offset = 0
    while offset < len(pattern):
        match = _FORMAT_PIECE.match(pattern, offset)
        number = _argument_number(match[3]) if match and match[3] else None
        if match is None or (match[3] and number is None):
            raise ExpressionError(
                f"format: invalid at character {offset + 1} of the format: a brace stands for itself when "
                "doubled, otherwise `{N}` is expected"
            )
        if number is not None and number >= count:
            raise ExpressionError(f"format: `{{{number}}}` has no argument; {count} given after the format")
        pieces.append((match[1] or match[2][:1] if number is None else "", number, match[4] or ""))
        offset = match.end()
    return pieces


def _argument_number(digits: str) -> int | None:
    """Return the number, None when it is beyond a byte, as the runner reads it."""
    digits = digits.lstrip("0")
    number = int(digits or "0") if len(digits) <= len(str(MANY)) else MANY + 1
    return number if number <= MANY else None


def _join(run: Run, arguments: tuple[Part, ...]) -> Value:
    items = arguments[0](run)
    if not isinstance(items, ArrayValue):
        return to_text(items) if is_primitive(items) else ""
    if not items:
        return ""
    separator: Value = ","
    if len(items) > 1 and len(arguments) > 1:
        given = arguments[1](run)
        separator = to_text(given) if is_primitive(given) else ","
    run.spend(len(items))
    texts = [to_text(item) for item in items]
    between = to_text(separator)
    run.produce(sum(map(len, texts)) + len(between) * (len(texts) - 1))
    untrusted = isinstance(between, Untrusted) or any(isinstance(text, Untrusted) for text in texts)
    return keep_trust(between.join(texts), untrusted)


def _to_json(run: Run, arguments: tuple[Part, ...]) -> Value:
    value = arguments[0](run)
    made: list[str] = []

    def write(text: str) -> None:
        run.produce(len(text))
        run.spend(1)
        made.append(text)

    write_json(value, write)
    return keep_trust("".join(made), is_untrusted(value))


def _from_json(run: Run, arguments: tuple[Part, ...]) -> Value:
    text = to_text(arguments[0](run))
    run.spend(1 + (len(text) >> 4))
    return read_json(text, run.limits)


def _case(run: Run, arguments: tuple[Part, ...]) -> Value:
    for index in range(0, len(arguments) - 1, 2):
        predicate = arguments[index](run)
        if not isinstance(predicate, bool):
            raise ExpressionError(f"case: argument {index + 1} must be true or false")
        if predicate:
            return arguments[index + 1](run)
    return arguments[-1](run)


@dataclass(frozen=True, slots=True)
class Builtin:
    """One function of the language: its name as documented, its arity, its code."""

    name: str
    arity: Arity
    call: _Builtin


BUILTINS: dict[str, Builtin] = {
    fold_case(builtin.name): builtin
    for builtin in (
        Builtin("case", Arity(3, MANY), _case),
        Builtin("contains", Arity(2, 2), _contains),
        Builtin("endsWith", Arity(2, 2), _ends_with),
        Builtin("format", Arity(1, MANY), _format),
        Builtin("fromJSON", Arity(1, 1), _from_json),
        Builtin("join", Arity(1, 2), _join),
        Builtin("startsWith", Arity(2, 2), _starts_with),
        Builtin("toJSON", Arity(1, 1), _to_json),
    )
}
"""By name in folded case."""

STATUS_FUNCTIONS = frozenset({"SUCCESS", "FAILURE", "CANCELLED", "ALWAYS"})
"""The functions whose presence takes the implicit `success()` away, in folded case."""

EXTENSIONS: dict[str, tuple[str, Arity]] = {
    "SUCCESS": ("success", Arity(0, MANY)),
    "FAILURE": ("failure", Arity(0, MANY)),
    "CANCELLED": ("cancelled", Arity(0, 0)),
    "ALWAYS": ("always", Arity(0, 0)),
    "HASHFILES": ("hashFiles", Arity(1, MANY)),
}
"""Functions that the caller supplies, by folded name: documented name, and the widest arity anywhere."""
