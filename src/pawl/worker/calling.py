"""Calling a server until it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pawl.core.model.errors import InfrastructureError, InternalError
from pawl.ports.clock import Clock
from pawl.ports.randomness import Randomness
from pawl.worker.back_off import pause_after

T = TypeVar("T")


async def until_answered(
    call: Callable[[], Awaitable[T]],
    clock: Clock,
    randomness: Randomness,
    *,
    told: Callable[[str], None] | None = None,
) -> T:
    """Return what a call answers, asking again with back-off for as long as the world outside fails.

    Args:
        call: makes the request; must be one that may be made again.
        clock: waits.
        randomness: for the pauses.
        told: hears a sentence about each failure.

    Raises:
        UsageError: the server refused; asking again would not help.
    """
    tries = 0
    while True:
        try:
            return await call()
        except (InfrastructureError, InternalError) as error:
            tries += 1
            seconds = pause_after(error, tries, randomness.fraction())
            if told is not None:
                told(f"{error.message}; trying again in {seconds:.1f} s")
            await clock.sleep(seconds)
