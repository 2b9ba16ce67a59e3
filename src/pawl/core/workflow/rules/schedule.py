"""`schedule`: cron lines and time zones (GitHub docs, "Events that trigger workflows")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pawl.core.diagnostics import Diagnostic
from pawl.core.workflow.cron import CronProblem, parse_cron
from pawl.core.workflow.rules.subject import Subject, error, warning

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,3}\Z")
_SHORTEST = 5
"""Minutes; GitHub starts a scheduled workflow at most this often."""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield `cron`, `cron-too-often` and `timezone`."""
    for trigger in subject.workflow.triggers:
        for schedule in trigger.schedules:
            cron = parse_cron(schedule.cron.text)
            if isinstance(cron, CronProblem):
                yield error("cron", f"not a cron line: {cron.message}", schedule.cron.span)
            elif cron.shortest_gap < _SHORTEST:
                gap = cron.shortest_gap
                message = f"this schedule fires every {gap} min, more often than every {_SHORTEST} min"
                yield warning("cron-too-often", message, schedule.cron.span, "GitHub leaves times out")
            zone = schedule.timezone
            if zone is not None and not _ZONE.match(zone.text):
                message = f"found `{zone.text[:60]}` as a time zone, expected a name such as `Europe/Berlin`"
                yield error("timezone", message, zone.span)
