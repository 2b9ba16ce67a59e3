"""Fetching artifacts of a server's run: each file aside first, compared with its digest, then put in place.

Names of artifacts and files come from jobs, so from anybody: none of them may lead out of the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from pawl.cli.remote.answers import rows, text
from pawl.cli.remote.client import Client
from pawl.core.model.errors import InfrastructureError, UsageError

_MOST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was put into the folder, files that were there already included; `size` in bytes."""

    files: int = 0
    size: int = 0


async def fetch_artifacts(
    client: Client, run: int, artifacts: Sequence[dict[str, Any]], folder: Path
) -> Fetched:
    """Put all files of artifacts below `folder`, in a folder for each artifact.

    Raises:
        UsageError: a name leads elsewhere, or another file is there already.
        InfrastructureError: bytes are not those that the job kept, or cannot be written.
        PawlError: as the client.
    """
    count = size = 0
    for artifact in artifacts:
        name = text(artifact, "name")
        for entry in rows(artifact, "files"):
            file = text(entry, "name")
            path = f"/api/runs/{run}/artifacts/{quote(name, safe='')}/{quote(file)}"
            target = place_in(folder, name, file)
            try:
                size += await _fetch(client, path, target, text(entry, "sha256"))
            except OSError as error:
                raise InfrastructureError(f"cannot write {target}: {error.strerror or error}") from error
            count += 1
    return Fetched(files=count, size=size)


def place_in(folder: Path, artifact: str, file: str) -> Path:
    """Return where a file of an artifact goes.

    Raises:
        UsageError: its name leads elsewhere, through a link that is there too.
    """
    parts = [artifact, *file.split("/")]
    if not all(_is_plain(part) for part in parts) or "/" in artifact:
        raise UsageError(f"the artifact {artifact[:200]!r} has a file that cannot be stored: {file[:200]!r}")
    target = folder.joinpath(*parts)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{target.parent} leads out of {folder}", hint="choose another folder with --output")
    return target


def _is_plain(part: str) -> bool:
    wrong = part in {"", ".", ".."} or len(part.encode()) > _MOST_NAME
    return not wrong and "\\" not in part and part.isprintable()


async def _fetch(client: Client, path: str, target: Path, digest: str) -> int:
    """Fetch one file, if it is not there yet, and return its size."""
    size = _size_there(target, digest)
    if size is not None:
        return size
    hashed, size = hashlib.sha256(), 0
    with _replacing(target) as aside:
        async with contextlib.aclosing(client.blocks(path)) as blocks:
            async for block in blocks:
                aside.write(block)
                hashed.update(block)
                size += len(block)
        if hashed.hexdigest() != digest:
            raise InfrastructureError(f"{target.name} did not come as it was kept: its digest is another")
    return size


def _size_there(target: Path, digest: str) -> int | None:
    """Return the size of a file that is there already, None where there is none."""
    if not target.is_symlink() and not target.exists():
        return None
    if target.is_symlink() or not target.is_file() or _digest(target) != digest:
        raise UsageError(f"{target} exists, and is another", hint="choose another folder with --output")
    return target.stat().st_size


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file beside `target` that takes its place at the end; after an error nothing of it is left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".pawl-", delete=False) as aside:
        path = Path(aside.name)
        try:
            yield aside
            aside.flush()
            path.chmod(0o666 & ~_umask())
            path.replace(target)
        finally:
            path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
