"""Counting what this server brought about: runs, attempts and how long they took."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

from pawl.core.model.errors import PawlError
from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptRecord, AttemptRef
from pawl.core.model.status import Status
from pawl.engine.control import Control
from pawl.server.metrics import Metrics

_REMEMBERED = 10_000


class Counting:
    """Reads back what has just changed and counts it; a failure to do so is nobody's business."""

    def __init__(self, control: Control, metrics: Metrics) -> None:
        self._control = control
        self._metrics = metrics
        self._ended: dict[object, None] = {}
        self._pending: set[asyncio.Task[None]] = set()

    def begun(self, ref: AttemptRef) -> None:
        """Measure how long an attempt waited that was begun."""
        self._later(self._begun(ref))

    def finished(self, ref: AttemptRef) -> None:
        """Count an attempt that was finished, and its run if that ended with it."""
        self._later(self._finished(ref))

    def runs(self, *runs: RunId) -> None:
        """Count those of these runs that have ended."""
        self._later(self._runs(runs))

    async def aclose(self) -> None:
        """Wait for what is being counted."""
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        # Whoever caused it does not wait for it to be counted.
        task = asyncio.get_running_loop().create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _begun(self, ref: AttemptRef) -> None:
        attempt = await self._attempt(ref)
        if attempt is not None and attempt.leased_at is not None and self._first(("begun", ref)):
            self._metrics.queue_seconds.observe(max(0.0, attempt.leased_at - attempt.queued_at))

    async def _finished(self, ref: AttemptRef) -> None:
        attempt = await self._attempt(ref)
        if attempt is not None and self._first(("finished", ref)):
            self._metrics.attempt_ended(attempt)
        await self._runs([ref.run])

    async def _runs(self, runs: Iterable[RunId]) -> None:
        for run in runs:
            try:
                record = await self._control.runs.get(run)
            except PawlError:
                continue
            if record.status is Status.COMPLETED and self._first((run, record.attempt)):
                self._metrics.run_ended(record)

    async def _attempt(self, ref: AttemptRef) -> AttemptRecord | None:
        try:
            return await self._control.store.read(lambda transaction: transaction.attempts.get(ref))
        except PawlError:
            return None

    def _first(self, what: object) -> bool:
        """Return whether this has not been counted: calls may be repeated."""
        if what in self._ended:
            return False
        self._ended[what] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.pop(next(iter(self._ended)))
        return True
