"""Bringing an attempt's files across: the repository's to the job, the job's artifacts to the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from pawl.adapters.runs_folder import FolderArtifacts
from pawl.adapters.runs_folder.atomic import write_whole
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.records import ArtifactEntry
from pawl.ports.artifacts import Manifest
from pawl.worker.job_artifacts import FAILED, LIST, read_replacing
from pawl.worker.spool import SOURCE, Spool
from pawl.worker.tools import Tools

_BLOCK = 1 << 18


async def fetch_source(spool: Spool, tools: Tools) -> None:
    """Put the packed files into the spool, or the reason why they cannot be had."""
    lease = spool.held.lease
    if spool.source.exists() or spool.source_failed.exists():
        return
    try:
        await tools.ask(lambda: _save(tools.link.source(lease), spool.source))
    except UsageError as error:
        await asyncio.to_thread(write_whole, spool.source_failed, error.message.encode())
    except OSError as error:
        # The disk of this machine: asking the server again would not help.
        told = f"the worker cannot write them: {error.strerror or error}"
        spool.source_failed.write_text(told, encoding="utf-8")


async def list_artifacts(spool: Spool, tools: Tools) -> None:
    """Write into the spool which artifacts the run has.

    Raises:
        UsageError: the server refused.
    """
    lease = spool.held.lease
    found = await tools.ask(lambda: tools.link.artifacts(lease, None, (), replace=False))
    await asyncio.to_thread(write_whole, spool.earlier, json.dumps(found).encode())


def wanted_files(spool: Spool) -> list[str]:
    """Return what the job waits for: digests of files, `LIST`, or `SOURCE`."""
    try:
        return [path.name for path in spool.wanted.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []


async def fetch_wanted(spool: Spool, digest: str, tools: Tools) -> None:
    """Give the job what it asked for: the list, a file of an artifact, or the reason why it cannot be had."""
    if digest == SOURCE:
        await fetch_source(spool, tools)
        await asyncio.to_thread((spool.wanted / SOURCE).unlink, missing_ok=True)
        return
    if digest == LIST:
        await list_artifacts(spool, tools)
        await asyncio.to_thread((spool.wanted / LIST).unlink, missing_ok=True)
        return
    lease, given = spool.held.lease, spool.given / digest
    try:
        artifact, file = json.loads(await asyncio.to_thread((spool.wanted / digest).read_bytes))
        await asyncio.to_thread(spool.given.mkdir, exist_ok=True)
        await tools.ask(lambda: _save(tools.link.source(lease, artifact=(artifact, file)), given))
    except (UsageError, OSError, ValueError) as error:
        refused = given.with_name(given.name + FAILED)
        await asyncio.to_thread(write_whole, refused, str(error).encode())
    await asyncio.to_thread((spool.wanted / digest).unlink, missing_ok=True)


async def _save(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Write bytes to a file that is there only when it is complete.

    Raises:
        OSError: this machine's disk refused; what the server's side does wrong is a `PawlError`.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        with aside.open("wb") as file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()  # half of it would only fill the disk
        raise


async def put_artifacts(spool: Spool, tools: Tools) -> None:
    """Send what the job kept; what the server has already it takes once.

    Raises:
        OSError: this machine's disk does not give it back.
        UsageError: the server refused an artifact: its name is taken, or it is too large.
    """
    kept = FolderArtifacts(spool.artifacts)
    replacing = read_replacing(spool.artifacts)
    for manifest in kept.manifests():
        await _put(manifest, kept, spool, tools, replace=manifest.name in replacing)


async def _put(
    manifest: Manifest, kept: FolderArtifacts, spool: Spool, tools: Tools, *, replace: bool
) -> None:
    lease = spool.held.lease
    entries = tuple(
        ArtifactEntry(name=file.name, size=file.size, sha256=file.sha256, content_type=file.content_type)
        for file in manifest.files
    )
    for entry in {entry.sha256: entry for entry in entries}.values():
        path = kept.open_path(manifest.name, entry.name)

        async def put(path: Path = path, entry: ArtifactEntry = entry) -> None:
            reading = _Reading(path)
            try:
                await tools.link.put_blob(lease, reading.chunks(), digest=entry.sha256, size=entry.size)
            except InfrastructureError:
                # To the link the two look alike; only the server's trouble passes.
                if reading.error is not None:
                    raise reading.error from None
                raise

        await tools.ask(put)
    try:
        await tools.ask(lambda: tools.link.artifacts(lease, manifest.name, entries, replace=replace))
    except UsageError as error:
        error.message = f"the artifact `{manifest.name}` cannot be kept: {error.message}"
        raise


class _Reading:
    """A file on its way to the server; remembers whether this machine's disk was in the way."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.error: OSError | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield its bytes."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                while block := await asyncio.to_thread(os.read, descriptor, _BLOCK):
                    yield block
            finally:
                os.close(descriptor)
        except OSError as error:
            self.error = error
            raise
