"""What most likely went wrong where the YAML reader stopped: its words name the symptom, seldom the slip."""

from __future__ import annotations

import re

from pawl.core.workflow.source import Source

_SEARCHED = 100
"""Lines above a fault in which its cause is looked for."""

_COLON_WITHOUT_BLANK = re.compile(r"\s*(?:- )?([A-Za-z][\w-]*):([^\s:/].*)")
_DASH_WITHOUT_BLANK = re.compile(r"\s*-([A-Za-z][\w-]*:.*)")
_WORD_ALONE = re.compile(r"\s*(?:- )?([A-Za-z][\w-]*)\s*(?:#.*)?")
_KEY = re.compile(r"(\s*(?:- +)*)([A-Za-z_][\w-]*):(?: +(.*))?")
_BLOCK = re.compile(r"\s*(?:- +)*([A-Za-z_][\w-]*): +[|>][-+0-9]*\s*(?:#.*)?")
_QUOTE = re.compile(r"\s*(?:- +)*(?:[\w-]+: +)?([\"'])(.*)")


def guess(problem: str, source: Source, line: int, column: int) -> str | None:
    """Return how to mend the fault that the reader reports as `problem` at a place; None without a guess."""
    text = source.line(line)
    if "\t" in text[: max(column, len(text) - len(text.lstrip()))].partition("#")[0]:
        return "indent with spaces: a tab is not allowed there"
    above = _above(source, line)
    if "mapping values are not allowed" in problem:
        return _colon(text, column, above)
    if "could not find expected ':'" in problem:
        return _block(source, line) or _slip(above)
    if "did not find expected key" in problem:
        return _quote(source, line) or _slip(above) or _dash(source, line, above)
    return None


def _above(source: Source, line: int) -> tuple[int, str]:
    """Return number and text of the last line above that says anything; 0 and nothing without one."""
    for number in range(line - 1, max(0, line - _SEARCHED), -1):
        text = source.line(number)
        if text.strip() and not text.lstrip().startswith("#"):
            return number, text
    return 0, ""


def _slip(above: tuple[int, str]) -> str | None:
    """Return what is missing in the line above: a colon, or a blank behind a colon or dash."""
    number, text = above
    if found := _COLON_WITHOUT_BLANK.fullmatch(text):
        return f"put a blank after the `:` on line {number}: `{found[1]}: {found[2][:40]}`"
    if found := _DASH_WITHOUT_BLANK.fullmatch(text):
        return f"put a blank after the `-` on line {number}: `- {found[1][:40]}`"
    if found := _WORD_ALONE.fullmatch(text):
        return f"did you forget the `:` on line {number}? `{found[1][:40]}:`"
    return None


def _colon(text: str, column: int, above: tuple[int, str]) -> str | None:
    written = _KEY.match(text)
    if written is not None and written.end(2) < column - 1:
        return f"the value of `{written[2][:40]}` holds a `: `: put it in quotes"
    number, before = above
    key = _KEY.fullmatch(before)
    if key is not None and written is not None and key[3] and len(written[1]) > len(key[1]):
        return f"`{written[2][:40]}` is indented deeper than `{key[2][:40]}` on line {number}: align them"
    return _slip(above)


def _block(source: Source, line: int) -> str | None:
    for number in range(line - 1, max(0, line - _SEARCHED), -1):
        if found := _BLOCK.fullmatch(source.line(number)):
            return (
                f"the text of `{found[1][:40]}` on line {number} must be indented deeper than the key itself"
            )
        if ":" in source.line(number):
            return None
    return None


def _quote(source: Source, line: int) -> str | None:
    """Return the line above where a quote is opened and not closed, or text that follows a closed one."""
    for number in range(line, max(0, line - _SEARCHED), -1):
        found = _QUOTE.match(source.line(number))
        if found is None:
            continue
        rest = found[2].replace("\\" + found[1], "").partition(" #")[0]
        if rest.count(found[1]) % 2 == 0:
            return f"the quote `{found[1]}` on line {number} is not closed there"
        if number == line and not rest.rstrip().endswith(found[1]):
            return "text follows a closed quote: put the whole value in quotes of the other kind"
    return None


def _dash(source: Source, line: int, above: tuple[int, str]) -> str | None:
    text = source.line(line)
    if not text.lstrip().startswith("- "):
        return None
    indent = len(text) - len(text.lstrip())
    number, before = above
    if len(before) - len(before.lstrip()) == indent and not before.lstrip().startswith("-"):
        return f"this is an item of a list, and line {number} is not: begin both with `- `, or neither"
    for other in range(line - 1, max(0, line - _SEARCHED), -1):
        item = source.line(other)
        if item.lstrip().startswith("- "):
            column = len(item) - len(item.lstrip()) + 1
            return f"items of one list begin in the same column: on line {other} that is column {column}"
    return None
