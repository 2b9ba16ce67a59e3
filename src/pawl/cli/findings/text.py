"""Diagnostics for people: `path:line:col: error[code]: message`, the line with carets, the hint."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.cli.findings.checked import CheckedFile
from pawl.cli.terminal.cells import cell_width
from pawl.cli.terminal.lines import Line, Piece, Style, line, to_text
from pawl.cli.terminal.sanitise import one_line, sanitise
from pawl.cli.terminal.screen import Screen
from pawl.core.diagnostics import Diagnostic, Severity, Span

_TAB = "    "
_STYLES = {Severity.ERROR: Style.BAD_STRONG, Severity.WARNING: Style.WARN}


def draw_findings(checked: CheckedFile, screen: Screen) -> str:
    """Return all diagnostics of a file as text, each with its snippet; empty when there are none."""
    source = checked.text.split("\n")
    blocks = ["\n".join(_draw(one, checked.path, source, screen)) for one in checked.diagnostics]
    return "\n".join(f"{block}\n" for block in blocks)


def _draw(diagnostic: Diagnostic, path: str, source: list[str], screen: Screen) -> Iterator[str]:
    style = _STYLES[diagnostic.severity]
    head = line(
        Piece(f"{one_line(path)}:{diagnostic.span.start}: ", Style.STRONG),
        Piece(f"{diagnostic.severity}[{diagnostic.code}]", style),
        f": {one_line(diagnostic.message)}",
    )
    yield to_text(head, colour=screen.colour)
    for drawn in draw_snippet(diagnostic.span, source, style, screen):
        yield to_text(drawn, colour=screen.colour)
    if diagnostic.hint:
        hint = line(Piece("  hint: ", Style.NOTE), one_line(diagnostic.hint))
        yield to_text(hint, colour=screen.colour)
    for span, why in diagnostic.related:
        note = line(Piece(f"  {one_line(path)}:{span.start}: note: ", Style.FAINT), one_line(why))
        yield to_text(note, colour=screen.colour)


def draw_snippet(span: Span, source: list[str], style: Style, screen: Screen) -> list[Line]:
    """Return the span's first line and, below it, carets under what is meant; nothing outside the text.

    Tabs become four blanks; a long line is shown from a little before the span on.
    """
    number = span.start.line
    if not 1 <= number <= len(source):
        return []
    text = source[number - 1].rstrip("\r")
    start = max(0, min(span.start.column - 1, len(text)))
    end = span.end.column - 1 if span.end.line == number else len(text)
    gutter = f"{number:>5} {screen.glyphs.bar} "
    room = max(20, screen.width - cell_width(gutter) - 1)
    skipped = 0 if cell_width(_visible(text[:end])) <= room else max(0, start - room // 3)
    lead = screen.glyphs.ellipsis if skipped else ""
    before = lead + _visible(text[skipped:start])
    meant = _visible(text[start : max(end, start)])
    after = _visible(text[max(end, start) :])
    shown = _cut(before + meant + after, room)
    carets = "^" * max(1, min(cell_width(meant), room - cell_width(before)))
    blank = " " * 5 + f" {screen.glyphs.bar} "
    return [
        line(Piece(gutter, Style.FAINT), shown),
        line(Piece(blank, Style.FAINT), " " * cell_width(before), Piece(carets, style)),
    ]


def _visible(text: str) -> str:
    return sanitise(text.replace("\t", _TAB), colour=False)


def _cut(text: str, room: int) -> str:
    while cell_width(text) > room:
        text = text[: room - (cell_width(text) - len(text))]
    return text
