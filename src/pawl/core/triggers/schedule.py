"""When a cron line fires next."""

from __future__ import annotations

from datetime import datetime, timedelta

from pawl.core.workflow.cron import Cron

_HORIZON = timedelta(days=366 * 8 + 3)
"""How far to look: even a 29 February comes again within eight years."""


def next_fire(cron: Cron, after: datetime) -> datetime | None:
    """Return the first whole minute later than `after` at which the line fires; None when it never does.

    Wall-clock times that a change of the clocks skips do not fire; those that come twice fire once, the first
    time. The result has the time zone of `after`.

    Args:
        cron: the line.
        after: an aware time, in the schedule's time zone.

    Raises:
        ValueError: `after` has no time zone.
    """
    if after.tzinfo is None:
        raise ValueError("a time with a time zone is needed")
    zone = after.tzinfo
    wall = after.replace(tzinfo=None, second=0, microsecond=0, fold=0)
    end = wall + _HORIZON
    wall += timedelta(minutes=1)
    while wall < end:
        if not _fires_on_day(cron, wall):
            wall = datetime(wall.year, wall.month, wall.day) + timedelta(days=1)  # noqa: DTZ001 - wall-clock time
            continue
        if cron.matches(wall.minute, wall.hour, wall.day, wall.month, wall.isoweekday() % 7):
            fired = wall.replace(tzinfo=zone)
            if _exists(fired) and fired.timestamp() > after.timestamp():
                return fired
        wall += timedelta(minutes=1)
    return None


def _fires_on_day(cron: Cron, day: datetime) -> bool:
    """Return whether the line fires at any time of the day."""
    minute, hour = min(cron.minutes), min(cron.hours)
    return cron.matches(minute, hour, day.day, day.month, day.isoweekday() % 7)


def _exists(wall: datetime) -> bool:
    """Return whether the clocks show this time at all: it survives the way to seconds and back."""
    back = datetime.fromtimestamp(wall.timestamp(), wall.tzinfo)
    return back.replace(tzinfo=None, fold=0) == wall.replace(tzinfo=None, fold=0)
