"""Moving what a server keeps: its database, logs, and blobs, from one place to another, each checked.

A backup is a data folder like any other, with a note of what is in it. The database is copied first, as of
one moment. Bytes are durable before a row names them and are only ever added to, so all that the copied rows
name is still there when it is copied after them; only what retention removes meanwhile may be missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pawl.adapters.store_sql import backup_store, copy_store, open_store
from pawl.core.model.errors import InfrastructureError, NotFound
from pawl.core.model.ids import RunId
from pawl.core.model.records import LogRecord, RunRecord
from pawl.ports.blobs import Blobs
from pawl.ports.log_bytes import LogBytes, LogName, Part
from pawl.ports.store import RunFilter, Store, Transaction

DATABASE = "pawl.db"
NOTE_FILE = "backup.json"
_PAGE = 200
_BLOCK = 1 << 20
_MOST_BLOB = 1 << 50
_PARTS: tuple[Part, ...] = ("data", "index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was copied. `gone` counts what was removed by retention while the copy was made."""

    runs: int
    logs: int
    blobs: int
    size: int
    gone: int = 0


def store_url(folder: Path) -> str:
    """Return the URL of the database in a data folder."""
    return f"sqlite:///{folder / DATABASE}"


def is_sqlite(url: str) -> bool:
    """Return whether a store is a SQLite file."""
    return url.startswith("sqlite:")


def copy_database(url: str, target: Path) -> None:
    """Copy a store, which servers may go on using, into a new SQLite file.

    Raises:
        PawlError: as `backup_store` and `copy_store`.
    """
    if is_sqlite(url):
        backup_store(url, target)
    else:
        copy_store(url, f"sqlite:///{target}")


class Mover:
    """Copies the bytes that a copied database names."""

    def __init__(self, logs: LogBytes, blobs: Blobs, to_logs: LogBytes, to_blobs: Blobs) -> None:
        """Take where bytes are and where they go."""
        self._logs = logs
        self._blobs = blobs
        self._to_logs = to_logs
        self._to_blobs = to_blobs
        self._size = 0
        self._missing: list[tuple[RunId, str]] = []

    async def move(self, copied: Store, original: Store | None) -> Moved:
        """Copy all bytes that `copied` names, and return how much it was.

        Args:
            copied: the copy of the database.
            original: the database itself, asked whether what is missing has gone there too.

        Raises:
            InfrastructureError: bytes are missing or wrong though the original names them still.
        """
        runs = logs = 0
        async for run in _runs(copied):
            runs += 1
            for record in await copied.read(partial(_logs_of, run)):
                await self._copy_log(record)
                logs += 1
        digests = sorted(await copied.read(lambda tx: tx.artifacts.digests()))
        lost = [digest for digest in digests if not await self._copy_blob(digest)]
        gone = await self._check_missing(original, lost)
        return Moved(runs=runs, logs=logs, blobs=len(digests) - len(lost), size=self._size, gone=gone)

    async def _copy_log(self, record: LogRecord) -> None:
        name = LogName(attempt=record.attempt, index=record.index)
        sizes = {part: await self._copy_part(name, part) for part in _PARTS}
        if record.finished and sizes["data"] < record.size:
            self._missing.append((record.attempt.run, f"the log of {record.attempt}, step {record.index}"))
        elif record.finished and record.sha256 and await self._to_logs.digest(name) != record.sha256:
            raise InfrastructureError(
                f"the log of {record.attempt}, step {record.index} is damaged: its digest is another",
                hint="`pawl doctor` looks at the disk",
            )

    async def _copy_part(self, name: LogName, part: Part) -> int:
        offset = await self._to_logs.size(name, part)
        while data := await self._logs.read(name, part, start=offset, size=_BLOCK):
            offset = await self._to_logs.append(name, part, offset, data)
            self._size += len(data)
        return offset

    async def _copy_blob(self, digest: str) -> bool:
        if await self._to_blobs.facts(digest) is not None:
            return True
        try:
            facts = await self._to_blobs.put(self._blobs.read(digest), limit=_MOST_BLOB, digest=digest)
        except NotFound:
            return False
        self._size += facts.size
        return True

    async def _check_missing(self, original: Store | None, lost: list[str]) -> int:
        """Return how much has gone at the original too; raise when it names any of it still."""
        if not lost and not self._missing:
            return 0
        still: list[str] = []
        if original is not None:
            named = await original.read(lambda tx: tx.artifacts.digests())
            there = await original.read(lambda tx: {run for run, _ in self._missing if tx.logs.of_run(run)})
            still = [f"the blob {digest}" for digest in lost if digest in named]
            still += [what for run, what in self._missing if run in there]
        else:
            still = [*(f"the blob {digest}" for digest in lost), *(what for _, what in self._missing)]
        if still:
            raise InfrastructureError(
                f"{len(still)} of the stored bytes are missing: {'; '.join(still[:3])}",
                hint="all else was copied; look after the disk",
            )
        return len(lost) + len(self._missing)


async def _runs(store: Store) -> AsyncIterator[RunId]:
    before: RunId | None = None
    while True:
        page = await store.read(partial(_page_of_runs, before))
        for record in page:
            yield record.id
        if len(page) < _PAGE:
            return
        before = page[-1].id


def _page_of_runs(before: RunId | None, transaction: Transaction) -> tuple[RunRecord, ...]:
    return transaction.runs.find(RunFilter(before=before), _PAGE)


def _logs_of(run: RunId, transaction: Transaction) -> tuple[LogRecord, ...]:
    return transaction.logs.of_run(run)


async def open_copy(folder: Path) -> Store:
    """Return the store of a data folder or backup."""
    return await asyncio.to_thread(open_store, store_url(folder))
