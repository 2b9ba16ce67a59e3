"""The worker's side of the server: what a worker may ask and tell (architecture.md M5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import NOTHING, Report, Reported
from pawl.core.model.work import Begun, Lease, Renewal, Result, Welcome, Work, WorkerHello


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

    async def begin(self, lease: Lease) -> Begun:
        """Say that the job's first process is about to start: `leased` becomes `running`.

        Returns what the job is given, and nobody else: its secrets among it.
        """

    async def report(self, lease: Lease, report: Report) -> Reported:
        """Store events and pieces of logs, and return how much of them the server has now.

        Events and pieces that the server has already it takes once. A piece that it cannot take keeps back
        the later pieces of that log and the events of this report, and nothing else.

        Raises:
            OffsetConflict: events are missing in between; it holds how many were told.
        """

    async def finish(self, lease: Lease, result: Result, report: Report = NOTHING) -> None:
        """End the attempt, after a last report that is taken whole or not at all.

        Raises:
            OffsetConflict: the server has not the whole log yet, or cannot take the report.
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
