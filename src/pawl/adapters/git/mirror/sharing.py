"""Sharing fetches: one at a time a repository, and all who ask while one runs share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from pawl.ports.mirrors import Origin

Fetch = Callable[[Origin, Callable[[], frozenset[str]]], Awaitable[None]]
"""Fetches an origin; calls its second argument, once, when nobody may join any more: the commits wanted."""


@dataclass(slots=True, eq=False)
class _Round:
    wanted: set[str] = field(default_factory=set)
    work: asyncio.Task[None] | None = None


class SharedFetches:
    """The fetches of a process."""

    def __init__(self, fetch: Fetch) -> None:
        """Fetch by `fetch`."""
        self._fetch = fetch
        self._open: dict[Origin, _Round] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._works: set[asyncio.Task[None]] = set()

    async def join(self, origin: Origin, wanted: str) -> None:
        """Return when a fetch that began after this call is done; raises what it raised."""
        current = self._open.get(origin)
        if current is None:
            current = self._open[origin] = _Round()
            current.work = asyncio.create_task(self._turn(origin, current), name=f"fetch {origin.name}")
            self._works.add(current.work)
            current.work.add_done_callback(self._forget)
        if wanted:
            current.wanted.add(wanted)
        assert current.work is not None  # noqa: S101 - it was made with the round
        # Whoever leaves does not end it for the others.
        await asyncio.shield(current.work)

    async def close(self) -> None:
        """End all fetches."""
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def _turn(self, origin: Origin, current: _Round) -> None:
        turns = self._turns.setdefault(origin.name, asyncio.Lock())
        try:
            async with turns:
                await self._fetch(origin, lambda: self._shut(origin, current))
        finally:
            self._shut(origin, current)

    def _shut(self, origin: Origin, current: _Round) -> frozenset[str]:
        if self._open.get(origin) is current:
            del self._open[origin]
        return frozenset(current.wanted)

    def _forget(self, work: asyncio.Task[None]) -> None:
        self._works.discard(work)
        if not work.cancelled():
            work.exception()  # nobody may be waiting for it any more
