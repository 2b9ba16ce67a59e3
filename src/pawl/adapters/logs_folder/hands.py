"""Threads that do what blocks, so that the event loop does not.

A plain queue instead of an executor: the way to a thread and back is most of what a small piece of a log
costs, and this one is half as long.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Hands:
    """A few threads, each started when all that there are have something to do."""

    def __init__(self, threads: int, name: str) -> None:
        """Take how many there may be, and what they are called."""
        self._most = threads
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []
        self._closed = False

    async def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returned in a thread. A caller that is cancelled leaves it to its end.

        Raises:
            RuntimeError: these were closed; or whatever `work` raises.
        """
        if self._closed:
            raise RuntimeError("the files of the logs were closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._work.put(lambda: _answer(loop, future, work))
        if len(self._threads) < self._most and not self._idle.acquire(blocking=False):
            thread = threading.Thread(
                target=self._live, name=f"{self._name}-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return await future

    def close(self) -> None:
        """Wait for what was begun, and end the threads."""
        self._closed = True
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _live(self) -> None:
        while (work := self._next()) is not None:
            work()
            del work  # what it refers to, a file for instance, must not live on in a thread that waits

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._work.get_nowait()
        except queue.Empty:
            self._idle.release()
            return self._work.get()


def _answer(loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], work: Callable[[], T]) -> None:
    """Do the work and tell its end to who waits; a loop that has ended needs nothing any more."""
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
        settle: Callable[[Any], None] = future.set_exception
        told: object = error
    else:
        settle, told = future.set_result, result
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, future, settle, told)


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], told: object) -> None:
    if not future.done():
        settle(told)
