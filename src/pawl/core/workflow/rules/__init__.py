"""What must hold beyond the grammar: one rule a file, each with its codes (documented in the catalogue)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pawl.core.diagnostics import Diagnostic
from pawl.core.workflow.rules import (
    call_references,
    containers,
    events,
    filters,
    ids,
    inputs,
    machines,
    matrix,
    needs,
    references,
    schedule,
    scripts,
    security,
    targets,
)
from pawl.core.workflow.rules.subject import Subject

Rule = Callable[[Subject], Iterable[Diagnostic]]

RULES: tuple[Rule, ...] = (
    ids.check,
    needs.check,
    matrix.check,
    schedule.check,
    filters.check,
    events.check,
    inputs.check,
    machines.check,
    containers.check,
    scripts.check,
    targets.check,
    references.check,
    call_references.check,
    security.check,
)

__all__ = ["RULES", "Subject", "check_workflow"]


def check_workflow(subject: Subject) -> list[Diagnostic]:
    """Return what the rules find in a workflow."""
    return [found for rule in RULES for found in rule(subject)]
