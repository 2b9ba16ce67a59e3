"""Filter patterns of `on:`: branches, tags and paths.

The rules are GitHub's (documentation, workflow syntax, "Filter pattern cheat sheet"; requirement L10): `*` is
anything but `/`, `**` anything, `**/` also nothing, `?` and `+` quantify the character before them, `[a-z]`
is one of a set, a backslash takes the next character as it is, a leading `!` takes matches out again.
Matching is anchored at both ends and case-sensitive.

A pattern is text of an outsider, so no backtracking engine sees it: it becomes a bit-parallel automaton whose
states are made when a text first needs them, one look-up a character afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

PatternKind = Literal["ref", "path"]

MAX_LENGTH = 1000
"""Characters a pattern may have; git itself refuses longer names."""

_MAX_STATES = 4000
"""Automaton transitions kept in memory for one pattern; more are computed again when needed."""

_ESCAPABLE = frozenset("[]?*+\\!")
_NEVER_IN_REFS = frozenset(" \t~^:?*[\\")


class PatternProblem(NamedTuple):
    """What is wrong with a pattern: at which character (from 0), and whether GitHub rejects the file."""

    offset: int
    message: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class _Atom:
    """One place of the pattern: which characters move on, and which stay on the spot."""

    advances: Callable[[str], bool]
    stays: Callable[[str], bool]
    optional: bool = False
    jumps: bool = False
    """Whether the next atom too may be left out together with this one (`**/` matching nothing)."""
    literal: str | None = None


def _any(_char: str) -> bool:
    return True


def _never(_char: str) -> bool:
    return False


def _not_slash(char: str) -> bool:
    return char != "/"


class _State(dict[str, "_State"]):
    """A set of places as a bit mask, and where each character seen so far leads."""

    __slots__ = ("machine", "mask")

    def __init__(self, machine: _Machine, mask: int) -> None:
        super().__init__()
        self.machine = machine
        self.mask = mask

    def __missing__(self, char: str) -> _State:
        return self.machine.step(self, char)


class _Machine:
    """The automaton of one pattern. Its only mutable part is the memory of steps, which is bounded."""

    __slots__ = ("_atoms", "_jumping", "_optional", "_remembered", "_states", "final", "start")

    def __init__(self, atoms: Sequence[_Atom]) -> None:
        self._atoms = tuple(atoms)
        self._optional = sum(1 << place for place, atom in enumerate(atoms) if atom.optional)
        self._jumping = sum(1 << place for place, atom in enumerate(atoms) if atom.jumps)
        self._states: dict[int, _State] = {}
        self._remembered = 0
        self.final = 1 << len(atoms)
        self.start = self._state(self._close(1))

    def matches(self, text: str) -> bool:
        state = self.start
        for char in text:
            state = state[char]
            if not state.mask:
                return False
        return bool(state.mask & self.final)

    def step(self, state: _State, char: str) -> _State:
        """Return the state after `char`; remember it while there is room."""
        after = 0
        mask = state.mask
        while mask:
            bit = mask & -mask
            mask ^= bit
            if bit == self.final:
                continue
            atom = self._atoms[bit.bit_length() - 1]
            if atom.advances(char):
                after |= bit << 1
            if atom.stays(char):
                after |= bit
        following = self._state(self._close(after))
        if self._remembered < _MAX_STATES:
            self._remembered += 1
            state[char] = following
        return following

    def _state(self, mask: int) -> _State:
        known = self._states.get(mask)
        if known is None:
            known = _State(self, mask)
            if len(self._states) < _MAX_STATES:
                self._states[mask] = known
        return known

    def _close(self, mask: int) -> int:
        """Add the places reachable without a character.

        A run of optional places is crossed by one addition: the carry runs through it.
        """
        before = -1
        while mask != before:
            before = mask
            mask |= (self._optional + (mask & self._optional)) ^ self._optional
            mask |= (mask & self._jumping) << 2
        return mask


class _Reader:
    """Reads a pattern once, left to right, into atoms and problems."""

    def __init__(self, text: str, kind: PatternKind, start: int) -> None:
        self.text = text
        self.kind = kind
        self.at = start
        self.atoms: list[_Atom] = []
        self.problems: list[PatternProblem] = []
        self.quantifiable = False

    def read(self) -> None:
        while self.at < len(self.text):
            char = self.text[self.at]
            match char:
                case "*":
                    self._stars()
                case "?" | "+":
                    self._quantifier(char)
                case "[":
                    self._set()
                case "\\":
                    self._escape()
                case "\n" | "\r":
                    self._problem(self.at, "a pattern cannot hold a line break", is_error=True)
                    self._literal(char)
                case _:
                    if self.kind == "ref" and char in _NEVER_IN_REFS:
                        self._useless(self.at, f"a branch or tag name never holds `{char}`")
                    self._literal(char)

    def _problem(self, offset: int, message: str, *, is_error: bool) -> None:
        self.problems.append(PatternProblem(offset, message, is_error))

    def _useless(self, offset: int, message: str) -> None:
        self._problem(offset, f"{message}, so this can never match", is_error=False)

    def _literal(self, char: str) -> None:
        self.atoms.append(_Atom(char.__eq__, _never, literal=char))
        self.quantifiable = True
        self.at += 1

    def _stars(self) -> None:
        self.quantifiable = False
        if not self.text.startswith("**", self.at):
            self.atoms.append(_Atom(_never, _not_slash, optional=True))
            self.at += 1
        elif self.text.startswith("**/", self.at):
            # (.+/)? : the first character, then any up to a slash.
            if not (len(self.atoms) > 1 and self.atoms[-2].jumps):  # `**/**/` says no more than `**/`
                self.atoms.append(_Atom(_any, _never, jumps=True))
                self.atoms.append(_Atom("/".__eq__, _any))
            self.at += 3
        else:
            self.atoms.append(_Atom(_never, _any, optional=True))
            self.at += 2

    def _quantifier(self, char: str) -> None:
        if not self.quantifiable:
            before = "follows nothing" if not self.atoms else "follows a character that is special itself"
            message = f"`{char}` repeats the character before it, but here it {before}"
            self._problem(self.at, message, is_error=True)
            self._literal(char)
        else:
            atom = self.atoms[-1]
            stays = atom.advances if char == "+" else _never
            self.atoms[-1] = _Atom(atom.advances, stays, optional=char == "?")
            self.at += 1
        self.quantifiable = False

    def _escape(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if not following or following in "\r\n":
            if self.kind == "ref":
                self._useless(self.at, "a branch or tag name never holds `\\`")
            self._literal("\\")
            return
        if self.kind == "ref" and following in "[]?*\\" and following not in "]\\":
            self._useless(self.at, f"a branch or tag name never holds `{following}`")
        elif self.kind == "ref" and following not in _ESCAPABLE:
            self._useless(self.at, f"`\\{following}` is no escape; only `[ ] ? + * \\ !` need one, and")
        self.at += 1
        self._literal(following)

    def _set(self) -> None:
        start = self.at
        end = self.text.find("]", start + 1)
        if end < 0:
            self._problem(start, "`[` opens a set of characters that no `]` closes", is_error=True)
            self._literal("[")
            return
        body = self.text[start + 1 : end]
        single, ranges = self._set_members(body, start + 1)
        self.atoms.append(_Atom(_in_set(single, ranges), _never))
        self.quantifiable = True
        self.at = end + 1
        if not body:
            self._problem(start, "`[]` holds no character", is_error=True)
        elif len(body) == 1:
            self._problem(start, f"`[{body}]` says no more than `{body}`", is_error=False)
        if "\n" in body or "\r" in body:
            self._problem(start, "a pattern cannot hold a line break", is_error=True)

    def _set_members(self, body: str, offset: int) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
        single: set[str] = set()
        ranges: list[tuple[str, str]] = []
        at = 0
        while at < len(body):
            if body[at + 1 : at + 2] != "-":
                single.add(body[at])
                at += 1
            elif at + 2 == len(body):
                message = f"the range `{body[at]}-` has no end"
                self._problem(offset + at + 1, message, is_error=True)
                single.update(body[at:])
                at += 2
            else:
                first, last = body[at], body[at + 2]
                if first > last:
                    message = f"the range `{first}-{last}` runs backwards"
                    self._problem(offset + at, message, is_error=True)
                ranges.append((first, last))
                at += 3
        return frozenset(single), tuple(ranges)


def _in_set(single: frozenset[str], ranges: tuple[tuple[str, str], ...]) -> Callable[[str], bool]:
    return lambda char: char in single or any(first <= char <= last for first, last in ranges)


class Pattern:
    """One compiled filter pattern. Equal when the text is equal.

    Attributes:
        text: as written, `!` included.
        negative: whether it takes matches out again.
    """

    __slots__ = ("_literal_prefix", "_machine", "negative", "text")

    def __init__(self, text: str) -> None:
        """Compile `text`. Faults that `check_pattern` reports are read as plain characters here."""
        self.text = text
        self.negative = text.startswith("!")
        reader = _Reader(text[:MAX_LENGTH], "path", 1 if self.negative else 0)
        reader.read()
        self._literal_prefix = _prefix(reader.atoms)
        self._machine = _Machine(reader.atoms)

    def matches(self, name: str) -> bool:
        """Return whether the whole of `name` matches, without regard to a leading `!`."""
        return name.startswith(self._literal_prefix) and self._machine.matches(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


def _prefix(atoms: Iterable[_Atom]) -> str:
    """Return the plain characters every match begins with: most names are told apart by them."""
    prefix = []
    for atom in atoms:
        if atom.literal is None:
            break
        prefix.append(atom.literal)
    return "".join(prefix)


def deciding_pattern(patterns: Sequence[Pattern], name: str) -> Pattern | None:
    """Return the pattern that decides about `name`: the last that matches; None when none does.

    The name is in when the pattern is not negative (GitHub docs, workflow syntax: the order matters).
    """
    return next((pattern for pattern in reversed(patterns) if pattern.matches(name)), None)


def is_included(patterns: Sequence[Pattern], name: str) -> bool:
    """Return whether a list of patterns takes `name` in. Only negative patterns take nothing in."""
    decided = deciding_pattern(patterns, name)
    return decided is not None and not decided.negative


def check_pattern(text: str, kind: PatternKind) -> list[PatternProblem]:
    """Return all that is wrong with a pattern, in the order of the text.

    Errors make GitHub reject the file (rhysd/actionlint, glob.go: broken quantifiers and sets); the rest is
    legal and useless.

    Args:
        text: the pattern, leading `!` included.
        kind: `ref` for branches and tags, `path` for paths.
    """
    if not text:
        return [PatternProblem(0, "a pattern cannot be empty", is_error=True)]
    if len(text) > MAX_LENGTH:
        message = f"a pattern may have {MAX_LENGTH:,} characters; this one has {len(text):,}"
        return [PatternProblem(MAX_LENGTH, message, is_error=True)]
    if text == "!":
        return [
            PatternProblem(
                0, "`!` takes out what the pattern after it matches, but there is none", is_error=True
            )
        ]
    start = 1 if text[0] == "!" else 0
    reader = _Reader(text, kind, start)
    reader.read()
    ends = _ref_ends(text, start) if kind == "ref" else _path_parts(text, start)
    return sorted([*reader.problems, *ends], key=lambda problem: problem.offset)


def _ref_ends(text: str, start: int) -> list[PatternProblem]:
    """Return what is useless at the ends of a ref pattern (git-check-ref-format)."""
    problems = []
    if text.startswith("/", start):
        message = "a branch or tag name never begins with `/`, so this can never match"
        problems.append(PatternProblem(start, message, is_error=False))
    if text[-1] in "/." and not text.endswith("\\.", start):
        message = f"a branch or tag name never ends with `{text[-1]}`, so this can never match"
        problems.append(PatternProblem(len(text) - 1, message, is_error=False))
    return problems


def _path_parts(text: str, start: int) -> list[PatternProblem]:
    """Return what no path in a repository can look like."""
    problems = []
    body = text[start:]
    if body != body.strip(" "):
        offset = start if body.startswith(" ") else len(text.rstrip(" "))
        message = "blanks at the ends of a path pattern are part of it, so this can hardly match"
        problems.append(PatternProblem(offset, message, is_error=False))
    at = start
    for part in body.split("/"):
        if part in {".", ".."}:
            message = (
                f"paths count from the repository's root and never hold `{part}`, so this can never match"
            )
            problems.append(PatternProblem(at, message, is_error=False))
        at += len(part) + 1
    return problems
