"""The glob patterns of @actions/glob, as hashFiles, upload-artifact and cache use them, over a listing.

Patterns select in order, `!` takes away again; a pattern that matches a folder takes its whole tree.
Nothing here touches a file system, and no pattern becomes a regular expression: matching a path costs
at most (pattern length x path length). Source: actions/toolkit packages/glob (internal-pattern.ts,
internal-globber.ts, internal-pattern-helper.ts) and minimatch with dot, noext, nobrace, nonegate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pawl.core.model.errors import UsageError
from pawl.core.steps.glob_segments import Segment, literal_of, parse_segment

DEFAULT_WORKSPACE = "/workspace"
DEFAULT_HOME = "/root"

MAX_PATTERN = 4096
"""Characters of one pattern."""

MAX_PATTERNS = 1000
"""Patterns of one call."""

GLOBSTAR = "**"

# What JavaScript's trim() removes.
_BLANKS = "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # noqa: E501 - one alphabet


_ANY = parse_segment("*")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobPattern:
    """One pattern, made absolute.

    Attributes:
        negated: it takes away what earlier ones selected.
        segments: the parts between slashes after the root; None is a globstar.
        search_root: the literal folders before the first part with a wildcard.
        folders_only: it ends in a slash.
    """

    negated: bool
    segments: tuple[Segment | None, ...]
    search_root: tuple[str, ...]
    folders_only: bool

    def matches(self, path: tuple[str, ...]) -> bool:
        """Return whether the pattern matches the file at the absolute `path`.

        A file matches in two ways: by itself, or as part of the tree of what the pattern names.
        """
        if self.segments and self.segments[-1] is None and not self.folders_only:
            return _match_segments(self.segments, path)
        itself = not self.folders_only and _match_segments(self.segments, path)
        # Implicit descendants: whatever is below a folder that matches.
        return itself or _match_segments((*self.segments, _ANY, None), path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionGlobs:
    """The patterns of one call, in order."""

    patterns: tuple[GlobPattern, ...]
    workspace: tuple[str, ...]

    def search_roots(self) -> list[tuple[str, ...]]:
        """Return the absolute folders (or files) the search starts from, in order, none inside another."""
        candidates = [pattern.search_root for pattern in self.patterns if not pattern.negated]
        known = set(candidates)
        roots = dict.fromkeys(
            root for root in candidates if not any(root[:length] in known for length in range(len(root)))
        )
        return list(roots)

    def selects(self, path: tuple[str, ...]) -> bool:
        """Return whether the file at the absolute `path` is selected, wherever the search starts."""
        selected = False
        for pattern in self.patterns:
            if pattern.negated == selected and pattern.matches(path):
                selected = not pattern.negated
        return selected

    def select(self, entries: Iterable[str]) -> list[str]:
        """Return the selected ones of `entries` (paths relative to the workspace) in the order of the search.

        The search goes from root to root and depth first, names sorted by their bytes (as Node's readdir).
        """
        roots = self.search_roots()
        found: dict[str, tuple[int, tuple[bytes, ...]]] = {}
        for entry in entries:
            path = (*self.workspace, *entry.split("/"))
            number = next((n for n, root in enumerate(roots) if path[: len(root)] == root), None)
            if number is not None and entry not in found and self.selects(path):
                found[entry] = (number, tuple(part.encode("utf-8", "surrogateescape") for part in path))
        return sorted(found, key=found.__getitem__)


def parse_globs(
    patterns: Sequence[str], *, workspace: str = DEFAULT_WORKSPACE, home: str = DEFAULT_HOME
) -> ActionGlobs:
    """Return the globs written in `patterns`, each of which may hold several lines.

    Blank lines and lines that start with `#` are skipped.

    Raises:
        UsageError: a pattern is empty behind its `!`, holds `.` or `..` as a part, or limits are passed.
    """
    lines = [line.strip(_BLANKS) for text in patterns for line in text.split("\n")]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if len(wanted) > MAX_PATTERNS:
        raise UsageError(f"{len(wanted)} glob patterns in one call; at most {MAX_PATTERNS} are allowed")
    base = _parts(workspace)
    parsed = tuple(_parse(line, base, _parts(home)) for line in wanted)
    return ActionGlobs(patterns=parsed, workspace=base)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _parse(line: str, workspace: tuple[str, ...], home: tuple[str, ...]) -> GlobPattern:
    if len(line) > MAX_PATTERN:
        raise UsageError(f"a glob pattern of {len(line)} characters; at most {MAX_PATTERN} are allowed")
    negated, text = False, line
    while text.startswith("!"):
        negated, text = not negated, text[1:].strip(_BLANKS)
    if not text:
        raise UsageError(f"the glob pattern `{line}` is empty; expected a path after `!`")
    parts = _parts(text)
    absolute = text.startswith("/")
    for number, part in enumerate(parts):
        literal = literal_of(part)
        if literal == ".." or (literal == "." and (number > 0 or absolute)):
            raise UsageError(
                f"the glob pattern `{line}` has a `{literal}` part; only a leading `./` is allowed"
            )
    prefix, parts = _rooted(parts, absolute=absolute, workspace=workspace, home=home)
    segments = tuple(None if part == GLOBSTAR else parse_segment(part) for part in parts)
    literals = [literal_of(part) for part in parts]
    known = next((n for n, literal in enumerate(literals) if not literal), len(literals))
    return GlobPattern(
        negated=negated,
        segments=(*(parse_segment(part, literal=True) for part in prefix), *segments),
        search_root=(*prefix, *literals[:known]),
        folders_only=text.endswith("/"),
    )


def _rooted(
    parts: tuple[str, ...], *, absolute: bool, workspace: tuple[str, ...], home: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the literal folders a pattern is relative to, and its own parts."""
    if absolute:
        return (), parts
    if parts[0] == ".":
        return workspace, parts[1:]
    if parts[0] == "~":
        return home, parts[1:]
    return workspace, parts


def _match_segments(pattern: tuple[Segment | None, ...], path: tuple[str, ...]) -> bool:
    """Return whether `pattern` matches all of `path`; None matches any number of parts.

    As with `*` in a word, only the last globstar ever needs another try, so the cost is a product.
    """
    at = part = 0
    retry: tuple[int, int] | None = None
    while part < len(path):
        if at < len(pattern):
            segment = pattern[at]
            if segment is None:
                retry = (at + 1, part)
                at += 1
                continue
            if segment.matches(path[part]):
                at, part = at + 1, part + 1
                continue
        if retry is None:
            return False
        at, part = retry[0], retry[1] + 1
        retry = (at, part)
    return all(segment is None for segment in pattern[at:])
