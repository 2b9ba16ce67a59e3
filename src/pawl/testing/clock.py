"""A clock that tests hold in their hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


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
        self._threads: _CountedThreads | None = None

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
        if self._threads is None and self._autojump:
            self._threads = _CountedThreads(asyncio.get_running_loop())
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
        # The loop's own list of what is ready to run: only when it is empty does everybody sleep.
        ready = getattr(asyncio.get_running_loop(), "_ready", ())
        while self._sleepers:
            await asyncio.sleep(0)
            if self._threads is not None and self._threads.busy:
                # Real work needs real time.
                await asyncio.sleep(0.0002)
                continue
            if ready:
                continue
            self._sleepers = [entry for entry in self._sleepers if not entry[2].done()]
            heapq.heapify(self._sleepers)
            if self._sleepers:
                self.advance(max(0.0, self._sleepers[0][0] - self._elapsed))


class _CountedThreads(ThreadPoolExecutor):
    """The threads of `asyncio.to_thread`, counted, so that no time passes while one of them works."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(thread_name_prefix="counted")
        self._loop = loop
        self._working = 0
        loop.set_default_executor(self)

    @property
    def busy(self) -> bool:
        """Return whether a call is running, or its result has not reached the loop yet."""
        return self._working > 0

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start a call. Called from the loop only."""
        self._working += 1
        future = super().submit(call, *args, **kwargs)
        # Later than asyncio's own callback, so that who waits is woken before the count goes down.
        self._loop.call_soon(future.add_done_callback, self._done)
        return future

    def _done(self, _: Future[Any]) -> None:
        self._loop.call_soon_threadsafe(self._count_down)

    def _count_down(self) -> None:
        self._working -= 1
