"""Problem matchers: finding errors and warnings in the output of compilers and linters.

Source: actions/runner IssueMatcher.cs (configuration and matching), OutputManager.cs (several matchers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pawl.core.steps.annotations import Annotation, AnnotationLevel, annotation, parse_int32
from pawl.core.steps.matcher_regex import MAX_LINE, MatcherRegex, RegexError, compile_regex

MAX_FILE = 262_144
"""Bytes of a problem matcher file."""

MAX_MATCHERS = 100
"""Matchers of one file, and of one job."""

MAX_PATTERNS = 20
"""Patterns of one matcher."""

PROPERTIES = ("file", "line", "column", "severity", "code", "message", "fromPath")
_SEVERITIES = ("", "error", "warning", "notice")
# CSI sequences, OSC sequences (titles, links) and the short escapes. Each alternative is linear.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


class MatcherError(ValueError):
    """A problem matcher file is not valid; the message says what and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherPattern:
    """One line of a problem: its expression, and which group holds which property."""

    regex: MatcherRegex
    groups: Mapping[str, int]
    loop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemMatcher:
    """What a kind of problem looks like. `owner` names it, ignoring case."""

    owner: str
    severity: str
    patterns: tuple[MatcherPattern, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem as matched: the texts of the properties that matched, by name (see `PROPERTIES`)."""

    values: Mapping[str, str]

    def annotation(self) -> Annotation | None:
        """Return the problem as an annotation, or None where it has no message or an unknown severity.

        `file` is as printed, joined to `fromPath`'s folder when relative; whether it exists and lies in
        the repository is for the caller to check (OutputManager.ConvertToIssue).
        """
        message = self.values.get("message", "")
        severity = self.values.get("severity", "").lower() or "error"
        if not message.strip() or severity not in _SEVERITIES:
            return None
        properties: dict[str, str] = {}
        for name, key in (("line", "line"), ("column", "col")):
            text = self.values.get(name, "")
            if text.isascii() and text.isdigit() and parse_int32(text) is not None:
                properties[key] = str(int(text))
        if code := self.values.get("code", "").strip():
            properties["code"] = code
        if file := self.values.get("file", ""):
            folder = self.values.get("fromPath", "").rpartition("/")[0]
            properties["file"] = f"{folder}/{file}" if folder and not file.startswith("/") else file
        return annotation(AnnotationLevel(severity), message, properties)


def parse_matcher_file(raw: bytes) -> tuple[ProblemMatcher, ...]:
    """Return the matchers of a file.

    Raises:
        MatcherError: the file is too large, not JSON, or not valid.
    """
    if len(raw) > MAX_FILE:
        raise MatcherError(f"the file holds {len(raw)} bytes; at most {MAX_FILE} are read")
    try:
        document = json.loads(raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except (ValueError, RecursionError) as fault:
        raise MatcherError(f"the file is not JSON: {fault}") from fault
    return parse_matchers(document)


def parse_matchers(document: object) -> tuple[ProblemMatcher, ...]:
    """Return the matchers of a parsed problem matcher file.

    Raises:
        MatcherError: `document` is not valid.
    """
    entries = document.get("problemMatcher") if isinstance(document, dict) else document
    if entries is None:
        return ()
    if not isinstance(document, dict) or not isinstance(entries, list):
        raise MatcherError("expected an object with a list `problemMatcher`")
    if len(entries) > MAX_MATCHERS:
        raise MatcherError(f"{len(entries)} matchers; at most {MAX_MATCHERS} are allowed")
    matchers = tuple(_matcher(entry) for entry in entries)
    seen: set[str] = set()
    for matcher in matchers:
        if matcher.owner.lower() in seen:
            raise MatcherError(f"two matchers have the owner `{matcher.owner}`")
        seen.add(matcher.owner.lower())
    return matchers


def _matcher(entry: object) -> ProblemMatcher:
    if not isinstance(entry, dict):
        raise MatcherError("each matcher must be an object")
    owner, severity = entry.get("owner") or "", entry.get("severity") or ""
    if not isinstance(owner, str) or not owner:
        raise MatcherError("a matcher has no `owner`")
    if not isinstance(severity, str) or severity.lower() not in _SEVERITIES:
        raise MatcherError(f"matcher `{owner}`: the severity must be error, warning or notice")
    patterns = entry.get("pattern")
    if not isinstance(patterns, list) or not 0 < len(patterns) <= MAX_PATTERNS:
        raise MatcherError(f"matcher `{owner}`: expected a list `pattern` of 1 to {MAX_PATTERNS} objects")
    try:
        parsed = tuple(_pattern(pattern, number, len(patterns)) for number, pattern in enumerate(patterns))
        _check_together(parsed)
    except MatcherError as fault:
        raise MatcherError(f"matcher `{owner}`: {fault}") from fault
    return ProblemMatcher(owner=owner, severity=severity, patterns=parsed)


def _check_together(patterns: tuple[MatcherPattern, ...]) -> None:
    named = [name for pattern in patterns for name in pattern.groups]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise MatcherError(f"the property `{twice}` is set twice")
    if "message" not in named:
        raise MatcherError("at least one pattern must set `message`")


def _pattern(entry: object, number: int, count: int) -> MatcherPattern:
    if not isinstance(entry, dict):
        raise MatcherError("each pattern must be an object")
    text, loop = entry.get("regexp") or "", entry.get("loop") or False
    if not isinstance(text, str) or not isinstance(loop, bool):
        raise MatcherError("`regexp` must be a text and `loop` true or false")
    if loop and (number == 0 or number < count - 1):
        raise MatcherError("only the last of several patterns may set `loop`")
    if loop and entry.get("message") is None:
        raise MatcherError("the pattern with `loop` must set `message`")
    try:
        regex = compile_regex(text)
    except RegexError as fault:
        raise MatcherError(f"`{text[:100]}`: {fault}") from fault
    groups: dict[str, int] = {}
    for name in PROPERTIES:
        group = entry.get(name)
        if group is None:
            continue
        if isinstance(group, bool) or not isinstance(group, int) or not 0 <= group < regex.group_count:
            raise MatcherError(
                f"`{name}` must be the number of a group of `{text[:100]}`, 0 to {regex.group_count - 1}"
            )
        groups[name] = group
    return MatcherPattern(regex=regex, groups=groups, loop=loop)


@dataclass(frozen=True, slots=True)
class MatcherState:
    """How far a matcher has come: for each pattern but the last, what has matched up to it."""

    matcher: ProblemMatcher
    running: tuple[Mapping[str, str] | None, ...]

    @classmethod
    def start(cls, matcher: ProblemMatcher) -> MatcherState:
        """Return the state before the first line."""
        return cls(matcher, (None,) * (len(matcher.patterns) - 1))

    def feed(self, line: str) -> tuple[MatcherState, Problem | None]:
        """Return the state after `line`, and the problem it completes (IssueMatcher.Match)."""
        running = list(self.running)
        last = len(self.matcher.patterns) - 1
        for number in range(last, -1, -1):
            before = running[number - 1] if number > 0 else {}
            if before is None:
                continue
            pattern = self.matcher.patterns[number]
            groups = pattern.regex.match(line)
            if groups is None:
                if number < last:
                    running[number] = None
                elif number > 0:
                    running[number - 1] = None
                continue
            values = {**{name: groups[group] for name, group in pattern.groups.items()}, **before}
            if number < last:
                running[number] = values
                continue
            running = [None] * last
            if pattern.loop:
                running[last - 1] = before
            return replace(self, running=tuple(running)), self._problem(values)
        return replace(self, running=tuple(running)), None

    def _problem(self, values: dict[str, str]) -> Problem:
        if not values.get("severity") and self.matcher.severity:
            values["severity"] = self.matcher.severity
        return Problem(values=values)


class Matching:
    """The problem matchers of one stream of output, and how far each has come."""

    def __init__(self, matchers: Iterable[ProblemMatcher] = ()) -> None:
        self._states: list[MatcherState] = []
        self.add(tuple(matchers))

    @property
    def active(self) -> bool:
        """Whether there is any matcher to ask."""
        return bool(self._states)

    @property
    def matchers(self) -> tuple[ProblemMatcher, ...]:
        """The matchers in the order they are asked."""
        return tuple(state.matcher for state in self._states)

    def add(self, matchers: Iterable[ProblemMatcher]) -> None:
        """Add `matchers` before the others, each in place of one with the same owner."""
        for matcher in matchers:
            self.remove(matcher.owner)
            self._states.insert(0, MatcherState.start(matcher))
        del self._states[MAX_MATCHERS:]

    def remove(self, owner: str) -> None:
        """Drop the matcher with that owner, ignoring case, if there is one."""
        self._states = [state for state in self._states if state.matcher.owner.lower() != owner.lower()]

    def feed(self, line: str) -> Annotation | None:
        """Return the problem that `line` completes, or None.

        Colours are taken out first. The first matcher that finds a problem resets the others. Lines longer
        than the limit, or too costly to match, never match.
        """
        stripped = strip_ansi(line) if len(line) <= MAX_LINE * 4 else line
        for number, state in enumerate(self._states):
            self._states[number], problem = state.feed(stripped)
            if problem is None:
                continue
            for other, running in enumerate(self._states):
                if other != number:
                    self._states[other] = MatcherState.start(running.matcher)
            if (found := problem.annotation()) is not None:
                return found
        return None


def strip_ansi(line: str) -> str:
    """Return `line` without terminal escape sequences.

    The runner's expression for this never matches a real one (language.md rule 44).
    """
    return _ANSI.sub("", line) if "\x1b" in line else line
