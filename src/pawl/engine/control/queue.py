"""The queue as people see it."""

from __future__ import annotations

from pawl.core.model.ids import RunId
from pawl.core.model.records import RunRecord
from pawl.engine.control.requests import QueueEntry


class Queue:
    """What waits, in which order and why."""

    async def entries(self, limit: int = 1000) -> tuple[QueueEntry, ...]:
        """Return what waits, first to last; then the runs that wait for a concurrency group."""
        raise NotImplementedError

    async def counts(self) -> dict[str, int]:
        """Return how many attempts are `queued`, `blocked`, `leased` and `running`."""
        raise NotImplementedError

    async def set_priority(self, run: RunId, priority: int, by: str) -> RunRecord:
        """Move a run's waiting attempts, and those still to come, forward (or back, below 0); return it.

        Raises:
            NotFound: there is no such run.
            Conflict: it has ended.
        """
        raise NotImplementedError
