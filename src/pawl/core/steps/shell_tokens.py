"""What the shell reader finds in a script: words, commands, and the slots where values are to stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

DYNAMIC = "\x01"
"""In a word's text: an expansion whose outcome is not known here."""


@dataclass(slots=True)
class Slot:
    """One place where an outsider's value is to stand.

    Attributes:
        offset: of its mark in the script.
        before, after: what the reference to the variable must be surrounded with there.
        refusal: why no reference can stand there, or None.
    """

    offset: int
    before: str
    after: str
    refusal: str | None = None

    def refuse(self, reason: str) -> None:
        """Note why no reference can stand here; the first reason stays."""
        self.refusal = self.refusal or reason


@dataclass(slots=True)
class Word:
    """One word: its text without quotes (slots and expansions as `DYNAMIC`), its source, its slots."""

    text: str = ""
    source: str = ""
    slots: list[Slot] = field(default_factory=list)

    @property
    def is_literal(self) -> bool:
        """Whether the text is known: no slot and no expansion in it."""
        return DYNAMIC not in self.text

    @property
    def starts_with_slot(self) -> bool:
        """Whether an outsider decides how the word begins."""
        return bool(self.slots) and self.text.startswith(DYNAMIC)


@dataclass(slots=True)
class Command:
    """One simple command, `[[ ]]` or head of a compound one.

    Attributes:
        assignments: `NAME=value` words before it.
        words: its name and arguments.
        fed: slots in its here-documents and here-strings.
        fed_text: the source of those in which variables are expanded.
        is_compound: what it stands for has other commands inside that share its input.
    """

    assignments: list[Word] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    fed: list[Slot] = field(default_factory=list)
    fed_text: str = ""
    is_compound: bool = False

    def argument_slots(self) -> Iterator[Slot]:
        """Yield the slots in its words."""
        for word in self.words:
            yield from word.slots

    def slots(self) -> Iterator[Slot]:
        """Yield every slot whose value reaches it or its output."""
        yield from self.argument_slots()
        yield from self.fed

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return not (self.assignments or self.words or self.fed)


@dataclass(frozen=True, slots=True)
class HereDocument:
    """A here-document whose text is still to come."""

    delimiter: str
    quoted: bool
    strips_tabs: bool
    command: Command


class UnreadableError(Exception):
    """The script cannot be followed with certainty; the message says where."""
