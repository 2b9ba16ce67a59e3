"""The machine's clock, as it is and as a server wants it."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The machine's clock (ports.clock)."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)


class SteadyClock(SystemClock):
    """The time of day as it was when this was made, and from there on by the monotonic clock.

    Setting the machine's clock changes nothing then (reliability.md F21): no lease lapses by it, no time-out
    passes early. The price is that a wrong time of day stays wrong until a restart.
    """

    def __init__(self) -> None:
        """Take the time of day as it is now."""
        self._started = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970 that never go back."""
        return self._started + time.monotonic()
