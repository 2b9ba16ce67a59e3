"""Events whose settings cannot work (GitHub docs, "Events that trigger workflows")."""

from __future__ import annotations

from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.workflow.rules.subject import Subject, warning


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `event-without-effect`."""
    for trigger in subject.workflow.triggers:
        name = trigger.event.text
        if name == "workflow_run" and not trigger.workflows:
            message = "`workflow_run` names no workflow, expected `workflows: [name, ...]`"
            yield warning("event-without-effect", message, trigger.event.span)
        if name == "schedule" and not trigger.schedules:
            message = "`schedule` has no times, expected a list of `cron:` lines"
            yield warning("event-without-effect", message, trigger.event.span)
