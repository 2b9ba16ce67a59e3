"""The end of the server, known at once to everything that waits."""

from __future__ import annotations

import asyncio


class Stopping:
    """Set once. What waits for news waits for this as well, so that no stream holds up the end."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Return whether the server is ending."""
        return self._event.is_set()

    def begin(self) -> None:
        """Have everything that waits end."""
        self._event.set()

    async def wait(self) -> None:
        """Return when the server is ending."""
        await self._event.wait()
