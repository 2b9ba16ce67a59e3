"""The worker's own view of a lease: when it ends, by the monotonic clock, whatever the server does.

Counted from when the renewal was *asked*: the server began to count later, so the worker always stops first
(reliability.md F9). A share of the time is kept back for stopping.
"""

from __future__ import annotations

import asyncio

from pawl.ports.clock import Clock

_MARGIN = 0.1
_MOST_MARGIN = 3.0


class Fence:
    """One lease's end."""

    def __init__(self, clock: Clock, *, asked: float, seconds: float) -> None:
        """Take a lease that is good for `seconds` from `asked`, a time of the monotonic clock."""
        self._clock = clock
        self._ends = 0.0
        self._seconds = 0.0
        self._why = ""
        self._lost = asyncio.Event()
        self.renew(asked=asked, seconds=seconds)

    @property
    def left(self) -> float:
        """Return the seconds until the job must be stopped."""
        return self._ends - self._clock.monotonic()

    def renew(self, *, asked: float, seconds: float) -> None:
        """Move the end; it never moves back."""
        self._seconds = seconds
        self._ends = max(self._ends, asked + seconds - min(_MOST_MARGIN, seconds * _MARGIN))

    def lose(self, why: str) -> None:
        """Say that the lease is gone."""
        self._why = self._why or why
        self._lost.set()

    @property
    def is_lost(self) -> bool:
        """Return whether the lease is known to be gone; one that only lapsed here may still live there."""
        return self._lost.is_set()

    async def lost(self) -> str:
        """Return why the lease is gone, once that is known."""
        await self._lost.wait()
        return self._why

    async def passed(self) -> str:
        """Return why the job must be stopped, once it must."""
        while not self._lost.is_set() and self.left > 0:
            waiting = asyncio.ensure_future(self._lost.wait())
            try:
                await asyncio.wait({waiting}, timeout=self.left)
            finally:
                waiting.cancel()
        return self._why or f"the server did not renew the lease for {self._seconds:.0f} s"
