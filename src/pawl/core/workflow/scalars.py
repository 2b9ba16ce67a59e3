"""The YAML 1.2 core schema: what a plain scalar or an explicit tag means.

Sources: YAML 1.2.2 section 10.3.2; the vectors `yaml-schema-*.yml` of actions/languageservices. `yes`, `no`
and `on` are strings here, `010` is ten and `0o10` is eight.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Plain: TypeAlias = "bool | int | float | str | None"

_WORDS: dict[str, Plain] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".nan": float("nan"),
    ".NaN": float("nan"),
    ".NAN": float("nan"),
    ".inf": float("inf"),
    ".Inf": float("inf"),
    ".INF": float("inf"),
    "+.inf": float("inf"),
    "+.Inf": float("inf"),
    "+.INF": float("inf"),
    "-.inf": float("-inf"),
    "-.Inf": float("-inf"),
    "-.INF": float("-inf"),
}
_STARTS = frozenset("0123456789+-.")
_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_PREFIX = "tag:yaml.org,2002:"
_EXACT_DIGITS = 18
"""A longer number becomes a double, as it would on GitHub; it also keeps `int` from quadratic work."""

STRING, NULL, BOOLEAN = f"{_PREFIX}str", f"{_PREFIX}null", f"{_PREFIX}bool"
INTEGER, FLOAT = f"{_PREFIX}int", f"{_PREFIX}float"
MAPPING, SEQUENCE = f"{_PREFIX}map", f"{_PREFIX}seq"


def resolve(text: str) -> Plain:
    """Return what the plain scalar `text` means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    number = _number(text)
    return text if number is None else number


def resolve_tagged(text: str, tag: str, *, quoted: bool = False) -> Plain:
    """Return what `text` means under an explicit `tag`.

    Raises:
        ValueError: when the text cannot be of that type; quoted, it can only be a string (actions/runner,
            YamlObjectReader.cs).
        KeyError: when scalars have no such tag.
    """
    if tag in {STRING, "!"}:
        return text
    accepted = {NULL: (type(None),), BOOLEAN: (bool,), INTEGER: (int,), FLOAT: (float, int)}[tag]
    value = resolve(text)
    if quoted or type(value) not in accepted:
        raise ValueError(text)
    return value


def _number(text: str) -> int | float | None:
    if _DECIMAL.match(text):
        return int(text) if len(text) <= _EXACT_DIGITS else float(text)
    if _OCTAL.match(text):
        return _based(text, 8)
    if _HEXADECIMAL.match(text):
        return _based(text, 16)
    return float(text) if _FLOAT.match(text) else None


def _based(text: str, base: int) -> int | float:
    # Bases that are powers of two convert in linear time, so a long text costs nothing.
    value = int(text[2:], base)
    if len(text) <= _EXACT_DIGITS:
        return value
    return float(value) if value.bit_length() < 1024 else float("inf")
