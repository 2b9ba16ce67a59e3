"""One process of a step: wait for it, and end it when its time is up or its job is cancelled.

The way to end it is GitHub's (documentation, "Workflow cancellation reference"): SIGINT, after 7.5 s
SIGTERM, after 2.5 s more SIGKILL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any

from pawl.engine.execution.cancellation import Cancellation
from pawl.engine.execution.request import ExecutionLimits
from pawl.ports.clock import Clock
from pawl.ports.executor import Exit, Process

_LOST_AFTER = 10.0
"""Seconds after SIGKILL when a process that still has not ended is given up for lost."""


async def wait_or_stop(
    process: Process, *, stop: Cancellation, clock: Clock, limits: ExecutionLimits
) -> Exit:
    """Return how `process` ended, having ended it once `stop` was asked.

    When this is cancelled itself, the process is killed first.
    """
    ended = asyncio.ensure_future(process.wait())
    try:
        if not await ends_first(ended, stop.wait()):
            await _stop(process, ended, stop, clock, limits)
        if not ended.done():
            return Exit(code=137, reason="the process did not end after SIGKILL")
        return ended.result()
    except asyncio.CancelledError:
        await asyncio.shield(process.signal("KILL"))
        raise
    finally:
        await end_task(ended)


async def _stop(
    process: Process, ended: asyncio.Future[Exit], stop: Cancellation, clock: Clock, limits: ExecutionLimits
) -> None:
    for name, patience in (("INT", limits.term_after), ("TERM", limits.kill_after)):
        if stop.at_once:
            break
        await process.signal(name)
        if await ends_first(ended, _first(clock.sleep(patience), stop.wait_at_once())):
            return
    await process.signal("KILL")
    await ends_first(ended, clock.sleep(_LOST_AFTER))


async def ends_first(task: asyncio.Future[Any], other: Coroutine[Any, Any, object]) -> bool:
    """Return whether `task` ended before `other` did; `other` is cancelled then, `task` never."""
    rival = asyncio.ensure_future(other)
    try:
        await asyncio.wait({task, rival}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_task(rival)
    return task.done()


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            await end_task(task)


async def end_task(task: asyncio.Future[Any]) -> None:
    """Cancel a task that is still running, and wait until it has let go."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    elif not task.cancelled():
        task.exception()  # looked at: when nobody comes to ask any more, asyncio shall not report it


async def finish_shielded(work: Awaitable[None]) -> None:
    """Let `work` finish even when the caller is cancelled meanwhile, and only then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
        except Exception:  # noqa: BLE001 - the task holds it; raised below
            break
    task.result()
    if cancelled:
        raise asyncio.CancelledError
