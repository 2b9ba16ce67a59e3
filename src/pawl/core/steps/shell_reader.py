"""Reading a POSIX shell or bash script just far enough to know where each value would stand.

The script comes with a mark in each place where an outsider's value is to stand. `ShellReader` follows
quoting, expansions, here-documents and commands, and says for each mark how a reference to a variable
is written there, or why none can be. Anything it cannot follow with certainty makes it give up, and
then no value is allowed anywhere. Source: POSIX shell command language; bash(1).
"""

from __future__ import annotations

import re

from pawl.core.steps.shell_flow import evaluated_in_test, refuse_later_evaluation, texts_run_as_input
from pawl.core.steps.shell_tokens import DYNAMIC, Command, HereDocument, Slot, UnreadableError, Word
from pawl.core.steps.shell_verdicts import declares_integers, judge, judge_chain, judge_test, reads_code
from pawl.core.steps.shell_words import WordReader

_MAX_DEPTH = 40
_BLANKS = " \t"
_META = " \t\n;&|()<>"
_CONTINUING = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{"})
_COMPOUND = frozenset({"if", "while", "until", "{", "for", "select", "case"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})
_REDIRECTION = re.compile(r"<<<|<<-|<<|<&|<>|<|>>|>&|>\||>|&>>|&>")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z_0-9]*(?:\[|\+?=)")
_NUMBER = re.compile(r"[0-9]+|\{[A-Za-z_][A-Za-z_0-9]*\}")


class ShellReader(WordReader):
    """Reads one script once."""

    def read(self) -> list[Slot]:
        """Return the slots in the order of the marks.

        Raises:
            UnreadableError: the script cannot be followed.
        """
        self._list(closing="")
        self._judge()
        return self._slots

    def _judge(self) -> None:
        integers = declares_integers(self._text)
        doubtful: list[Slot] = []
        commands = [command for chain in self.chains for command in chain]
        run_input = [text for chain in self.chains for text in texts_run_as_input(chain)]
        refuse_later_evaluation(commands, [*self._evaluated, *run_input])
        for chain in self.chains:
            for command in chain:
                judge(command, integers=integers)
            doubtful += judge_chain(chain)
            if self._feeds_code_from_afar(chain):
                doubtful += self._slots
        if any(reads_code(command) for command in commands):
            for slot in doubtful:
                slot.refuse("in what flows into commands one of which runs its input")

    def _feeds_code_from_afar(self, chain: list[Command]) -> bool:
        """Return whether the output of a compound command, or maybe of a function, is run."""
        reader = next((n for n, command in enumerate(chain) if n and reads_code(command)), 0)
        return any(command.is_compound or self._has_functions for command in chain[:reader])

    # -- commands -----------------------------------------------------------------------------------

    def _list(self, *, closing: str) -> list[Slot]:
        """Read commands up to `closing` (`)` or the end of the script); return the slots in them."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._lost("commands are nested too deep")
        first_slot = len(self._slots)
        reading = _Commands(self, nested=bool(closing))
        while self._at < len(self._text):
            if self._peek() == ")" and closing and reading.groups == 0:
                break
            self._step(reading)
        if closing and self._peek() != closing:
            raise self._lost("a `$(` is not closed")
        self._at += len(closing)
        reading.end_chain()
        self._depth -= 1
        return self._slots[first_slot:]

    def _step(self, reading: _Commands) -> None:
        """Read one token."""
        character = self._peek()
        if character in _BLANKS:
            self._at += 1
        elif self._peek(2) == "\\\n":
            self._at += 2
        elif character == "\n":
            self._at += 1
            reading.end_line()
            self._here_documents()
        elif character == "#":
            self._comment()
        elif self._peek(2) in ("<(", ">(") and self._bash:
            reading.add(self._process_substitution())
        elif (operator := _REDIRECTION.match(self._text, self._at)) is not None:
            self._redirection(operator[0], reading)
        elif character in ";&|()":
            self._operator(reading)
        else:
            reading.add(self._word())

    def _operator(self, reading: _Commands) -> None:
        character = self._peek()
        if character == "(":
            self._parenthesis(reading)
            return
        self._at += 1
        if character == ")":
            reading.close_group()
        elif character == "|" and self._peek() != "|":
            self._at += self._peek() == "&"
            reading.end_command(piped=True)
        else:
            self._at += self._peek() in ("&", "|", ";") and self._peek() == character
            self._at += character == ";" and self._peek() == "&"
            reading.end_chain()

    def _parenthesis(self, reading: _Commands) -> None:
        command = reading.command
        loop = [word.text for word in command.words] == ["for"]
        if self._peek(2) == "((" and (command.is_empty or loop):
            self._at += 2
            self._arithmetic()
        elif command.is_empty:
            self._at += 1
            reading.open_group()
        elif _is_function_head(command) and re.compile(r"\([ \t]*\)").match(self._text, self._at):
            self._has_functions = True
            self._at = self._text.index(")", self._at) + 1
            reading.end_chain()  # the head of a function; a slot in its name stands as a command's name
        else:
            raise self._lost("an opening parenthesis where none is expected")

    def _redirection(self, operator: str, reading: _Commands) -> None:
        if operator in ("&>", "&>>") and not self._bash:
            raise self._lost("an `&>`, which shells read differently")
        self._at += len(operator)
        while self._peek() in (" ", "\t") or self._peek(2) == "\\\n":
            self._at += 1 if self._peek() in _BLANKS else 2
        if self._bash and self._peek(2) in ("<(", ">("):
            reading.command.fed += self._process_substitution().slots
            return
        start = self._at
        target = self._word()
        if operator in ("<<", "<<-"):
            source = self._text[start : self._at]
            if not target.is_literal or not source:
                raise self._lost("a here-document whose delimiter is not plain")
            quoted = any(sign in source for sign in "'\"\\")
            self._waiting.append(HereDocument(target.text, quoted, operator == "<<-", reading.command))
        elif operator == "<<<":
            reading.command.fed += target.slots
            reading.command.fed_text += target.source
        elif operator in (">&", "<&"):
            for slot in target.slots:
                slot.refuse("behind a redirection that takes numbers")

    def _process_substitution(self) -> Word:
        writes = self._peek() == ">"
        self._at += 2
        first = len(self.chains)
        slots = self._list(closing=")")
        if writes and any(reads_code(command) for chain in self.chains[first:] for command in chain):
            raise self._lost("output that flows into commands one of which runs its input")
        return Word(text=DYNAMIC, source="<()", slots=slots)

    # -- here-documents -----------------------------------------------------------------------------

    def _here_documents(self) -> None:
        waiting, self._waiting = self._waiting, []
        for document in waiting:
            start = self._at
            end, after = self._here_end(document)
            first_slot = len(self._slots)
            if document.quoted:
                for offset in range(self._at, end):
                    if self._text[offset] == self._mark:
                        self._slots.append(Slot(offset, "", "", "in a here-document with a quoted delimiter"))
            else:
                self._here_body(end)
            document.command.fed += self._slots[first_slot:]
            document.command.fed_text += "" if document.quoted else self._text[start:end]
            self._at = after

    def _here_end(self, document: HereDocument) -> tuple[int, int]:
        """Return where the body ends and where the text goes on."""
        start = self._at
        while start < len(self._text):
            stop = self._text.find("\n", start)
            stop = len(self._text) if stop < 0 else stop
            line = self._text[start:stop]
            if (line.lstrip("\t") if document.strips_tabs else line) == document.delimiter:
                return start, min(stop + 1, len(self._text))
            start = stop + 1
        return len(self._text), len(self._text)

    def _here_body(self, end: int) -> None:
        scratch = Word()
        while self._at < end:
            self._in_double(scratch, self._peek())
        if self._at > end:
            raise self._lost("an expansion that reaches over the end of a here-document")

    # -- tests --------------------------------------------------------------------------------------

    def conditional(self) -> list[Word]:
        """Read `[[ ... ]]` from behind its opening; return its words, judged."""
        words: list[Word] = []
        while True:
            character = self._peek()
            if not character:
                raise self._lost("a `[[` is not closed")
            if character in " \t\n":
                self._at += 1
            elif self._peek(2) in ("&&", "||"):
                words.append(Word(text=self._peek(2)))
                self._at += 2
            elif character in "()<>":
                words.append(Word(text=character))
                self._at += 1
            elif character in ";&|":
                raise self._lost("an operator inside `[[`")
            else:
                pattern = bool(words) and words[-1].text in ("=~", "==", "=", "!=")
                words.append(self._word(literal="(|)<>&;" if pattern else ""))
            if words and words[-1].source == "]]":
                judge_test(words, numeric=False)
                self._evaluated += evaluated_in_test(words)
                return words

    # -- for _Commands ------------------------------------------------------------------------------

    def is_number_of_redirection(self, word: Word) -> bool:
        """Return whether `word` is the file descriptor of the redirection that follows at once."""
        return self._peek() in ("<", ">") and _NUMBER.fullmatch(word.source) is not None

    def is_assignment(self, word: Word) -> bool:
        """Return whether `word` sets a variable when it stands before a command."""
        assigned = _ASSIGNED.match(word.source.replace("\\\n", ""))
        if assigned is not None and assigned[0].endswith("+=") and not self._bash:
            raise self._lost("a `+=`, which shells read differently")
        return assigned is not None

    def note_function(self) -> None:
        """Note that the script defines a function, whose output may flow anywhere."""
        self._has_functions = True

    def unreadable(self, where: str) -> UnreadableError:
        """Return the error for giving up here."""
        return self._lost(where)


def _is_function_head(command: Command) -> bool:
    names = [word.text for word in command.words]
    return not command.assignments and (len(names) == 1 or (len(names) == 2 and names[0] == "function"))


class _Commands:
    """The command being read and the pipeline it belongs to."""

    def __init__(self, reader: ShellReader, *, nested: bool) -> None:
        self._reader = reader
        self._nested = nested
        self.groups = 0
        self.command = Command()
        self._chain: list[Command] = []
        self._piped = False

    def add(self, word: Word) -> None:
        """Take the next word of the command."""
        if self._reader.is_number_of_redirection(word):
            return
        command = self.command
        plain = word.source == word.text
        if not command.words and plain and word.text in _COMPOUND | _CLOSING:
            command.is_compound = True
        if not command.words and plain and word.text == "function":
            self._reader.note_function()
        if not command.words and plain and word.text == "case" and (self._nested or self.groups):
            raise self._reader.unreadable("a `case` inside parentheses")
        if not command.words and plain and word.text in _CONTINUING:
            return
        if not command.words and plain and word.text == "[[":
            for part in self._reader.conditional():
                command.words.append(part)
            command.words.insert(0, Word(text=":", source=":"))
            return
        if not command.words and self._reader.is_assignment(word):
            command.assignments.append(word)
            return
        command.words.append(word)
        self._check_loop_name(command)

    def _check_loop_name(self, command: Command) -> None:
        names_loop = command.words[0].text in ("for", "select") and len(command.words) == 2
        if names_loop:
            for slot in command.words[1].slots:
                slot.refuse("in the name of a loop's variable")

    def open_group(self) -> None:
        """Enter `(`."""
        self.groups += 1
        self.command.is_compound = True

    def close_group(self) -> None:
        """Leave `(`, or the pattern of a `case`."""
        self.end_chain()
        self.groups = max(0, self.groups - 1)
        self.command.is_compound = True  # what is fed to it goes to the commands inside

    def end_command(self, *, piped: bool) -> None:
        """Take the command as complete."""
        if not self.command.is_empty or self.command.is_compound:
            self._chain.append(self.command)
        self.command = Command()
        self._piped = piped

    def end_line(self) -> None:
        """Take the end of a line, which ends the command unless a pipe stands before it."""
        if not (self._piped and self.command.is_empty):
            self.end_chain()

    def end_chain(self) -> None:
        """Take the pipeline as complete; it is judged at the end, when all here-documents are read."""
        self.end_command(piped=False)
        if self._chain:
            self._reader.chains.append(self._chain)
            self._chain = []
