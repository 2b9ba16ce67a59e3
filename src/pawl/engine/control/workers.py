"""What workers ask and tell. A worker is who its token says: its id is an argument, never in a message."""

from __future__ import annotations

from collections.abc import Sequence

from pawl.core.model.ids import WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.records import WorkerRecord
from pawl.core.model.work import Lease, Renewal, Result, Welcome, Work, WorkerHello
from pawl.ports.log_bytes import Part


def worker_id(token_digest: str, name: str) -> WorkerId:
    """Return the id of the worker that came with that token and calls itself `name`."""
    return WorkerId(f"{token_digest[:16]}.{name}")


class Workers:
    """The workers of a server. All methods about a lease raise `StaleLease` when it is gone."""

    async def hello(self, token_digest: str, hello: WorkerHello) -> Welcome:
        """Get to know a worker, or again; tell which of its attempts are not its own any more.

        Raises:
            UsageError: no version of the protocol in common, or a name, label or number that cannot be.
        """
        raise NotImplementedError

    async def lease(self, worker: WorkerId, request: str, slots: int) -> tuple[Work, ...]:
        """Return at most `slots` attempts, leased; none where nothing fits. Never waits.

        Asked again with the same request id, those of the first answer that are still leased so are returned.

        Raises:
            NotFound: the worker has not said hello, or was removed.
        """
        raise NotImplementedError

    async def renew(
        self, worker: WorkerId, leases: Sequence[Lease], *, health: str = "", draining: bool = False
    ) -> tuple[Renewal, ...]:
        """Renew leases; the answers, in the same order, say which are gone and which jobs are to stop.

        Raises:
            NotFound: the worker has not said hello, or was removed.
        """
        raise NotImplementedError

    async def begin(self, worker: WorkerId, lease: Lease) -> None:
        """Make a leased attempt a running one; again is no error.

        Raises:
            StaleLease: it is not, or no longer, this worker's.
        """
        raise NotImplementedError

    async def tell(self, worker: WorkerId, lease: Lease, first: int, events: Sequence[Json]) -> int:
        """Store events of a running attempt and return how many of it are stored.

        Args:
            worker: who tells.
            lease: of the attempt.
            first: number of the first event, from 0 in the attempt; those told before are dropped.
            events: as `run_events.to_json` wrote them; kinds that are not a worker's are left out.

        Raises:
            StaleLease: it is not, or no longer, this worker's, or has not begun.
            OffsetConflict: events are missing in between; it holds how many are stored.
            TooLarge: too many at once.
        """
        raise NotImplementedError

    async def append_log(
        self, worker: WorkerId, lease: Lease, index: int, part: Part, offset: int, data: bytes, *, name: str
    ) -> int:
        """Store bytes of a step's log and return how many are stored.

        Raises:
            StaleLease: it is not, or no longer, this worker's, or has not begun.
            OffsetConflict: they do not go on where the stored ones end; it holds how many are stored.
            TooLarge: the log, or this piece of it, is over its limit.
        """
        raise NotImplementedError

    async def finish(self, worker: WorkerId, lease: Lease, result: Result) -> None:
        """End an attempt; again with the same key is no error.

        Raises:
            StaleLease: it is not, or no longer, this worker's.
            OffsetConflict: a log is not whole; it holds how many bytes of it are stored.
            Conflict: the attempt ended otherwise.
            UsageError: a running attempt cannot end so.
        """
        raise NotImplementedError

    async def all(self) -> tuple[WorkerRecord, ...]:
        """Return all workers by name."""
        raise NotImplementedError

    async def remove(self, worker: WorkerId, *, by: str = "") -> None:
        """Forget a worker; what it works on is given up when its leases end.

        Raises:
            NotFound: there is none.
        """
        raise NotImplementedError
