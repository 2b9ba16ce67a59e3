"""A clock that tests hold in their hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class FakeClock:
    """Time stands still until `advance`, or, with `autojump`, until everybody sleeps.

    With `autojump` time leaps to the next sleeper whenever nothing else in the loop is ready to run, so that
    a test of a six hour limit takes no time.
    """

    def __init__(self, start: float = 1_700_000_000.0, *, autojump: bool = False) -> None:
        self._start = start
        self._elapsed = 0.0
        self._autojump = autojump
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._jumper: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Return seconds since 1970, as far as the test is concerned."""
        return self._start + self._elapsed

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until time has been moved on that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        if self._autojump and (self._jumper is None or self._jumper.done()):
            self._jumper = asyncio.ensure_future(self._jump())
        await future

    def advance(self, seconds: float) -> None:
        """Move time on and wake everybody whose time has come."""
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def _jump(self) -> None:
        while self._sleepers:
            # Real work (threads, files) needs real time: leap only when the loop had nothing to do for a bit.
            for _ in range(3):
                await asyncio.sleep(0)
            await asyncio.sleep(0.0002)
            self._sleepers = [entry for entry in self._sleepers if not entry[2].done()]
            heapq.heapify(self._sleepers)
            if self._sleepers:
                self.advance(max(0.0, self._sleepers[0][0] - self._elapsed))
