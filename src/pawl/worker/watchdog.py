"""Ends a worker whose event loop has stopped turning, so that whatever supervises it starts it anew.

Its jobs go on meanwhile: they are processes of their own, and the next worker finds them.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

STUCK = 70
"""The exit code of a worker that hung (sysexits.h, EX_SOFTWARE)."""

_SHARE = 8


class Watchdog:
    """A thread that is told now and then that all is well."""

    def __init__(self, patience: float, on_stuck: Callable[[float], None] | None = None) -> None:
        """Call `on_stuck` (by default: end this process) after `patience` seconds without a word."""
        self._patience = patience
        self._on_stuck = on_stuck or _end
        self._last = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def tell(self) -> None:
        """Say that all is well."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        step = self._patience / _SHARE
        before = time.monotonic()
        while not self._over.wait(step):
            now = time.monotonic()
            if now - before > step * 2:
                # This thread itself was held up: the whole machine was, not only the loop.
                self._last = now
            before = now
            if now - self._last > self._patience:
                self._on_stuck(now - self._last)
                return


def _end(silent: float) -> None:
    sys.stderr.write(f"pawl: the worker has hung for {silent:.0f} s and ends; its jobs go on\n")
    sys.stderr.flush()
    os._exit(STUCK)
