"""Reading the words of a shell script: quotes, expansions, arithmetic, arrays.

Source: POSIX shell command language, sections 2.2 and 2.6; bash(1), QUOTING and EXPANSION.
"""

from __future__ import annotations

import re

from pawl.core.steps.shell_tokens import DYNAMIC, Command, HereDocument, Slot, UnreadableError, Word

_META = " \t\n;&|()<>"


class WordReader:
    """The part of `ShellReader` that reads words. `_list`, for commands inside words, is its heir's."""

    def __init__(self, script: str, mark: str, *, bash: bool) -> None:
        """Take the script, the character that marks values, and whether it is certainly bash's."""
        self._text = script
        self._mark = mark
        self._bash = bash
        self._at = 0
        self._depth = 0
        self._slots: list[Slot] = []
        self._waiting: list[HereDocument] = []
        self._refusal: str | None = None  # why no slot can stand in the part now read
        self._has_functions = False
        self.chains: list[list[Command]] = []
        self._evaluated: list[str] = []  # texts in which bash evaluates the values of variables

    # -- characters ---------------------------------------------------------------------------------

    def _peek(self, length: int = 1) -> str:
        return self._text[self._at : self._at + length]

    def _slot(self, before: str, after: str, refusal: str | None = None) -> Slot:
        """Note the mark at the current place and step over it."""
        slot = Slot(self._at, before, after, refusal or self._refusal)
        if self._at and self._text[self._at - 1] in "\\$":
            slot.refuse("behind a backslash or a dollar sign")
        self._slots.append(slot)
        self._at += 1
        return slot

    def _lost(self, where: str) -> UnreadableError:
        line = self._text.count("\n", 0, self._at) + 1
        return UnreadableError(f"{where} (line {line} of the script)")

    # -- words --------------------------------------------------------------------------------------

    def _word(self, literal: str = "") -> Word:
        """Read a word; `literal` are signs that do not end it here."""
        word = Word()
        start = self._at
        while self._at < len(self._text):
            character = self._peek()
            if character in _META and character not in literal:
                if character == "(" and self._bash and _is_array(self._text[start : self._at]):
                    self._array(word)
                    continue
                break
            if character == self._mark:
                word.text += DYNAMIC
                word.slots.append(self._slot('"', '"'))
            elif character == "\\":
                self._backslash(word, always=True)
            elif character == "'":
                self._single(word)
            elif character == '"':
                self._double(word)
            elif character == "$":
                self._dollar(word, in_double=False)
            elif character == "`":
                self._backticks(word)
            else:
                word.text += character
                self._at += 1
        word.source = self._text[start : self._at]
        if "\n" in word.source and self._waiting:
            raise self._lost("a here-document that begins inside another construct")
        return word

    def _comment(self) -> None:
        while self._at < len(self._text) and self._peek() != "\n":
            if self._peek() == self._mark:
                self._slot("", "")
                self._slots[-1].refusal = None  # a comment is harmless anywhere
            else:
                self._at += 1

    def _array(self, word: Word) -> None:
        self._at += 1
        while self._peek() != ")":
            if not self._peek():
                raise self._lost("an array is not closed")
            if self._peek() in (" ", "\t", "\n"):
                self._at += 1
            elif self._peek() == "#":
                self._comment()
            elif self._peek() in _META:
                raise self._lost("an array with an operator in it")
            else:
                element = self._word()
                if element.text.startswith("["):
                    for slot in element.slots:
                        slot.refuse("in an array element with a subscript")
                word.slots += element.slots
        self._at += 1
        word.text += DYNAMIC

    def _backslash(self, word: Word, *, always: bool) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        self._at += 1
        if following == self._mark:
            word.text += DYNAMIC
            word.slots.append(self._slot("", ""))
        elif following:
            self._at += 1
            if following != "\n":
                word.text += following if always or following in '$`"\\' else "\\" + following
        else:
            raise self._lost("a backslash at the end")

    def _single(self, word: Word) -> None:
        self._at += 1
        while self._peek() != "'":
            if not self._peek():
                raise self._lost("a single quote is not closed")
            if self._peek() == self._mark:
                word.text += DYNAMIC
                slot = Slot(self._at, "'\"", "\"'", self._refusal)
                self._slots.append(slot)
                word.slots.append(slot)
            else:
                word.text += self._peek()
            self._at += 1
        self._at += 1

    def _double(self, word: Word) -> None:
        self._at += 1
        while self._peek() != '"':
            character = self._peek()
            if not character:
                raise self._lost("a double quote is not closed")
            self._in_double(word, character)
        self._at += 1

    def _in_double(self, word: Word, character: str) -> None:
        """Read one thing of what stands in double quotes, or in a here-document."""
        if character == self._mark:
            word.text += DYNAMIC
            word.slots.append(self._slot("", ""))
        elif character == "\\":
            self._backslash(word, always=False)
        elif character == "$":
            self._dollar(word, in_double=True)
        elif character == "`":
            self._backticks(word)
        else:
            word.text += character
            self._at += 1

    def _backticks(self, word: Word) -> None:
        self._at += 1
        while self._peek() != "`":
            if not self._peek():
                raise self._lost("a backtick is not closed")
            if self._peek() == "\\" and self._text[self._at + 1 : self._at + 2] != self._mark:
                self._at += 2
            elif self._peek() == self._mark:
                word.slots.append(self._slot("", "", "inside backticks; use `$(...)`"))
            else:
                self._at += 1
        self._at += 1
        word.text += DYNAMIC

    def _ansi_quote(self, word: Word) -> None:
        """Read `$'...'`, which is bash's alone."""
        self._at += 2
        while self._peek() != "'":
            if not self._peek() or (self._peek() == "\\" and not self._bash):
                raise self._lost("a `$'` quote that shells read differently")
            if self._peek() == "\\":
                self._at += 1
                if self._peek() == self._mark:
                    word.slots.append(self._slot("", ""))
                else:
                    self._at += 1
            elif self._peek() == self._mark:
                refusal = None if self._bash else "in a `$'` quote, which only bash knows"
                slot = Slot(self._at, "'\"", "\"$'", refusal or self._refusal)
                self._slots.append(slot)
                word.slots.append(slot)
                self._at += 1
            else:
                self._at += 1
        self._at += 1
        word.text += DYNAMIC

    # -- expansions ---------------------------------------------------------------------------------

    def _dollar(self, word: Word, *, in_double: bool) -> None:
        if self._peek(3) == "$((":
            self._at += 3
            word.slots += self._arithmetic()
        elif self._peek(2) == "$(":
            self._at += 2
            word.slots += self._list(closing=")")
        elif self._peek(2) == "${":
            self._at += 2
            self._parameter(word, in_double=in_double)
        elif self._peek(2) == "$[":
            raise self._lost("a `$[`, which shells read differently")
        elif self._peek(2) == "$'" and not in_double:
            self._ansi_quote(word)
            return
        else:
            name = re.compile(r"\$(?:[A-Za-z_][A-Za-z_0-9]*|[0-9@*#?$!-])").match(self._text, self._at)
            self._at = self._at + 1 if name is None else name.end()
        word.text += DYNAMIC

    def _parameter(self, word: Word, *, in_double: bool) -> None:
        """Read `${...}` from behind its brace. Only behind `:-`, `-`, `:+` and `+` is room for a value."""
        head = re.compile(r"(?:[A-Za-z_][A-Za-z_0-9]*|[0-9]+|[@*#?$!-])(:?[-+])").match(self._text, self._at)
        outer, start = self._refusal, self._at
        if head is None:
            self._refusal = outer or "in an expansion that changes or indexes a variable"
        else:
            self._at = head.end()
        inner = Word()
        while self._peek() != "}":
            character = self._peek()
            if not character:
                raise self._lost("a `${` is not closed")
            if in_double and character in "'\"":
                self._refusal = self._refusal or "in an expansion with quotes inside quotes"
            if character == "'" and not in_double:
                self._single(inner)
            elif character == '"':
                self._double(inner)
            elif character == self._mark and not in_double:
                inner.slots.append(self._slot('"', '"'))
            else:
                self._in_double(inner, character)
        word.slots += inner.slots
        if head is None:
            # The variable that is expanded itself is not evaluated, only what stands behind it.
            self._evaluated += re.split(r"[\[:]", self._text[start : self._at], maxsplit=1)[1:]
        self._at += 1
        self._refusal = outer

    def _arithmetic(self) -> list[Slot]:
        """Read up to the `))`; return the slots in it, all refused."""
        first_slot, start = len(self._slots), self._at
        outer, self._refusal = self._refusal, self._refusal or "in arithmetic, which bash evaluates again"
        depth = 0
        scratch = Word()
        while True:
            character = self._peek()
            if not character:
                raise self._lost("arithmetic is not closed")
            if character == ")" and depth == 0:
                break
            depth += (character == "(") - (character == ")")
            if character == "'":
                self._single(scratch)
            elif character == '"':
                self._double(scratch)
            else:
                self._in_double(scratch, character)
        self._evaluated.append(self._text[start : self._at])
        if self._peek(2) != "))":
            raise self._lost("parentheses that are arithmetic or commands")
        self._at += 2
        self._refusal = outer
        return self._slots[first_slot:]

    def _list(self, *, closing: str) -> list[Slot]:
        raise self._lost(f"commands up to `{closing}`, which only the whole reader can read")


def _is_array(source: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*\+?=", source) is not None
