"""Inputs of `workflow_dispatch` and `workflow_call` (actions/languageservices, workflow-dispatch.ts)."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.workflow.fields import has_expression, plain_text
from pawl.core.workflow.nodes import Scalar
from pawl.core.workflow.rules.subject import Subject, error, warning
from pawl.core.workflow.scalars import Plain
from pawl.core.workflow.syntax import Input, Trigger


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `input-options` and `input-default`."""
    for trigger in subject.workflow.triggers:
        for declared in trigger.inputs:
            yield from _check_options(trigger, declared)
            yield from _check_default(trigger, declared)


def _check_options(trigger: Trigger, declared: Input) -> Iterator[Diagnostic]:
    if trigger.event.text != "workflow_dispatch":
        return
    if declared.type == "choice" and not declared.options:
        message = f"the input `{declared.name}` is a choice of nothing, expected `options`"
        yield error("input-options", message, declared.name.span)
    if declared.type != "choice" and declared.has_options:
        message = f"the input `{declared.name}` has `options` but is no choice"
        yield error("input-options", message, declared.name.span, "add `type: choice`")


def _check_default(trigger: Trigger, declared: Input) -> Iterator[Diagnostic]:
    default = declared.default
    if not isinstance(default, Scalar) or default.value is None or has_expression(default):
        return
    text = plain_text(default.value)
    if not _fits(default.value, declared.type):
        message = f"the default `{text[:60]}` of the input `{declared.name}` is no {declared.type}"
        # The official parser lets a wrong number pass for workflow_dispatch (workflow-dispatch.ts).
        is_fatal = declared.type == "boolean" or trigger.event.text == "workflow_call"
        speak = error if is_fatal else warning
        yield speak("input-default", message, default.span, "write it without quotes")
    elif declared.type == "choice" and declared.options and text not in declared.options:
        listed = ", ".join(f"`{option}`" for option in declared.options[:20])
        message = f"the default `{text[:60]}` of the input `{declared.name}` is none of its options"
        yield warning("input-default", message, default.span, f"there are: {listed}")


def _fits(value: Plain, type_: str) -> bool:
    match type_:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return True
