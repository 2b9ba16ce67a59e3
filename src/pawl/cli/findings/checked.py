"""A file with what was found in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pawl.core.diagnostics import Diagnostic, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file's text and its diagnostics, sorted by place. `path` is as it is shown."""

    path: str
    text: str
    diagnostics: tuple[Diagnostic, ...]


def count_severity(files: Iterable[CheckedFile], severity: Severity) -> int:
    """Return how many diagnostics of that severity there are in `files`."""
    return sum(diagnostic.severity is severity for checked in files for diagnostic in checked.diagnostics)
