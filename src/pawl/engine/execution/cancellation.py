"""Cancellation: a request to stop, at two levels. A run has one, and each job, and each step."""

from __future__ import annotations

import asyncio


class Cancellation:
    """Asked to stop, politely or at once. Asking again changes nothing, except from politely to at once.

    Politely: the running step gets its signals and its grace, steps that want to run after a cancellation
    do (`if: always()`). At once: everything is killed and only our own clean-up runs.
    """

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self._at_once = asyncio.Event()
        self._reason = ""
        self._timed_out = False

    @property
    def requested(self) -> bool:
        """Return whether anybody asked, at either level."""
        return self._requested.is_set()

    @property
    def at_once(self) -> bool:
        """Return whether no grace is left."""
        return self._at_once.is_set()

    @property
    def reason(self) -> str:
        """Return why, in words; empty while nobody asked."""
        return self._reason

    @property
    def timed_out(self) -> bool:
        """Return whether a time limit asked, not a person or a rule."""
        return self._timed_out

    def request(self, reason: str, *, at_once: bool = False, timed_out: bool = False) -> None:
        """Ask to stop; the first reason given is the one that stays."""
        if not self.requested:
            self._reason = reason
            self._timed_out = timed_out
        self._requested.set()
        if at_once:
            self._at_once.set()

    def hurry(self) -> None:
        """Take away the grace of whatever was asked to stop before; nothing when nobody asked."""
        if self.requested:
            self.request(self._reason, at_once=True)

    async def wait(self) -> None:
        """Return once somebody asked."""
        await self._requested.wait()

    async def wait_at_once(self) -> None:
        """Return once no grace is left."""
        await self._at_once.wait()
