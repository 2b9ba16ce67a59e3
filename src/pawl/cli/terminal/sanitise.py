"""A sieve for text from outside: nothing that can move the cursor, retitle a window or lie about order."""

from __future__ import annotations

import re

# CSI, OSC, the other string sequences, then two-character ones. Every alternative is linear: no repeated
# group can match the same characters in two ways.
_ESCAPE = re.compile(
    "\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]?"
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|[ -/]*[0-~]?"
    ")"
)
_SGR = re.compile("\x1b\\[[0-9;:]*m")
# C0 but tab and newline, DEL, C1, and the characters that turn the direction of writing (Trojan Source).
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
RESET = "\x1b[0m"


def sanitise(text: str, *, colour: bool) -> str:
    """Return `text` fit for a terminal: colours stay if `colour`, every other control is gone.

    A carriage return restarts the line, as on a terminal, so progress bars show their last state. Tabs and
    newlines stay. Text that leaves a colour on gets a reset at its end.
    """
    if text.isprintable():
        return text
    if "\r" in text:
        text = "\n".join(_after_return(line) for line in text.split("\n"))
    kept_colour = False

    def replace(match: re.Match[str]) -> str:
        nonlocal kept_colour
        if colour and _SGR.fullmatch(match[0]):
            kept_colour = True
            return match[0].replace("\x1b", "\ue000")  # a stand-in, so that the next sieve lets it pass
        return ""

    text = _CONTROL.sub("", _ESCAPE.sub(replace, text.replace("\ue000", "")))
    return text.replace("\ue000", "\x1b") + RESET if kept_colour else text


def _after_return(line: str) -> str:
    line = line.rstrip("\r")
    return line.rpartition("\r")[2]


def one_line(text: str) -> str:
    """Return `text` on one line without any control, for names and reasons inside our own lines."""
    return " ".join(sanitise(text, colour=False).split())
