"""Who wants to know of what was committed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable

Listener = Callable[[frozenset[str]], None]


class Listeners:
    """Listeners with the loops they are called in."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._all: dict[object, tuple[asyncio.AbstractEventLoop | None, Listener]] = {}

    def add(self, loop: asyncio.AbstractEventLoop | None, listener: Listener) -> Callable[[], None]:
        """Add a listener, called in `loop`, or at once for None; return how to remove it."""
        key = object()
        with self._lock:
            self._all[key] = (loop, listener)

        def remove() -> None:
            with self._lock:
                self._all.pop(key, None)

        return remove

    def tell(self, topics: Iterable[str]) -> None:
        """Tell all listeners; from any thread."""
        told = frozenset(topics)
        if not told:
            return
        with self._lock:
            listeners = list(self._all.values())
        for loop, listener in listeners:
            if loop is None:
                listener(told)
            else:
                call_in(loop, listener, told)


def call_in(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    """Have `call` run in a loop, from any thread; a loop that has ended needs nothing any more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)
