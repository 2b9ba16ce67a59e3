"""What a worker does about its holders: it removes those that nobody needs, and at its end all of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiodocker import Docker

from pawl.adapters.executor_docker.holders import AT_ONCE, Holders
from pawl.core.model.errors import InfrastructureError, UsageError

_TEND_EVERY = 60.0
_IDLE = 30 * 60.0
"""Seconds after which a holder that no job was in is removed; it takes some 3 MB until then."""


class Tending:
    """Keeps holders until it is ended."""

    def __init__(self, holders: Holders, docker: Docker) -> None:
        """Begin."""
        holders.keeper.begin()
        self._holders = holders
        self._docker = docker
        self._ending = asyncio.Event()
        self._task = asyncio.create_task(self._tend(), name="tend network holders")

    def end(self) -> None:
        """Keep none any more, as no job is to come: they go while this returns. Idempotent.

        A job that runs removes its own, and whatever else is left, at its end.
        """
        self._holders.keeper.end()
        self._ending.set()

    async def aclose(self) -> None:
        """Return when all that no job is in are gone, or the engine could not."""
        self.end()
        await self._task
        await self._tidy(AT_ONCE)  # what jobs gave back meanwhile

    async def _tend(self) -> None:
        # Not cancelled, as a removal that is cut off leaves a network that has ends yet, and cannot go.
        while not self._ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _TEND_EVERY)
            await self._tidy(AT_ONCE if self._ending.is_set() else _IDLE)

    async def _tidy(self, idle: float) -> None:
        # What an engine that is away has, a later sweep finds.
        with suppress(InfrastructureError, UsageError):
            await self._holders.tidy(self._docker, idle=idle)
