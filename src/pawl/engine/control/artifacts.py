"""Artifacts, and the packed files of repositories: blobs, and who may refer to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pawl.core.model.errors import Conflict, NotFound, TooLarge, UsageError
from pawl.core.model.events import Event
from pawl.core.model.ids import RunId, WorkerId
from pawl.core.model.projects import Project
from pawl.core.model.records import ArtifactEntry, ArtifactRecord
from pawl.core.model.run_events import ArtifactStored, to_json
from pawl.core.model.work import Lease
from pawl.engine.control.desk import Desk
from pawl.engine.control.leases import held, held_running
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.tripwire import Tripwire
from pawl.ports.blobs import BlobFacts
from pawl.ports.store import Transaction

_LONGEST_NAME = 1024


class Artifacts:
    """The artifacts of a server's runs."""

    def __init__(self, desk: Desk, tripwire: Tripwire) -> None:
        self._desk = desk
        self._tripwire = tripwire

    async def make(
        self, worker: WorkerId, lease: Lease, name: str, files: Sequence[ArtifactEntry], *, replace: bool
    ) -> ArtifactRecord:
        """Make an artifact of blobs stored before; from then on it can be seen. Again is no error.

        Raises:
            StaleLease: the lease is gone.
            Conflict: the name is taken, or a blob is missing.
            TooLarge: too many files or bytes.
            UsageError: a name cannot be, or holds a secret.
        """
        quotas = self._desk.rules.quotas
        if len(files) > quotas.artifact_files:
            raise TooLarge(f"artifact `{name[:80]}` has more than {quotas.artifact_files:,} files")
        _check_names(name, files)
        if await self._tripwire.texts(lease.ref, [name, *(file.name for file in files)]):
            raise UsageError("the artifact's name, or that of a file in it, holds a secret")
        for digest, size in sorted({(file.sha256, file.size) for file in files}):
            facts = await self._desk.blobs.facts(digest)
            if facts is None or facts.size != size:
                mark("artifact.missing_blob_refused")
                raise Conflict(f"a file of artifact `{name}` is not stored: {digest}", hint="send it first")

        def work(tx: Transaction, moment: Moment) -> ArtifactRecord:
            held_running(tx, worker, lease)
            artifact = _artifact(lease, name, files, moment)
            before = tx.artifacts.get(lease.ref.run, name)
            if before is not None and before.files == artifact.files and before.job == artifact.job:
                return before
            if before is not None:
                _check_replacing(before, artifact, replace=replace)
            taken = tx.artifacts.total_size(lease.ref.run) - (before.size if before else 0)
            if taken + artifact.size > quotas.run_artifacts:
                raise TooLarge(
                    f"the artifacts of run {lease.ref.run} have more than {quotas.run_artifacts:,} bytes"
                )
            tx.artifacts.put(artifact)
            tx.events.append(lease.ref.run, [to_json(_stored(artifact))], moment.now)
            return artifact

        return await self._desk.write(work)

    async def of_run(self, run: RunId) -> tuple[ArtifactRecord, ...]:
        """Return a run's artifacts, oldest first.

        Raises:
            NotFound: there is no such run.
        """

        def look(tx: Transaction) -> tuple[ArtifactRecord, ...]:
            if tx.runs.get(run) is None:
                raise NotFound(f"there is no run {run}", hint="`pawl runs --server` lists them")
            return tx.artifacts.of_run(run)

        return await self._desk.read(look)

    async def for_worker(self, worker: WorkerId, lease: Lease) -> tuple[ArtifactRecord, ...]:
        """Return the artifacts of the run that the lease is about.

        Raises:
            StaleLease: the lease is gone.
        """

        def look(tx: Transaction) -> tuple[ArtifactRecord, ...]:
            held(tx, worker, lease, lock=False)
            return tx.artifacts.of_run(lease.ref.run)

        return await self._desk.read(look)

    async def get(self, run: RunId, name: str) -> ArtifactRecord:
        """Return an artifact.

        Raises:
            NotFound: there is none of that name.
        """
        found = await self._desk.read(lambda tx: tx.artifacts.get(run, name))
        if found is None or not found.final:
            raise NotFound(f"run {run} has no artifact `{name}`", hint="`pawl artifacts` lists them")
        return found

    async def read(
        self, run: RunId, name: str, file: str, start: int = 0, end: int | None = None
    ) -> tuple[ArtifactEntry, AsyncIterator[bytes]]:
        """Return a file of an artifact: what is known of it, and its bytes from `start` up to `end`.

        Raises:
            NotFound: there is no such artifact or file.
        """
        artifact = await self.get(run, name)
        entry = next((each for each in artifact.files if each.name == file), None)
        if entry is None:
            raise NotFound(f"artifact `{name}` of run {run} has no file `{file}`")
        return entry, self._desk.blobs.read(entry.sha256, start=start, end=end)

    async def put_blob(
        self, worker: WorkerId, lease: Lease, chunks: AsyncIterator[bytes], *, digest: str, size: int
    ) -> BlobFacts:
        """Store one file of an artifact.

        Raises:
            StaleLease: the lease is gone.
            TooLarge: it is larger than `size`, or that is over the limit.
            Conflict: its digest is another.
        """
        most = self._desk.rules.quotas.artifact_file
        if size > most:
            raise TooLarge(f"a file of {size:,} bytes, more than {most:,}")
        await self._desk.read(lambda tx: held_running(tx, worker, lease, lock=False))
        return await self._desk.blobs.put(chunks, limit=size, digest=digest)

    async def has_blob(self, worker: WorkerId, lease: Lease, digest: str, size: int) -> bool:
        """Return whether a file of an artifact need not be sent: it is stored, and not soon to be removed.

        Raises:
            StaleLease: the lease is gone; only one who has a lease may learn what is stored.
        """
        await self._desk.read(lambda tx: held(tx, worker, lease, lock=False))
        facts = await self._desk.blobs.facts(digest)
        # What nothing refers to any more may go at any moment once it is old. Sent again, it is young.
        since = self._desk.clock.now() - self._desk.rules.retention.blob_grace / 2
        return facts is not None and facts.size == size and facts.stored_at > since

    async def put_source(self, chunks: AsyncIterator[bytes]) -> BlobFacts:
        """Store the packed files of a repository; `digest` is for `Trigger.source`.

        Raises:
            TooLarge: it is over the limit.
        """
        return await self._desk.blobs.put(chunks, limit=self._desk.rules.quotas.source)

    async def source(self, worker: WorkerId, lease: Lease) -> AsyncIterator[bytes]:
        """Return the packed files of the run that the lease is about.

        Raises:
            StaleLease: the lease is gone.
            NotFound: the run has none, or the forge has its commit no more.
        """
        plans, clones = self._desk.plans, self._desk.keeping.clones

        def look(tx: Transaction) -> tuple[str | None, Project | None, Event | None]:
            held(tx, worker, lease, lock=False)
            record = tx.runs.get(lease.ref.run)
            if record is None or record.source is not None:
                return record.source if record is not None else None, None, None
            return None, tx.projects.get(record.repository), plans.get(tx, record).event

        digest, project, event = await self._desk.read(look)
        if clones is not None and project is not None and event is not None:
            return await clones.packed(project, event)
        if digest is None or await self._desk.blobs.facts(digest) is None:
            raise NotFound(f"run {lease.ref.run} has no files", hint="trigger it with a source")
        return self._desk.blobs.read(digest)


def _check_names(name: str, files: Sequence[ArtifactEntry]) -> None:
    for each in (name, *(file.name for file in files)):
        parts = each.split("/")
        if not 0 < len(each) <= _LONGEST_NAME or "\0" in each or {"..", "."} & set(parts) or "" in parts:
            raise UsageError(f"`{each[:80]}` cannot be the name of an artifact or of a file in one")
    if "/" in name:
        raise UsageError(f"the name of an artifact has no `/`: `{name[:80]}`")
    if len({file.name for file in files}) != len(files):
        raise UsageError(f"artifact `{name}` has two files of the same name")


def _check_replacing(before: ArtifactRecord, new: ArtifactRecord, *, replace: bool) -> None:
    """Check that an artifact may take the place of another: when asked for, or of an earlier attempt's.

    Raises:
        Conflict: it may not.
    """
    if before.job == new.job and before.attempt < new.attempt:
        mark("artifact.replaced_by_later_attempt")
        return
    if not replace:
        mark("artifact.foreign_name_refused")
        raise Conflict(
            f"run {new.run} has an artifact `{new.name}` already, of job `{before.job}`",
            hint="choose another name, or set `overwrite: true`",
        )


def _artifact(lease: Lease, name: str, files: Sequence[ArtifactEntry], moment: Moment) -> ArtifactRecord:
    return ArtifactRecord(
        run=lease.ref.run,
        name=name,
        job=lease.ref.job,
        attempt=lease.ref.attempt,
        created_at=moment.now,
        size=sum(file.size for file in files),
        files=tuple(files),
    )


def _stored(artifact: ArtifactRecord) -> ArtifactStored:
    return ArtifactStored(
        time=artifact.created_at,
        job=artifact.job,
        name=artifact.name,
        files=len(artifact.files),
        size=artifact.size,
    )
