"""Doing a thing to its end, though whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(task: asyncio.Task[T]) -> T:
    """Wait for a task that must not be left half done; a cancellation is passed on afterwards."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result


async def make(call: Coroutine[Any, Any, T]) -> T:
    """Return what a call makes on the engine; a cancellation waits for it.

    The engine goes on with what it was asked for when nobody listens any more: what it makes after we have
    looked for what is to be removed would stay.
    """
    return await to_the_end(asyncio.create_task(call, name="make"))
