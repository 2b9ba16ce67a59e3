"""Filters of events (GitHub docs, "Filter pattern cheat sheet" and `on.<event>.<filter>`)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic, Position, Severity, Span
from pawl.core.workflow.patterns import PatternKind, check_pattern
from pawl.core.workflow.rules.subject import Subject, error, warning
from pawl.core.workflow.syntax import Text, Trigger

_Filter = tuple[str, tuple[Text, ...] | None, tuple[Text, ...] | None, PatternKind]


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `filter-conflict`, `filter-too-long`, `filter-pattern` and `filter-matches-nothing`."""
    for trigger in subject.workflow.triggers:
        for name, only, ignore, kind in _filters(trigger):
            yield from _check_pair(trigger, name, only, ignore)
            yield from _check_length(name, (*(only or ()), *(ignore or ())), subject.limits.patterns)
            for pattern in (*(only or ()), *(ignore or ())):
                yield from _check_pattern(pattern, kind)
            if only and all(pattern.text.startswith("!") for pattern in only):
                message = f"`{name}` has only patterns that take out, so it matches nothing"
                yield warning(
                    "filter-matches-nothing",
                    message,
                    only[0].span,
                    f"put `'**'` first, or use `{name}-ignore`",
                )


def _filters(trigger: Trigger) -> tuple[_Filter, ...]:
    filters = trigger.filters
    return (
        ("branches", filters.branches, filters.branches_ignore, "ref"),
        ("tags", filters.tags, filters.tags_ignore, "ref"),
        ("paths", filters.paths, filters.paths_ignore, "path"),
    )


def _check_pair(
    trigger: Trigger, name: str, only: tuple[Text, ...] | None, ignore: tuple[Text, ...] | None
) -> Iterator[Diagnostic]:
    if only is not None and ignore is not None:
        message = f"`{trigger.event}` has both `{name}` and `{name}-ignore`, expected one of them"
        hint = f"keep `{name}` and take out with patterns that begin with `!`"
        yield error("filter-conflict", message, trigger.event.span, hint)


def _check_length(name: str, patterns: tuple[Text, ...], most: int) -> Iterator[Diagnostic]:
    if len(patterns) > most:
        message = f"`{name}` has {len(patterns)} patterns, more than the {most} allowed"
        yield error("filter-too-long", message, patterns[most].span, "a `**` stands for whole folders")


def _check_pattern(pattern: Text, kind: PatternKind) -> Iterator[Diagnostic]:
    for problem in check_pattern(pattern.text, kind):
        span = pattern.span
        if span.start.line == span.end.line:
            column = min(span.start.column + problem.offset, span.end.column)
            span = Span(Position(span.start.line, column), span.end)
        severity = Severity.ERROR if problem.is_error else Severity.WARNING
        message = f"the pattern `{pattern.text[:60]}` is not right: {problem.message}"
        yield Diagnostic(code="filter-pattern", message=message, span=span, severity=severity)
