"""Calls of reusable workflows whose text is at hand: inputs, secrets, permissions.

Sources: GitHub docs, "Reusing workflows"; actions/languageservices, converter/job/inputs.ts, secrets.ts, the
test data `errors-reusable-workflow-*`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pawl.core.diagnostics import Diagnostic, has_errors
from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.workflow.fields import has_expression, text_of
from pawl.core.workflow.nodes import Mapping as MappingNode
from pawl.core.workflow.nodes import Node, Scalar
from pawl.core.workflow.permissions import Permissions, exceeding, read_permissions, show
from pawl.core.workflow.rules.subject import Subject, error
from pawl.core.workflow.syntax import Input, Job, ReusableCall, Trigger, Workflow


@dataclass(frozen=True, slots=True)
class CalledFile:
    """A reusable workflow as parsed."""

    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]


def check_calls(subject: Subject, called: Mapping[str, CalledFile]) -> Iterator[Diagnostic]:
    """Yield `call-target`, `call-input`, `call-secret` and `call-permissions`."""
    allowed = read_permissions(subject.workflow.permissions)
    checks = _PermissionChecks(called, subject.limits.calls)
    for job in subject.jobs:
        if job.call is None or (file := called.get(job.call.uses.text)) is None:
            continue
        fault = _target_fault(job.call, file)
        if fault is not None:
            yield fault
            continue
        trigger = _call_trigger(file)
        if trigger is not None:
            yield from _check_inputs(job.call, trigger)
            yield from _check_secrets(job.call, trigger)
        own = read_permissions(job.permissions)
        for message in checks.check(job.call.uses.text, own if own is not None else allowed, 1):
            yield error("call-permissions", message, job.key_span)


def _target_fault(call: ReusableCall, file: CalledFile) -> Diagnostic | None:
    reference = call.uses.text[:100]
    faults = [found for found in file.diagnostics if has_errors([found])]
    if faults:
        first = faults[0]
        where = f"has {len(faults)} faults, first on line {first.span.start.line}"
        message = f"the called workflow `{reference}` {where}: {first.message}"
        return error("call-target", message, call.uses.span)
    if _call_trigger(file) is None:
        message = f"the workflow `{reference}` cannot be called: its `on` has no `workflow_call`"
        return error("call-target", message, call.uses.span)
    return None


def _call_trigger(file: CalledFile) -> Trigger | None:
    triggers = file.workflow.triggers if file.workflow else ()
    return next((trigger for trigger in triggers if trigger.event.text == "workflow_call"), None)


def _check_inputs(call: ReusableCall, trigger: Trigger) -> Iterator[Diagnostic]:
    declared = {str(given.name).upper(): given for given in trigger.inputs}
    passed = call.with_.entries if isinstance(call.with_, MappingNode) else ()
    names = {name.text.upper() for name, _ in passed}
    for folded, given in declared.items():
        if given.required and folded not in names:
            message = f"the called workflow requires the input `{given.name}`, which is not passed"
            yield error("call-input", message, call.uses.span)
    for name, value in passed:
        if "${{" in name.text:
            continue
        found = declared.get(name.text.upper())
        if found is None:
            hint = did_you_mean(name.text, [str(given.name) for given in trigger.inputs])
            message = f"the called workflow has no input `{name.text[:100]}`"
            yield error("call-input", message, name.span, hint)
        elif not _fits(value, found):
            shown = str(text_of(value) or "nothing")[:60]
            message = f"found `{shown}` for the input `{found.name}`, expected a {found.type}"
            yield error("call-input", message, value.span)


def _fits(value: Node, declared: Input) -> bool:
    if not isinstance(value, Scalar) or has_expression(value):
        return True
    if declared.type == "boolean":
        return isinstance(value.value, bool)
    if declared.type == "number":
        return isinstance(value.value, int | float) and not isinstance(value.value, bool)
    return True


def _check_secrets(call: ReusableCall, trigger: Trigger) -> Iterator[Diagnostic]:
    if isinstance(call.secrets, Scalar):
        return
    passed = call.secrets.entries if isinstance(call.secrets, MappingNode) else ()
    names = {name.text.upper() for name, _ in passed}
    declared = {str(secret.name).upper(): secret for secret in trigger.secrets}
    for folded, secret in declared.items():
        if secret.required and folded not in names:
            message = f"the called workflow requires the secret `{secret.name}`, which is not passed"
            yield error("call-secret", message, call.uses.span, "pass it, or write `secrets: inherit`")
    for key, _ in passed:
        if key.text.upper() not in declared and "${{" not in key.text:
            message = f"the called workflow has no secret `{key.text[:100]}`"
            yield error(
                "call-secret",
                message,
                key.span,
                did_you_mean(key.text, [str(s.name) for s in trigger.secrets]),
            )


@dataclass(slots=True)
class _PermissionChecks:
    """Follows calls of calls; each file is looked at once for each set of allowed permissions."""

    called: Mapping[str, CalledFile]
    depth: int
    _seen: set[tuple[str, Permissions | None]] = field(default_factory=set)

    def check(self, reference: str, allowed: Permissions | None, depth: int) -> Iterator[str]:
        file = self.called.get(reference)
        if file is None or file.workflow is None or allowed is None or (reference, allowed) in self._seen:
            return
        self._seen.add((reference, allowed))
        if depth > self.depth:
            yield f"`{reference[:100]}` is called more than {self.depth} levels deep"
            return
        requested = read_permissions(file.workflow.permissions)
        if (more := exceeding(requested, allowed)) is not None:
            yield f"the called workflow `{reference[:100]}` wants {more}, but may have {show(allowed, more)}"
            return
        for job in file.workflow.jobs.values():
            yield from self._check_job(job, allowed if requested is None else requested, allowed, depth)

    def _check_job(self, job: Job, usual: Permissions, allowed: Permissions, depth: int) -> Iterator[str]:
        own = read_permissions(job.permissions)
        if (more := exceeding(own, allowed)) is not None:
            yield f"its job `{job.key}` wants {more}, but may have {show(allowed, more)}"
        elif job.call is not None:
            yield from self.check(job.call.uses.text, usual if own is None else own, depth + 1)
