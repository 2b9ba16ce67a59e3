"""Which time of a cron line is to be run now, when nobody may have looked for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from pawl.core.triggers.schedule import next_fire
from pawl.core.workflow.cron import Cron

_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due of a schedule; seconds since 1970.

    Attributes:
        fire: the latest minute that is due; None when all that are due are too old.
        next_at: the next minute after now; None when it never fires again.
    """

    fire: float | None
    next_at: float | None


def due_now(cron: Cron, zone: tzinfo, *, since: float, now: float, catch_up: float) -> Due:
    """Return what is due from the minute `since` to now.

    Of several times that were missed only the latest is made up for, and none that is older than `catch_up`
    seconds: who was away for a night wants one run, not a hundred.
    """
    start = max(since - _MINUTE, now - catch_up)
    latest: float | None = None
    following = next_fire(cron, datetime.fromtimestamp(start, zone))
    while following is not None and following.timestamp() <= now:
        latest = following.timestamp()
        following = next_fire(cron, following)
    return Due(fire=latest, next_at=following.timestamp() if following else None)


def first_fire(cron: Cron, zone: tzinfo, now: float) -> float | None:
    """Return the first time after now; None when there is none."""
    following = next_fire(cron, datetime.fromtimestamp(now, zone))
    return following.timestamp() if following else None
