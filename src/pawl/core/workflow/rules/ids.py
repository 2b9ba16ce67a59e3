"""Ids of jobs and steps (GitHub docs, `jobs.<job_id>`; actions/languageservices, id-builder.ts)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic, Severity, Span
from pawl.core.workflow.fields import text_of
from pawl.core.workflow.nodes import Mapping, Node, Sequence
from pawl.core.workflow.rules.subject import Subject, error
from pawl.core.workflow.step_ids import id_problem


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `job-id`, `step-id`, `duplicate-step-id` and `too-many-steps`."""
    for job in subject.jobs:
        if (problem := id_problem(job.key)) is not None:
            yield error("job-id", f"`{job.key[:100]}` cannot be the id of a job: {problem}", job.key_span)
    jobs = subject.root.get("jobs")
    for _, node in jobs.entries if isinstance(jobs, Mapping) else ():
        if isinstance(node, Mapping):
            yield from check_step_ids(node.get("steps"), subject.limits.steps)


def check_step_ids(steps: Node | None, most: int) -> Iterator[Diagnostic]:
    """Yield the faults of the ids of one list of steps, nested ones included."""
    places: dict[str, Span] = {}
    count = 0
    for step in _mappings(steps):
        count += 1
        own = text_of(step.get("id"))
        if own is None or "${{" in own.text:
            continue
        if (problem := id_problem(own.text)) is not None:
            yield error("step-id", f"`{own.text[:100]}` cannot be the id of a step: {problem}", own.span)
        elif (first := places.setdefault(own.text, own.span)) is not own.span:
            yield Diagnostic(
                code="duplicate-step-id",
                message=f"the id `{own.text}` is used by another step of the job, on line {first.start.line}",
                span=own.span,
                severity=Severity.ERROR,
                related=((first, "first used here"),),
            )
    if count > most and steps is not None:
        yield error("too-many-steps", f"the job has {count} steps, more than the {most} allowed", steps.span)


def _mappings(steps: Node | None) -> Iterator[Mapping]:
    for item in steps.items if isinstance(steps, Sequence) else ():
        if isinstance(item, Mapping):
            yield item
            yield from _mappings(item.get("parallel"))
