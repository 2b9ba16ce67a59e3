"""Artifacts, and the packed files of repositories: blobs, and who may refer to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pawl.core.model.ids import RunId, WorkerId
from pawl.core.model.records import ArtifactEntry, ArtifactRecord
from pawl.core.model.work import Lease
from pawl.ports.blobs import BlobFacts


class Artifacts:
    """The artifacts of a server's runs."""

    async def make(
        self, worker: WorkerId, lease: Lease, name: str, files: Sequence[ArtifactEntry], *, replace: bool
    ) -> ArtifactRecord:
        """Make an artifact of blobs stored before; from then on it can be seen. Again is no error.

        Raises:
            StaleLease: the lease is gone.
            Conflict: the name is taken, or a blob is missing.
            TooLarge: too many files or bytes.
        """
        raise NotImplementedError

    async def of_run(self, run: RunId) -> tuple[ArtifactRecord, ...]:
        """Return a run's artifacts, oldest first.

        Raises:
            NotFound: there is no such run.
        """
        raise NotImplementedError

    async def for_worker(self, worker: WorkerId, lease: Lease) -> tuple[ArtifactRecord, ...]:
        """Return the artifacts of the run that the lease is about.

        Raises:
            StaleLease: the lease is gone.
        """
        raise NotImplementedError

    async def get(self, run: RunId, name: str) -> ArtifactRecord:
        """Return an artifact.

        Raises:
            NotFound: there is none of that name.
        """
        raise NotImplementedError

    async def read(
        self, run: RunId, name: str, file: str, start: int = 0, end: int | None = None
    ) -> tuple[ArtifactEntry, AsyncIterator[bytes]]:
        """Return a file of an artifact: what is known of it, and its bytes from `start` up to `end`.

        Raises:
            NotFound: there is no such artifact or file.
        """
        raise NotImplementedError

    async def put_blob(
        self, worker: WorkerId, lease: Lease, chunks: AsyncIterator[bytes], *, digest: str, size: int
    ) -> BlobFacts:
        """Store one file of an artifact.

        Raises:
            StaleLease: the lease is gone.
            TooLarge: it is larger than `size`, or that is over the limit.
            Conflict: its digest is another.
        """
        raise NotImplementedError

    async def put_source(self, chunks: AsyncIterator[bytes]) -> BlobFacts:
        """Store the packed files of a repository; `digest` is for `Trigger.source`.

        Raises:
            TooLarge: it is over the limit.
        """
        raise NotImplementedError

    async def source(self, worker: WorkerId, lease: Lease) -> AsyncIterator[bytes]:
        """Return the packed files of the run that the lease is about.

        Raises:
            StaleLease: the lease is gone.
            NotFound: the run has none.
        """
        raise NotImplementedError
