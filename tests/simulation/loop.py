"""An event loop with virtual time whose order is drawn from a seed.

This is the one file that touches private parts of asyncio: `_run_once`, `_ready` and `_scheduled` of
`BaseEventLoop`, which every supported Python has.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import Any


class NothingToDo(Exception):  # noqa: N818 - it says what is the case
    """Everybody waits for somebody, and no timer is set."""


class SimulationLoop(asyncio.BaseEventLoop):
    """Runs what is ready in a drawn order; time leaps to the next timer only when nothing is ready."""

    def __init__(self, choices: random.Random) -> None:
        super().__init__()
        self._choices = choices
        self._elapsed = 0.0
        self.steps = 0

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._elapsed

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Run the call here and now: threads would not be repeatable."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits the future gets it
            future.set_exception(error)
        return future

    def _run_once(self) -> None:
        loop: Any = self
        timers, ready = loop._scheduled, loop._ready
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not ready:
            if not timers:
                raise NothingToDo
            self._elapsed = max(self._elapsed, timers[0].when())
        while timers and timers[0].when() <= self._elapsed:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        index = self._choices.randrange(len(ready)) if len(ready) > 1 else 0
        ready.rotate(-index)
        handle = ready.popleft()
        ready.rotate(index)
        self.steps += 1
        if not handle._cancelled:
            handle._run()

    def _process_events(self, event_list: Any) -> None:
        """Do nothing: there are no sockets."""

    def _write_to_self(self) -> None:
        """Do nothing: nobody sleeps in a selector."""
