"""Sending what is due: so many at once, of one receiver so many, so that a slow one holds up no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Crew(Generic[T, K]):
    """Claims what is due and works on it."""

    def __init__(
        self,
        claim: Callable[[int, Collection[K]], Awaitable[Sequence[T]]],
        work: Callable[[T], Awaitable[None]],
        of: Callable[[T], K],
        *,
        at_once: int,
        of_one: int,
    ) -> None:
        """Take what to do.

        Args:
            claim: returns at most so many that are due, without those of some receivers.
            work: works on one; what it raises is raised by `settle`, or told by `faults`.
            of: returns whose one is.
            at_once: how many are worked on at a time.
            of_one: how many of one receiver.
        """
        self._claim = claim
        self._work = work
        self._of = of
        self._at_once = at_once
        self._of_one = of_one
        self._busy: Counter[K] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.faults: list[BaseException] = []

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """Return what is being worked on."""
        return frozenset(self._tasks)

    async def round(self) -> int:
        """Claim what is due, begin to work on it, and return how many that was."""
        free = self._at_once - len(self._tasks)
        if free <= 0:
            return 0
        full = frozenset(key for key, count in self._busy.items() if count >= self._of_one)
        claimed = await self._claim(free, full)
        for each in claimed:
            self._begin(each)
        return len(claimed)

    async def all(self) -> int:
        """Work until nothing is due and nothing is being worked on; return how many it were."""
        count = 0
        while (begun := await self.round()) or self._tasks:
            count += begun
            if not begun:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0)
        return count

    async def aclose(self) -> None:
        """Break off what is being worked on: whoever claims it later goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, one: T) -> None:
        key = self._of(one)
        self._busy[key] += 1
        task = asyncio.create_task(self._guarded(one))
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._busy[key] -= 1
            if self._busy[key] <= 0:
                del self._busy[key]

        task.add_done_callback(ended)

    async def _guarded(self, one: T) -> None:
        try:
            await self._work(one)
        except Exception as error:  # noqa: BLE001 - a fence: it stays claimed, and is tried again after that
            self.faults.append(error)
