"""Ctrl-C: the first time politely, the second time at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from pawl.engine.execution.cancellation import Cancellation


class Interrupts:
    """Counts the signals that asked a run to stop. SIGTERM and SIGHUP ask as politely as Ctrl-C.

    `notice` is where what happens is told; a view that owns the terminal puts its own there.
    """

    def __init__(self, cancellation: Cancellation, notice: Callable[[str], None]) -> None:
        self.cancellation = cancellation
        self.notice = notice
        self.count = 0

    def take(self, number: signal.Signals) -> None:
        """Take one signal."""
        self.count += 1
        if self.count == 1:
            word = "Ctrl-C" if number is signal.SIGINT else number.name
            self.notice("cancelling: steps get time to end; Ctrl-C again ends them at once")
            self.cancellation.request(f"interrupted by {word}")
        elif self.count == 2:
            self.notice("ending at once; only our own clean-up still runs")
            self.cancellation.request("interrupted again", at_once=True)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals while the block runs, in the running loop."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for each in signals:
            loop.add_signal_handler(each, self.take, each)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)
