"""One event at one commit: which workflow files it starts. Pure."""

from __future__ import annotations

from pawl.core.model.events import Event
from pawl.core.model.plain import to_plain
from pawl.core.model.projects import Verdict
from pawl.core.triggers import match_trigger
from pawl.core.workflow.parse import Parsed

_ABOUT_COMMITS = frozenset({"push", "pull_request", "merge_group"})
"""Events that everybody expects a run of: a file has one even if nobody can tell what it listens to."""


def wants_files(parsed: Parsed, event: Event) -> bool:
    """Return whether a workflow asks which files an event changed."""
    if parsed.workflow is None:
        return False
    return any(
        trigger.event.text == event.name
        and (trigger.filters.paths is not None or trigger.filters.paths_ignore is not None)
        for trigger in parsed.workflow.triggers
    )


def refusal(parsed: Parsed, event: Event, path: str) -> Verdict | None:
    """Return why a workflow does not start, with each filter's verdict; None when it is to be started."""
    if parsed.workflow is None:
        if event.name in _ABOUT_COMMITS:
            return None
        return Verdict(path=path, event=event.name, reason="the file has errors: it cannot be read")
    match = match_trigger(parsed.workflow.triggers, event)
    if match.started:
        return None
    return Verdict(path=path, event=event.name, reason=match.reason, verdicts=to_plain(match.verdicts))
