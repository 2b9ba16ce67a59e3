"""The diagnostic itself: data only. Drawing it is the business of `cli` and `server`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pawl.core.diagnostics.span import Span


class Severity(StrEnum):
    """How much a diagnostic matters: an error stops the file from running, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding in a file.

    Attributes:
        code: stable id of the check, e.g. `unknown-key`; documented in docs/reference/checks.md.
        message: what was found, where, and what was expected, in one sentence without a full stop.
        span: the place in the text.
        severity: error or warning.
        hint: how to mend it, when that is not plain from the message ("did you mean `steps`?").
        related: other places that matter, each with a word on why ("first defined here").
    """

    code: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    hint: str | None = None
    related: tuple[tuple[Span, str], ...] = ()


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Return whether any of `diagnostics` stops the file from running."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
