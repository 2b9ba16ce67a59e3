"""The clock, so that tests can hold it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> float:
        """Return seconds since 1970, for people and records."""

    def monotonic(self) -> float:
        """Return seconds that never go back, for durations and deadlines."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long by the monotonic clock."""
