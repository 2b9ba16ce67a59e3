"""Reading JSON that strangers sent: bounded in depth, in number, and in what its texts may hold."""

from __future__ import annotations

import json
import math
import re

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json

MAX_DEPTH = 64
"""Lists and objects inside each other in a body."""
MAX_VALUES = 1_000_000
"""Values in a body, roughly: each costs a hundred bytes of memory."""

_LONGEST_NUMBER = 100
_OPENING = b"[{"
_NO_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_TEXT = re.compile(rb'"[^"]*"?')
_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % (_LONGEST_NUMBER + 1))
_SUSPICIOUS = re.compile(rb"\x00|\\u0000|\\u[dD][89a-fA-F]")
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def parse_json(body: bytes) -> Json:
    """Return the JSON in a body.

    Raises:
        UsageError: it is no JSON in UTF-8, has numbers that JSON lacks, is too deep, holds too much, or has
            a NUL or half a character in a text.
    """
    check_depth(body)
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MAX_VALUES:
        raise UsageError(f"the body has more than {MAX_VALUES} values")
    # Looking at each number takes as long as all the rest; almost no body has so many digits in a row.
    whole = _whole if _MANY_DIGITS.search(body) else None
    try:
        told: Json = json.loads(
            body.decode(), parse_constant=_no_constant, parse_float=_finite, parse_int=whole
        )
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON: {error}") from None
    if _SUSPICIOUS.search(body):
        _check_texts(told)
    return told


def check_depth(body: bytes) -> None:
    """Return when brackets in a body are at most `MAX_DEPTH` deep.

    Raises:
        UsageError: they are deeper.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    # What is escaped goes first, so that every quote left begins or ends a text; then all but quotes and
    # brackets, and the texts. It is a chain of quick passes: a loop over the tokens takes ten times as long.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_STRUCTURE)
    depth = 0
    for mark in _TEXT.sub(b"", plain):
        depth += 1 if mark in _OPENING else -1
        if depth > MAX_DEPTH:
            raise UsageError(f"the body has more than {MAX_DEPTH} lists and objects inside each other")


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if len(text) > _LONGEST_NUMBER or not math.isfinite(number):
        raise ValueError(f"{text[:20]}… is too large a number")
    return number


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"{text[:20]}… is too large a number")
    return int(text)


def _check_texts(told: Json) -> None:
    """Return when no text holds a NUL or an unpaired surrogate: no database and no file name could.

    Raises:
        UsageError: one does.
    """
    left: list[Json] = [told]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value)
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        elif isinstance(value, str) and (found := _BAD_CHARACTER.search(value)):
            raise UsageError(f"a text of the body holds the character U+{ord(found[0]):04X}")
