"""The worker's side of the server: what a worker may ask and tell (architecture.md M5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.work import Lease, Renewal, Result, Welcome, Work, WorkerHello
from pawl.ports.log_bytes import Part


class ServerLink(Protocol):
    """A connection to a server. Calls may be made again with the same arguments: the server does it once.

    All raise `Unavailable` (or another `TransientError`) when the server cannot be reached or cannot answer
    now: whether it did what was asked is then not known. They raise `Denied` when the token is not good any
    more, and those about a lease raise `StaleLease` when that is gone.
    """

    async def hello(self, hello: WorkerHello) -> Welcome:
        """Say who this is, at start and after every loss of the connection.

        Raises:
            UsageError: server and worker have no version of the protocol in common.
        """

    async def lease(self, request: str, slots: int, wait: float) -> tuple[Work, ...]:
        """Return at most `slots` attempts to work on, waiting up to `wait` seconds for the first.

        Args:
            request: the request's own id. Asked again with the same, the server answers the same.
            slots: how many this worker would take.
            wait: seconds.
        """

    async def renew(self, leases: Sequence[Lease], *, health: str, draining: bool) -> tuple[Renewal, ...]:
        """Renew leases and hear about cancellations; an empty list says that the worker lives."""

    async def begin(self, lease: Lease) -> None:
        """Say that the job's first process is about to start: `leased` becomes `running`."""

    async def tell(self, lease: Lease, first: int, events: Sequence[Json]) -> None:
        """Tell events of the attempt (`run_events.to_json`); `first` numbers them from 0 in the attempt."""

    async def append_log(
        self, lease: Lease, index: int, part: Part, offset: int, data: bytes, *, name: str
    ) -> int:
        """Store bytes of a step's log and return how many the server has.

        Raises:
            OffsetConflict: they do not go on where the server's end; it holds how many it has.
        """

    async def finish(self, lease: Lease, result: Result) -> None:
        """End the attempt.

        Raises:
            OffsetConflict: the server has not the whole log yet.
            Conflict: the attempt ended otherwise.
        """

    def source(self, lease: Lease, *, artifact: tuple[str, str] | None = None) -> AsyncIterator[bytes]:
        """Yield the repository's files at the run's commit, packed as `adapters/git/pack` does.

        Given `artifact`, the names of one of the run's artifacts and of a file in it, yield that file.

        Raises:
            NotFound: there is none.
        """

    async def put_blob(self, lease: Lease, chunks: AsyncIterator[bytes], *, digest: str, size: int) -> None:
        """Store one file of an artifact; a blob the server has already is not sent."""

    async def artifacts(
        self, lease: Lease, name: str | None, files: Sequence[ArtifactEntry], *, replace: bool
    ) -> tuple[Json, ...]:
        """Make an artifact of blobs stored before, where `name` is given; return the run's artifacts.

        Raises:
            Conflict: the name is taken.
            TooLarge: it would be over a quota.
        """
