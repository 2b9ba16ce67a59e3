"""The byte strings that give a secret away: the value itself and the forms tools turn it into.

Source: actions/runner ValueEncoders.cs and HostContext.cs (which forms), Worker.cs (lines of a value);
the base64 forms without padding, URL-safe, in hex and shell-quoted are ours: `base64` of `user:password`
with anything after it escapes the runner's exact forms.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote

MAX_NEEDLE = 4096
"""Bytes of the longest needle; a longer form is searched in pieces, so hold-back stays small."""

MAX_VALUE = 1_048_576
"""Characters of a secret that are covered: more than fits into any secret store or file command."""

_SHORTEST_CORE = 8  # a base64 form cut to its certain characters must still be telling
_SHORTEST_SECTION = 6  # ValueEncoders.PowerShellPreAmpersandEscape
_LONGEST_UNTRIMMED = 8  # ValueEncoders.TrimDoubleQuotes
_JSON_ESCAPES = str.maketrans(
    {
        **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
        "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
        '"': '\\"', "\\": "\\\\", "\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029",
    }
)  # fmt: skip
_XML_ESCAPES = str.maketrans({"<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "&": "&amp;"})


def needles_of(value: str) -> frozenset[bytes]:
    """Return every byte string to hide for the secret `value`; none for a blank one.

    There is no minimum length, as in the runner: refusing short secrets is for who stores them.
    """
    forms: set[bytes] = set()
    value = value[:MAX_VALUE]
    if not value.strip():
        return frozenset()
    lines = value.replace("\r", "\n").split("\n")
    for text in {value, *(line for line in lines if line.strip())}:
        for form in _forms(text):
            forms.update(_pieces(form))
    return frozenset(forms)


def _forms(text: str) -> Iterator[bytes]:
    raw = _utf8(text)
    yield raw
    yield from _base64_forms(raw)
    for form in _text_forms(text):
        if form.strip():
            yield _utf8(form)
    if len(raw) >= _SHORTEST_SECTION:
        yield raw.hex().encode()
        yield raw.hex().upper().encode()


def _text_forms(text: str) -> Iterator[str]:
    yield text.replace('"', '\\"')
    yield text.replace("'", "''")
    yield text.replace("'", "'\\''")
    yield text.translate(_JSON_ESCAPES)
    yield json.dumps(text)[1:-1]
    yield quote(_utf8(text), safe="")
    yield text.translate(_XML_ESCAPES)
    if len(text) > _LONGEST_UNTRIMMED and text[0] == text[-1] == '"':
        yield text[1:-1]
    if "&" in text:
        yield from (part for part in _ampersand_parts(text) if len(part) >= _SHORTEST_SECTION)


def _ampersand_parts(text: str) -> tuple[str, str]:
    """Return the parts that PowerShell prints of a value it took for a command."""
    if "&+" in text:
        before, after = text.split("&+", 1)
        return f"{before}&+", after[1:]  # the first character after it gets a colour of its own
    before, after = text.rsplit("&", 1)
    return f"{before}&", after


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    for skipped in range(3):
        part = raw[skipped:] if len(raw) > skipped else raw
        for encode in (b64encode, urlsafe_b64encode):
            padded = encode(part)
            yield padded
            core = padded[: len(part) * 8 // 6]  # the characters that no following byte can change
            if len(core) >= _SHORTEST_CORE:
                yield core


def _pieces(form: bytes) -> Iterator[bytes]:
    if len(form) <= MAX_NEEDLE:
        yield form
        return
    for start in range(0, len(form) - MAX_NEEDLE, MAX_NEEDLE):
        yield form[start : start + MAX_NEEDLE]
    yield form[-MAX_NEEDLE:]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
