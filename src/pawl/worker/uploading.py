"""Bringing an attempt's files across: the repository's to the job, the job's artifacts to the server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.records import ArtifactEntry
from pawl.ports.artifacts import Manifest
from pawl.worker.spool import Spool
from pawl.worker.tools import Tools
from pawl.worker.waking import SpooledArtifacts

_BLOCK = 1 << 18


async def fetch_source(spool: Spool, tools: Tools) -> None:
    """Put the packed files into the spool, or why they cannot be had.

    Raises:
        StaleLease, Denied: as the link says.
    """
    lease = spool.held.lease
    aside = spool.source.with_name(".source.new")

    async def fetch() -> None:
        try:
            with aside.open("wb") as file:
                async for chunk in tools.link.source(lease):
                    await asyncio.to_thread(file.write, chunk)
            aside.replace(spool.source)
        except OSError as error:
            raise InfrastructureError(f"Cannot write {aside}: {error.strerror or error}") from error

    await tools.ask(fetch)


async def put_artifacts(spool: Spool, tools: Tools) -> None:
    """Send what the job kept; what the server has already it takes once.

    Raises:
        UsageError: the server refused an artifact: its name is taken, or it is too large.
    """
    kept = SpooledArtifacts(spool.artifacts)
    replacing = kept.replacing()
    for manifest in kept.manifests():
        await _put(manifest, kept, spool, tools, replace=manifest.name in replacing)


async def _put(
    manifest: Manifest, kept: SpooledArtifacts, spool: Spool, tools: Tools, *, replace: bool
) -> None:
    lease = spool.held.lease
    entries = tuple(
        ArtifactEntry(name=file.name, size=file.size, sha256=file.sha256, content_type=file.content_type)
        for file in manifest.files
    )
    for entry in {entry.sha256: entry for entry in entries}.values():
        path = kept.open_path(manifest.name, entry.name)

        async def put(path: Path = path, entry: ArtifactEntry = entry) -> None:
            await tools.link.put_blob(lease, _chunks(path), digest=entry.sha256, size=entry.size)

        await tools.ask(put)
    try:
        await tools.ask(lambda: tools.link.artifacts(lease, manifest.name, entries, replace=replace))
    except UsageError as error:
        error.message = f"the artifact `{manifest.name}` cannot be kept: {error.message}"
        raise


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while block := await asyncio.to_thread(os.read, descriptor, _BLOCK):
            yield block
    finally:
        os.close(descriptor)
