"""How the language sees characters: blanks, letter case, numbers (language.md rules 2, 3, 13)."""

from __future__ import annotations

import math
import re
from functools import lru_cache

BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters of .NET's Char.IsWhiteSpace; Python's own set has four more."""

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL = re.compile(r"0o[0-7]+")
_KEYWORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_INFINITIES = {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_BITS = 32


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in "\u0131\u017f":  # dotless i and long s stay themselves (.NET ordinal casing)
        return character
    upper = character.upper()
    if len(upper) == 1:
        return upper
    # Only the one-to-one mapping counts; where it differs from the full one it is the title case.
    title = character.title()
    return title if len(title) == 1 else character


def fold_case(text: str) -> str:
    """Return `text` in upper case character by character, for comparing without regard to case.

    Source: .NET StringComparison.OrdinalIgnoreCase as used by actions/runner EvaluationResult.cs: the result
    has as many characters as the text, `ß` is not `SS` and dotless i is not I.
    """
    if text.isascii():
        return text.upper()
    return "".join(map(_fold_character, text))


def is_keyword(text: str) -> bool:
    """Return whether `text` may stand as a name (actions/runner ExpressionUtility.IsLegalKeyword)."""
    return _KEYWORD.fullmatch(text) is not None


def parse_number(text: str) -> float:
    """Return the number that `text` stands for, else NaN (actions/runner ExpressionUtility.cs)."""
    text = text.strip(BLANKS)
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _HEX.fullmatch(text):
        return _signed(text[2:], 16)
    if _OCTAL.fullmatch(text):
        return _signed(text[2:], 8)
    return _INFINITIES.get(text, math.nan)


def _signed(digits: str, base: int) -> float:
    """Return the digits read as a 32-bit two's complement integer, as the runner's Int32; NaN beyond it."""
    digits = digits.lstrip("0")
    value = int(digits or "0", base) if len(digits) <= _BITS else 1 << _BITS
    if value >= 1 << _BITS:
        return math.nan
    return float(value - (1 << _BITS) if value >= 1 << (_BITS - 1) else value)


def format_number(number: float) -> str:
    """Return the number as text: .NET's G15, minus zero as `0` (actions/runner ExpressionConstants)."""
    if number == 0:
        return "0"
    if math.isfinite(number):
        return f"{number:.15G}"
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"
