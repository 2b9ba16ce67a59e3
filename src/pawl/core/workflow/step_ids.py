"""Ids of jobs and steps: what is allowed, and those made up for steps that have none.

Source: actions/languageservices, workflow-parser/src/model/converter/id-builder.ts and steps.ts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_VALID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")
_RESERVED = "__"
MAX_LENGTH = 100


def id_problem(text: str) -> str | None:
    """Return why `text` cannot be the id of a job or step, or None."""
    if not _VALID.match(text):
        return "ids hold letters, digits, `_` and `-`, and begin with a letter or `_`"
    if len(text) >= MAX_LENGTH:
        return f"ids are shorter than {MAX_LENGTH} characters"
    if text.startswith(_RESERVED):
        return "ids that begin with `__` are reserved"
    return None


@dataclass(slots=True)
class StepIds:
    """Makes up ids that do not collide: `__run`, `__run_2`, `__actions_checkout`."""

    taken: set[str] = field(default_factory=set)
    _next: dict[str, int] = field(default_factory=dict)

    def make(self, word: str) -> str:
        """Return a new id for a step that is described by `word`."""
        stem = _RESERVED + _ILLEGAL.sub("_", word)
        number = self._next.get(stem, 1)
        while True:
            suffix = "" if number == 1 else f"_{number}"
            candidate = stem[: MAX_LENGTH - len(suffix)] + suffix
            number += 1
            if candidate not in self.taken:
                self._next[stem] = number
                self.taken.add(candidate)
                return candidate


def describe_uses(uses: str) -> str:
    """Return the word that an id for `uses: <uses>` is made of."""
    if uses.startswith("docker://"):
        return uses.removeprefix("docker://")
    if uses.startswith(("./", ".\\", "$/")):
        return "self"
    name, at, ref = uses.partition("@")
    segments = [segment for segment in re.split(r"[\\/]", name) if segment]
    if not at or not ref or "@" in ref or len(segments) < 2:
        return "run"
    return f"{segments[0]}/{segments[1]}"
