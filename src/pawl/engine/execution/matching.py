"""The problem matchers of a job: steps add and remove them, and every line is shown to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from pawl.core.steps.matchers import MAX_FILE, MatcherError, Matching, ProblemMatcher, parse_matcher_file
from pawl.engine.execution.folders import read_workspace_file


class JobMatchers:
    """All matchers of one job: one added by a step stays for those after it, as in the runner."""

    def __init__(self, places: Sequence[tuple[str, Path]]) -> None:
        """Take where matcher files may be: pairs of a path inside and the folder it is on this machine.

        A relative path is one in the first of them, the workspace.
        """
        self._places = tuple(places)
        self._current = Matching()

    def add_file(self, path: str, tell: Callable[[str], None]) -> None:
        """Take the matchers of a file; `tell` hears why they cannot be had, which fails nobody."""
        content = self._read(path)
        if content is None:
            tell(f"##[warning]The problem matcher file {path[:200]} is not there")
            return
        try:
            self._current.add(parse_matcher_file(content))
        except MatcherError as error:
            tell(f"##[warning]The problem matcher file {path[:200]} cannot be used: {error}")

    def remove(self, owner: str | None, path: str | None) -> None:
        """Drop the matcher called `owner`, or all those that the file at `path` holds."""
        for name in self._owners(owner, path):
            self._current.remove(name)

    def open(self) -> Matching:
        """Return the matchers for one process, fresh ones; what it adds stays for the next."""
        self._current = Matching(self._known())
        return self._current

    def _known(self) -> tuple[ProblemMatcher, ...]:
        return self._current.matchers

    def _owners(self, owner: str | None, path: str | None) -> list[str]:
        if owner is not None:
            return [owner]
        content = self._read(path or "")
        try:
            return [] if content is None else [matcher.owner for matcher in parse_matcher_file(content)]
        except MatcherError:
            return []

    def _read(self, path: str) -> bytes | None:
        asked = PurePosixPath(os.path.normpath(path)) if path and "\0" not in path else PurePosixPath(".")
        for inside, folder in self._places:
            if not asked.is_absolute():
                return read_workspace_file(folder, str(asked), limit=MAX_FILE)
            if asked.is_relative_to(inside):
                return read_workspace_file(folder, str(asked.relative_to(inside)), limit=MAX_FILE)
        return None
