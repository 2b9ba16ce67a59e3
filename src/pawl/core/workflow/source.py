"""The text behind the tree: decoding, checks before parsing, places inside scalars of several lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.diagnostics import Diagnostic, Position, Span
from pawl.core.diagnostics.span import START
from pawl.core.workflow.limits import Limits

# YAML 1.2.2 section 5.1: the characters a stream may hold. Anything else is refused with its place.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|[\r\n]")
_OLD_BREAKS = "\x85\u2028\u2029"
"""Line breaks in YAML 1.1, as the reader knows it; plain characters in YAML 1.2 (section 5.4)."""
_FIRST_PRIVATE = 0xF0000
_BOM = "\ufeff"


@dataclass(slots=True)
class Source:
    """A decoded text whose lines, counted from 1 as the YAML reader breaks them, can be looked at."""

    text: str
    replaced: Mapping[int, int] = field(default_factory=dict)
    """Characters that stand for others while the reader sees the text: what `restored` puts back."""
    _lines: list[str] = field(default_factory=list)

    def restored(self, text: str) -> str:
        """Return a piece of the text as the file has it."""
        return text.translate(self.replaced) if self.replaced else text

    def line(self, number: int) -> str:
        """Return line `number` without its end; empty behind the last line."""
        if not self._lines:
            self._lines = _BREAK.split(self.text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def first_content(self, header: int) -> Position:
        """Return where the content of a literal block begins whose header (`|`) is on line `header`."""
        return Position(header + 1, self._indent(header) + 1)

    def content_lines(self, text: str, span: Span, style: str) -> tuple[tuple[int, Position], ...]:
        """Return, for each line of a folded or quoted scalar, where it begins in `text` and in the file."""
        result = []
        offset = 0
        is_block = style == "folded"
        indent = self._indent(span.start.line) if is_block else 0
        for number in range(span.start.line + is_block, span.end.line + 1):
            raw = self.line(number)
            if is_block and raw.strip() and len(raw) - len(raw.lstrip(" ")) < indent:
                break
            skip = span.start.column - 1 if number == span.start.line else 0
            if number == span.start.line and style != "plain":
                skip += 1
            content = raw[skip:].strip(" \t")
            if not content:
                continue
            column = skip + len(raw[skip:]) - len(raw[skip:].lstrip(" \t")) + 1
            offset = _find_line(text, content, offset)
            result.append((offset, Position(number, column)))
            offset += 1
        return tuple(result) if result and result[0][0] == 0 else ((0, span.start), *result)

    def _indent(self, header: int) -> int:
        marker = re.search(r"[|>][-+]?([1-9])[-+]?\s*(?:#.*)?$", self.line(header))
        if marker is not None:
            # An explicit indicator counts from the column of the parent.
            line = self.line(header)
            return len(line) - len(line.lstrip(" -")) + int(marker.group(1))
        for number in range(header + 1, len(self._lines) + 1):
            if stripped := self.line(number).lstrip(" "):
                return len(self.line(number)) - len(stripped)
        return 0


def _find_line(text: str, content: str, offset: int) -> int:
    # Escapes make a line of the file differ from the text; its first characters are then enough of a guess.
    for length in (len(content), 12, 3):
        found = text.find(content[:length], offset)
        if found >= 0:
            return found
    return offset


def read_source(text: str | bytes, limits: Limits) -> tuple[Source | None, Diagnostic | None]:
    """Return the decoded text, or what forbids to read it: its size, its encoding, a character."""
    size = len(text) if isinstance(text, bytes) else _utf8_size(text)
    if size > limits.size:
        message = f"the file has {size} bytes, more than the {limits.size} that are allowed"
        return None, Diagnostic(code="yaml-too-large", message=message, span=START)
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            return None, _encoding_fault(error)
    text = text.removeprefix(_BOM)
    found = _FORBIDDEN.search(text)
    return (_source(text), None) if found is None else (None, _character_fault(text, found.start()))


def _source(text: str) -> Source:
    """Return the source with what the reader would take for line breaks hidden behind unused characters."""
    old = [ord(character) for character in _OLD_BREAKS if character in text]
    if not old:
        return Source(text)
    unused = (code for code in range(_FIRST_PRIVATE, sys.maxunicode) if chr(code) not in text)
    hidden = dict(zip(old, unused, strict=False))
    return Source(text.translate(hidden), {after: before for before, after in hidden.items()})


def _utf8_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _encoding_fault(error: UnicodeDecodeError) -> Diagnostic:
    place = _place(error.object[: error.start].decode("utf-8"))
    message = f"found the byte 0x{error.object[error.start]:02x}, which is not UTF-8"
    span = Span.at(place.line, place.column)
    return Diagnostic(code="yaml-character", message=message, span=span, hint="save the file as UTF-8")


def _character_fault(text: str, offset: int) -> Diagnostic:
    place = _place(text[:offset])
    message = f"found the control character U+{ord(text[offset]):04X}, which a YAML file may not hold"
    return Diagnostic(code="yaml-character", message=message, span=Span.at(place.line, place.column))


def _place(before: str) -> Position:
    lines = _BREAK.split(before)
    return Position(len(lines), len(lines[-1]) + 1)
