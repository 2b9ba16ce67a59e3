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
# A text is skipped as a whole, so that brackets in it do not count.
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
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
    try:
        told: Json = json.loads(
            body.decode(), parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
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
    depth = 0
    for found in _STRUCTURE.finditer(body):
        mark = found[0]
        if mark in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise UsageError(f"the body has more than {MAX_DEPTH} lists and objects inside each other")
        elif mark in (b"]", b"}"):
            depth -= 1


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
