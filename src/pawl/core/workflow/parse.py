"""A workflow file: from text to the typed tree, with everything that is wrong with it, in one go."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from pawl.core.diagnostics import Diagnostic, Severity, Span
from pawl.core.diagnostics.span import START
from pawl.core.expressions import SCOPES
from pawl.core.workflow.build_jobs import build_defaults, build_jobs, build_priority
from pawl.core.workflow.build_triggers import build_triggers, implied_triggers
from pawl.core.workflow.compose import compose
from pawl.core.workflow.fields import first_of, scalar_of, text_of
from pawl.core.workflow.grammar import WORKFLOW_GRAMMAR
from pawl.core.workflow.limits import DEFAULT_LIMITS, Limits
from pawl.core.workflow.nodes import Mapping
from pawl.core.workflow.places import root_place
from pawl.core.workflow.read import Reader
from pawl.core.workflow.rules import Subject, check_workflow
from pawl.core.workflow.rules.calls import CalledFile, check_calls
from pawl.core.workflow.syntax import Workflow

_ROOT = root_place("workflow", WORKFLOW_GRAMMAR, SCOPES)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file means and what is wrong with it, by place.

    Attributes:
        workflow: None when errors leave nothing to work with. With errors beside it, it may be shown and
            checked further, but not run.
    """

    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...] = field(default=())


def parse_workflow(
    text: str | bytes,
    path: str = "workflow.yml",
    *,
    called: MappingType[str, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Parsed:
    """Return the workflow of a file and all findings about it, sorted by place. Never raises on any text.

    Args:
        text: the file's content.
        path: its name, for the workflow's default name.
        called: the texts of reusable workflows by the reference that `uses:` gives; what is passed to those
            that are here is checked against what they declare.
        limits: what the file may cost.
    """
    composed = compose(text, limits)
    if not isinstance(composed.root, Mapping):
        found = list(composed.diagnostics) or [_nothing(composed.root is None)]
        return Parsed(None, in_order(found, limits))
    reader = Reader(limits)
    reader.diagnostics += composed.diagnostics
    reader.read(composed.root, _ROOT)
    workflow = build_workflow(composed.root, path, reader)
    subject = Subject(
        workflow=workflow,
        root=composed.root,
        limits=limits,
        expressions=reader.expressions,
    )
    files = _parse_called(workflow, called or {}, limits)
    found = [*reader.diagnostics, *check_workflow(subject), *check_calls(subject, files)]
    return Parsed(workflow if workflow.jobs else None, in_order(found, limits))


def build_workflow(root: Mapping, path: str, reader: Reader) -> Workflow:
    """Return the typed tree of a file; parts that do not fit are left out."""
    events = root.get("on")
    return Workflow(
        path=path,
        span=root.span,
        name=text_of(root.get("name")),
        run_name=scalar_of(root, "run-name"),
        triggers=build_triggers(events) if events or not reader.has_own_keys else implied_triggers(),
        permissions=root.get("permissions"),
        env=first_of(root, "env", "environment"),
        defaults=build_defaults(root.get("defaults")),
        concurrency=root.get("concurrency"),
        jobs=build_jobs(root, reader),
        env_file=text_of(root.get("env_file")),
        priority=build_priority(root.get("priority")),
    )


def _parse_called(workflow: Workflow, called: MappingType[str, str], limits: Limits) -> dict[str, CalledFile]:
    """Return the reusable workflows that can be reached, each parsed once."""
    files: dict[str, CalledFile] = {}
    waiting = [workflow]
    for caller in waiting:
        for job in caller.jobs.values():
            reference = job.call.uses.text if job.call else ""
            if reference in called and reference not in files:
                parsed = parse_workflow(called[reference], reference, limits=limits)
                files[reference] = CalledFile(parsed.workflow, parsed.diagnostics)
                waiting += [parsed.workflow] if parsed.workflow else []
    return files


def in_order(diagnostics: list[Diagnostic], limits: Limits) -> tuple[Diagnostic, ...]:
    """Return the findings by place, each once, as many of each severity as the limits allow.

    Where that leaves some out, the last one says so.
    """
    unique = {(found.code, found.span, found.message): found for found in diagnostics}
    ordered = sorted(unique.values(), key=lambda found: (found.span.start, found.code))
    left = {Severity.ERROR: limits.diagnostics, Severity.WARNING: limits.diagnostics}
    kept = []
    for found in ordered:
        if left[found.severity] > 0:
            left[found.severity] -= 1
            kept.append(found)
    if len(kept) == len(ordered):
        return tuple(kept)
    # The reader stops early in a hopeless file, so nobody knows how many there really are.
    message = f"and at least {len(ordered) - len(kept)} more findings, which are not listed"
    span = kept[-1].span if kept else START
    more = Diagnostic(
        code="more-findings",
        message=message,
        span=span,
        severity=Severity.WARNING,
        hint="mend those above first",
    )
    return (*kept, more)


def _nothing(is_empty: bool) -> Diagnostic:
    found = "nothing" if is_empty else "a list or a single value"
    message = f"found {found}, expected a workflow: a mapping with the keys `on` and `jobs`"
    return Diagnostic(code="empty-workflow", message=message, span=Span(START.start, START.end))
