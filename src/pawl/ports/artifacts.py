"""Artifacts: named files a job leaves for people and for later jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pawl.core.model.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFile:
    """One file: its name in the artifact (`/` between folders, never `..`), bytes, hash, content type."""

    name: str
    size: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an artifact holds, and which attempt of which job made it."""

    name: str
    job: JobId
    files: tuple[ArtifactFile, ...]
    attempt: int = 1

    @property
    def size(self) -> int:
        """Return the sum of the files' bytes."""
        return sum(file.size for file in self.files)


class ArtifactStore(Protocol):
    """Keeps the artifacts of one run."""

    def store(
        self,
        name: str,
        job: JobId,
        files: Iterable[tuple[str, Path]],
        *,
        within: Path | None = None,
        attempt: int = 1,
        replace: bool = False,
    ) -> Manifest:
        """Copy files (name in the artifact, where it is now) and return the manifest.

        Nothing is visible until all of it is there. A file that is a link is refused; given `within`, a
        folder above all the files, no link below it is followed, however fast a job swaps folders for
        links. A file that changes meanwhile is stored as it was read, and the hash is of what was stored.

        An artifact of the same name gives way to one of a later attempt of the same job, and to any with
        `replace`; it is there until the new one is.

        Raises:
            UsageError: an unsafe name, a name already taken, no regular file, or a limit passed.
            InfrastructureError: the disk refused.
        """

    def manifests(self) -> tuple[Manifest, ...]:
        """Return what there is, in the order it was stored."""

    def open_path(self, artifact: str, file: str) -> Path:
        """Return where a stored file can be read.

        Raises:
            KeyError: when there is none.
        """
