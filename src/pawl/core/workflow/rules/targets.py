"""`wait`, `wait-all` and `cancel`: background steps by id (actions/languageservices, steps.ts)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.workflow.nodes import Mapping, Node, Scalar, Sequence
from pawl.core.workflow.rules.subject import Subject, error
from pawl.core.workflow.syntax import CancelStep, Job, WaitStep

_CANDIDATES = 100
"""Steps among which a misspelt target is looked for."""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `unknown-step` and `wait-all`."""
    jobs = subject.root.get("jobs")
    for job in subject.jobs:
        yield from _check_targets(job)
    for _, node in jobs.entries if isinstance(jobs, Mapping) else ():
        yield from _check_wait_all(node.get("steps") if isinstance(node, Mapping) else None)


def _check_targets(job: Job) -> Iterator[Diagnostic]:
    known: dict[str, None] = {}
    for step in job.steps:
        if isinstance(step, WaitStep | CancelStep):
            for target in step.targets:
                if target.text not in known:
                    message = f"no step before this one has the id `{target.text[:100]}`"
                    hint = did_you_mean(target.text, list(known)[:_CANDIDATES])
                    yield error("unknown-step", message, target.span, hint)
        if step.common.has_own_id:
            known[step.common.id] = None


def _check_wait_all(steps: Node | None) -> Iterator[Diagnostic]:
    for step in steps.items if isinstance(steps, Sequence) else ():
        value = step.get("wait-all") if isinstance(step, Mapping) else None
        if isinstance(value, Scalar) and value.value is False:
            yield error(
                "wait-all", "`wait-all: false` waits for nothing, expected `true` or nothing", value.span
            )
