"""Reading a PowerShell script just far enough to know where each value would stand.

Much simpler than the shell's reader and stricter: only arguments, operands and double-quoted text take a
value, and a script that can run text as code takes none. Source: about_Quoting_Rules, about_Parsing.
"""

from __future__ import annotations

import re

from pawl.core.steps.shell_tokens import Slot, UnreadableError

_RUNS_TEXT = re.compile(
    r"(?i)(?<![\w-])(?:iex|icm|invoke-(?:expression|command|item|cimmethod|wmimethod|script\w*)|start-(?:process|job)"
    r"|saps|add-type|new-alias|set-alias|cmd|bash|sh|wsl|ssh|powershell|pwsh|python[0-9.]*|node|perl|ruby"
    r"|scriptblock|newscriptblock|invokescript|expandstring|set-item|new-item)(?:\.exe)?(?![\w-])"
)
_BEFORE_VALUE = frozenset(" \t=(,/-_+~%")


class PowerShellReader:
    """Reads one script once."""

    def __init__(self, script: str, mark: str) -> None:
        """Take the script and the character that marks values."""
        self._text = script
        self._mark = mark
        self._at = 0
        self._slots: list[Slot] = []

    def read(self) -> list[Slot]:
        """Return the slots in the order of the marks.

        Raises:
            UnreadableError: the script cannot be followed.
        """
        runner = _RUNS_TEXT.search(self._text)
        while self._at < len(self._text):
            self._step()
        if runner is not None:
            for slot in self._slots:
                slot.refuse(f"in a script with `{runner[0]}`, which can run text as code")
        return self._slots

    def _step(self) -> None:
        text, at = self._text, self._at
        if text[at] == self._mark:
            self._bare()
        elif text.startswith("<#", at):
            self._comment("#>")
        elif text[at] == "#":
            self._comment("\n")
        elif text.startswith('@"', at):
            self._quoted('\n"@', 2)
        elif text.startswith("@'", at):
            self._literal("\n'@", 2)
        elif text[at] in '"\u201c\u201d\u201e':
            self._double()
        elif text[at] in "'\u2018\u2019\u201a\u201b":
            self._single()
        else:
            self._at += 2 if text[at] == "`" and text[at + 1 : at + 2] != self._mark else 1

    def _line_before(self) -> str:
        return self._text[self._text.rfind("\n", 0, self._at) + 1 : self._at]

    def _bare(self) -> None:
        slot = Slot(self._at, "", "")
        before = self._line_before()
        words = re.split(r"[;|{}]|&&", before)[-1]
        if not before.strip() or not words.strip() or words.strip() in ("&", "."):
            slot.refuse("where a command or a statement begins")
        elif before[-1] not in _BEFORE_VALUE and not (before[-1].isalnum() and before[-1].isascii()):
            slot.refuse("beside a sign that could give it another meaning")
        elif re.search(r"(?:^|[\s(=,;|{])[&.][\s(]*$", before):
            slot.refuse("where the name of a command stands")
        elif re.match(r"[\s]*[\[.:(]", self._text[self._at + 1 : self._at + 3]):
            slot.refuse("where it would be indexed or called")
        self._slots.append(slot)
        self._at += 1

    def _comment(self, end: str) -> None:
        stop = self._text.find(end, self._at)
        stop = len(self._text) if stop < 0 else stop
        self._slots += [
            Slot(offset, "", "") for offset in range(self._at, stop) if self._text[offset] == self._mark
        ]
        self._at = stop + (len(end) if end != "\n" else 0)

    def _literal(self, end: str, opening: int) -> None:
        stop = self._text.find(end, self._at + opening)
        if stop < 0:
            raise UnreadableError("a quote is not closed")
        for offset in range(self._at, stop):
            if self._text[offset] == self._mark:
                self._slots.append(Slot(offset, "", "", "in single quotes; use double quotes"))
        self._at = stop + len(end)

    def _single(self) -> None:
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in "'\u2018\u2019\u201a\u201b":
                self._at += 1
                return
            if character == self._mark:
                self._slots.append(Slot(self._at, "", "", "in single quotes; use double quotes"))
            self._at += 1
        raise UnreadableError("a single quote is not closed")

    def _double(self) -> None:
        before = self._line_before().rstrip()
        called = before.endswith("&") or re.search(r"(?:^|[\s;|({])\.$", before) is not None
        self._at += 1
        self._expandable('"\u201c\u201d\u201e', "where the name of a command stands" if called else None)

    def _quoted(self, end: str, opening: int) -> None:
        stop = self._text.find(end, self._at)
        if stop < 0:
            raise UnreadableError("a here-string is not closed")
        self._at += opening
        while self._at < stop:
            self._inside(None)
        self._at = stop + len(end)

    def _expandable(self, ends: str, refusal: str | None) -> None:
        while self._at < len(self._text):
            if self._text[self._at] in ends:
                self._at += 1
                return
            self._inside(refusal)
        raise UnreadableError("a double quote is not closed")

    def _inside(self, refusal: str | None) -> None:
        text, at = self._text, self._at
        if text[at] == self._mark:
            slot = Slot(at, "", "", refusal)
            if text[at - 1] in "$`":
                slot.refuse("behind a sign that gives it another meaning")
            self._slots.append(slot)
            self._at += 1
        elif text[at] == "`" and text[at + 1 : at + 2] != self._mark:
            self._at += 2
        elif text.startswith("$(", at):
            self._subexpression()
        else:
            self._at += 1

    def _subexpression(self) -> None:
        """Read `$(...)` in text: no value can stand in it."""
        depth = 0
        while self._at < len(self._text):
            character = self._text[self._at]
            depth += (character == "(") - (character == ")")
            if character == self._mark:
                self._slots.append(Slot(self._at, "", "", "in a subexpression inside quotes"))
            if character in "'\"`":
                raise UnreadableError("quotes in a subexpression inside quotes")
            self._at += 1
            if character == ")" and depth == 0:
                return
        raise UnreadableError("a subexpression is not closed")
