"""Whose jobs may have secrets (reliability R29, I26). Whatever the rule does not name gets none.

Nothing else is looked at on purpose: neither an approval, which lets an outsider's code run and not read, nor
whether the job is called by another workflow or started again.
"""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.model.events import Event
from pawl.core.workflow.event_facts import EVENTS

OF_THE_BASE = frozenset({"pull_request_target", "workflow_run", "issue_comment", "issues"})
"""Events that run the base repository's own workflow at its own commit, also when an outsider caused them.

Source: GitHub docs, "Events that trigger workflows".
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the jobs of a run may have.

    Attributes:
        secrets: whether they get any.
        writes: whether their token may do more than read.
        reason: for people, where something is denied; else "".
    """

    secrets: bool
    writes: bool
    reason: str = ""


def rights_of(event: Event) -> Rights:
    """Return what the jobs of a run for this event may have."""
    if event.name not in EVENTS:
        return Rights(
            secrets=False, writes=False, reason=f"nothing is known of the event `{event.name[:40]}`"
        )
    if event.from_fork and event.name not in OF_THE_BASE:
        return Rights(secrets=False, writes=False, reason="the commit comes from a fork")
    return Rights(secrets=True, writes=True)
