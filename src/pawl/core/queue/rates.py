"""A rate limit as one number (GCRA): when the next one would be due if they came evenly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """When something may happen, and what to remember for the next."""

    at: float
    due: float


def admit(*, now: float, due: float | None, interval: float, burst: int) -> Admission:
    """Return when the next one may happen: now, or later where there were too many.

    Over any time `t` at most `burst + t / interval` are let through.

    Args:
        now: seconds.
        due: what the last admission said; None before the first.
        interval: seconds between two, on average.
        burst: how many may come at once.
    """
    due = max(now, due if due is not None else now)
    at = max(now, due - (max(burst, 1) - 1) * interval)
    return Admission(at=at, due=due + interval)
