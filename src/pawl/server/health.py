"""Whether the server can do its work: its store, logs and blobs, asked at most every two seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from pawl.core.model.errors import PawlError
from pawl.core.model.plan import Json
from pawl.ports.clock import Clock
from pawl.server.log_lines import say

_KEPT_SECONDS = 2.0
_PATIENCE = 10.0


class Readiness:
    """Asks the parts and keeps the answer for a while, so that probes cost nothing."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[None]]], clock: Clock) -> None:
        """Take the parts by name: each check returns, or raises what is wrong."""
        self._checks = checks
        self._clock = clock
        self._lock = asyncio.Lock()
        self._answer: dict[str, str] = {}
        self._good_until = float("-inf")

    async def faults(self) -> dict[str, str]:
        """Return what is wrong by part; empty when the server is ready."""
        async with self._lock:
            if self._clock.monotonic() >= self._good_until:
                names = list(self._checks)
                found = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
                faults = {name: fault for name, fault in zip(names, found, strict=True) if fault}
                if faults != self._answer:
                    told: Json = {**faults}
                    say("not ready" if faults else "ready again", logging.WARNING, faults=told)
                self._answer = faults
                self._good_until = self._clock.monotonic() + _KEPT_SECONDS
            return self._answer

    async def _ask(self, check: Callable[[], Awaitable[None]]) -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                await check()
        except TimeoutError:
            return f"no answer within {_PATIENCE:g} seconds"
        except PawlError as error:
            return error.message
        except OSError as error:
            return error.strerror or type(error).__name__
        return ""
