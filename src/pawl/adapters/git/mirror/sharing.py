"""Sharing work on a repository: one piece at a time, and all who ask while one runs share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

K = TypeVar("K", bound=Hashable)

Work = Callable[[K, Callable[[], frozenset[str]]], Awaitable[frozenset[str]]]
"""Calls its second argument, once, when nobody may join any more: the commits wanted, with "" among them
where somebody wants whatever is new.

Returns those of them that are not there in the end.
"""


@dataclass(slots=True, eq=False)
class _Round:
    wanted: set[str] = field(default_factory=set)
    work: asyncio.Task[frozenset[str]] | None = None


class Shared(Generic[K]):
    """A kind of work that callers in one process share."""

    def __init__(self, work: Work[K], turn: Callable[[K], str]) -> None:
        """Do `work`, one at a time of all whose `turn` is the same."""
        self._work = work
        self._turn_of = turn
        self._open: dict[K, _Round] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._works: set[asyncio.Task[frozenset[str]]] = set()

    async def join(self, key: K, wanted: str) -> bool:
        """Return when work that began after this call is done; raises what it raised.

        Returns whether the commit `wanted` is there then; True for "".
        """
        current = self._open.get(key)
        if current is None:
            current = self._open[key] = _Round()
            current.work = asyncio.create_task(self._turn(key, current))
            self._works.add(current.work)
            current.work.add_done_callback(self._forget)
        current.wanted.add(wanted)
        assert current.work is not None  # noqa: S101 - it was made with the round
        # Whoever leaves does not end it for the others.
        return wanted not in await asyncio.shield(current.work)

    async def close(self) -> None:
        """End all that runs."""
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def _turn(self, key: K, current: _Round) -> frozenset[str]:
        turns = self._turns.setdefault(self._turn_of(key), asyncio.Lock())
        try:
            async with turns:
                return await self._work(key, lambda: self._shut(key, current))
        finally:
            self._shut(key, current)

    def _shut(self, key: K, current: _Round) -> frozenset[str]:
        if self._open.get(key) is current:
            del self._open[key]
        return frozenset(current.wanted)

    def _forget(self, work: asyncio.Task[frozenset[str]]) -> None:
        self._works.discard(work)
        if not work.cancelled():
            work.exception()  # nobody may be waiting for it any more
