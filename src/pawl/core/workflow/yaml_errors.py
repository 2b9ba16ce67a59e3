"""What the YAML reader complains about, said so that the author of a workflow can mend it."""

from __future__ import annotations

from typing import Any

import yaml

from pawl.core.diagnostics import Diagnostic, Span
from pawl.core.diagnostics.span import START
from pawl.core.workflow.source import Source
from pawl.core.workflow.yaml_guesses import guess

# The reader's own words (libyaml scanner.c and parser.c) -> what to do about them.
_HINTS = (
    (
        "mapping values are not allowed",
        "put the value in quotes when it holds `: `, or check the indentation",
    ),
    ("cannot start any token", "put the value in quotes when it begins with `@`, a backtick or `%`"),
    ("did not find expected key", "check the indentation of this line and that every quote above is closed"),
    ("did not find expected '-' indicator", "items of one list begin with `-` in the same column"),
    ("could not find expected ':'", "a line in a mapping reads `key: value`"),
    ("found unexpected end of stream", "close the quote or bracket"),
    ("found duplicate anchor", "give each anchor a name of its own"),
    ("did not find expected ',' or", "close the bracket, or put `${{ }}` in quotes inside `[ ]` and `{ }`"),
    ("did not find expected alphabetic or numeric", "put the value in quotes when it begins with `*` or `&`"),
    ("block sequence entries are not allowed", "start a list on a line of its own"),
    ("undefined tag handle", "remove the tag"),
)


def explain_yaml_error(error: yaml.YAMLError, source: Source) -> Diagnostic:
    """Return a diagnostic `yaml-syntax` at the place where the reader stopped."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    context = getattr(error, "context", None)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    related = getattr(error, "context_mark", None)
    if related is not None and "end of stream" in problem:
        # Where the text ends is of no interest; where the quote or bracket was opened is.
        mark, related = related, None
    span = Span.at(mark.line + 1, mark.column + 1) if mark else START
    message = f"{problem} {context}" if context else problem
    return Diagnostic(
        code="yaml-syntax",
        message=f"the YAML cannot be read: {message}",
        span=span,
        hint=guess(problem, source, span.start.line, span.start.column) or _hint(problem),
        related=_related(related, context, span),
    )


def _related(mark: Any, context: str | None, span: Span) -> tuple[tuple[Span, str], ...]:
    if mark is None or context == "while scanning for the next token":
        return ()
    begun = Span.at(mark.line + 1, mark.column + 1)
    return ((begun, context or "begun here"),) if begun != span else ()


def _hint(problem: str) -> str | None:
    return next((hint for words, hint in _HINTS if words in problem), None)
