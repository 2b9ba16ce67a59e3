"""A store whose transactions are timed, for the server's metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from prometheus_client import Histogram

from pawl.ports.store import Store, Transaction

T = TypeVar("T")


class MeasuredStore:
    """A store (ports.store) that measures how long its transactions take, with what they wait for."""

    def __init__(self, store: Store, seconds: Histogram) -> None:
        """Pass everything on to `store`, and times to `seconds` by kind."""
        self._store = store
        self._reads = seconds.labels("read")
        self._writes = seconds.labels("write")

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Do as the port says; one that fails counts, too."""
        begun = time.monotonic()
        try:
            return await self._store.write(work)
        finally:
            self._writes.observe(time.monotonic() - begun)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Do as the port says; one that fails counts, too."""
        begun = time.monotonic()
        try:
            return await self._store.read(work)
        finally:
            self._reads.observe(time.monotonic() - begun)

    def subscribe(self, listener: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Do as the port says."""
        return self._store.subscribe(listener)

    async def check(self) -> None:
        """Do as the port says."""
        await self._store.check()

    async def aclose(self) -> None:
        """Do as the port says."""
        await self._store.aclose()
