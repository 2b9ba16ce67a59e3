"""The same checks on a real server's database and data folder, after a test with real processes.

    check_database(data)                    a server's data folder, with SQLite in it
    check_database(data, "postgresql://…")  the same with another database

The server may have been killed at any moment, but must not be at work while it is looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.storage_s3 import s3_blobs, s3_log_bytes
from pawl.adapters.store_sql import open_store
from pawl.core.model.errors import PawlError
from pawl.core.model.ids import RunId
from pawl.core.model.records import ArtifactRecord, AttemptState, LogRecord
from pawl.core.model.status import Status
from pawl.ports.blobs import Blobs
from pawl.ports.log_bytes import LogBytes, LogName
from pawl.ports.store import RunFilter, Store, Transaction
from tests.simulation import audit
from tests.simulation.views import RunView, read_view

_PAGE = 100


def check_database(
    data: Path, url: str | None = None, *, bucket: str | None = None, ended: bool = True
) -> None:
    """Look at everything a server keeps.

    Args:
        data: the server's data folder: `pawl.db`, `logs`, `blobs`.
        url: of the database, where it is not the one in the folder.
        bucket: where logs and blobs are, where they are not in the folder; formatted with `logs` and `blobs`.
        ended: whether every run must have ended.

    Raises:
        AssertionError: something of it must never be; all of it is in the message.
    """
    found = find_faults(data, url, bucket=bucket, ended=ended)
    assert not found, "\n".join([f"{len(found)} things that must never be:", *found])


def find_faults(
    data: Path, url: str | None = None, *, bucket: str | None = None, ended: bool = True
) -> list[str]:
    """Return what is wrong with everything a server keeps; see `check_database`."""
    # In a thread of its own, so that it can be called where a loop is running.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(
            lambda: asyncio.run(_find(data, url or f"sqlite:///{data / 'pawl.db'}", bucket, ended))
        ).result()


async def _find(data: Path, url: str, bucket: str | None, ended: bool) -> list[str]:
    store = open_store(url)
    try:
        if bucket is not None:
            kept, blobs = s3_log_bytes(bucket.format("logs")), s3_blobs(bucket.format("blobs"))
            return [message async for message in _all(store, kept, blobs, ended)]
        with closing(FolderLogBytes(data / "logs")) as logs:
            return [message async for message in _all(store, logs, FolderBlobs(data / "blobs"), ended)]
    finally:
        await store.aclose()


async def _all(store: Store, logs: LogBytes, blobs: Blobs, ended: bool) -> AsyncIterator[str]:
    members, rows = [], []
    for run in await store.read(_run_ids):
        view, artifacts = await store.read(lambda transaction, run=run: _look(transaction, run))  # type: ignore[misc] - bound here
        if view is None:
            yield f"run {run} is listed and not there"
            continue
        members += view.groups
        rows += view.attempts.values()
        for message in _check_run(view, ended):
            yield message
        async for message in _check_bytes(view, logs):
            yield message
        for artifact in artifacts:
            async for message in _check_artifact(artifact, blobs):
                yield message
    for message in audit.audit_groups(members):
        # Which groups let many wait is not known here.
        if "wait for" not in message or "nobody has" in message:
            yield message
    workers = await store.read(lambda transaction: transaction.workers.all())
    for message in audit.audit_workers(rows, {worker.id: worker.slots for worker in workers}):
        yield message


def _run_ids(transaction: Transaction) -> list[RunId]:
    found: list[RunId] = []
    before: RunId | None = None
    while page := transaction.runs.find(RunFilter(before=before), _PAGE):
        found += [record.id for record in page]
        before = found[-1]
    return found[::-1]


def _look(transaction: Transaction, run: RunId) -> tuple[RunView | None, tuple[ArtifactRecord, ...]]:
    return read_view(transaction, run), transaction.artifacts.of_run(run)


def _check_run(view: RunView, ended: bool) -> Iterator[str]:
    yield from audit.audit_run(view)
    yield from audit.audit_events(view, view.events)
    if ended and view.record.status is not Status.COMPLETED:
        states = {str(ref.job): str(row.state) for ref, row in view.attempts.items()}
        yield f"run {view.id}: I13: it has not ended: {states}"
    keys = [row.result_key for row in view.attempts.values() if row.result_key is not None]
    if len(keys) != len(set(keys)):
        yield f"run {view.id}: I3: two attempts have the same result: {sorted(keys)}"


async def _check_bytes(view: RunView, logs: LogBytes) -> AsyncIterator[str]:
    """Check that finished logs are what their records say (I19)."""
    for log in view.logs:
        row = view.attempts.get(log.attempt)
        if row is None:
            yield f"run {view.id}: there is a log of {log.attempt}, which does not exist"
        elif log.finished and row.state is not AttemptState.FINISHED:
            yield f"I19: {log.attempt} is {row.state}, its log {log.index} is finished"
        elif log.finished and not log.note:
            async for message in _check_log(log, logs):
                yield message


async def _check_log(log: LogRecord, logs: LogBytes) -> AsyncIterator[str]:
    name = LogName(attempt=log.attempt, index=log.index)
    size, digest = await logs.size(name, "data"), await logs.digest(name)
    if size != log.size or (size and digest != log.sha256):
        yield f"I19: step {log.index} of {log.attempt} is not what was finished ({size} of {log.size})"


async def _check_artifact(artifact: ArtifactRecord, blobs: Blobs) -> AsyncIterator[str]:
    """Check that an artifact's blobs are there and are what they are called (I28, I29)."""
    for entry in artifact.files:
        digest, size = hashlib.sha256(), 0
        try:
            async for chunk in blobs.read(entry.sha256):
                digest.update(chunk)
                size += len(chunk)
        except PawlError as error:
            yield f"I29: {artifact.name} of run {artifact.run}: {error}"
            continue
        if (digest.hexdigest(), size) != (entry.sha256, entry.size):
            yield f"I28: {entry.name} of {artifact.name} of run {artifact.run} is not what it says"
