"""The files of a commit as the server wants them: packed, a chunk at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pawl.core.model.errors import InfrastructureError


async def packed_commit(root: Path, sha: str) -> AsyncIterator[bytes]:
    """Yield the files of a commit, packed."""
    raise InfrastructureError(f"{root} {sha}")
    yield b""
