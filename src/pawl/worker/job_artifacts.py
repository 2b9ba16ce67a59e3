"""Artifacts as a job has them: its own in its folder, the run's earlier ones by way of its worker.

The job knows no server. It asks for a file by writing its digest into a folder, and waits for it there; few
jobs ask at all, so the list of what the run has is asked for in the same way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

from pawl.adapters.runs_folder import FolderArtifacts
from pawl.adapters.runs_folder.atomic import write_whole
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.ids import JobId
from pawl.core.model.plain import from_plain
from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactRecord
from pawl.ports.artifacts import ArtifactFile, Manifest
from pawl.ports.job_host import Wake
from pawl.worker.spool import Spool

_REPLACED = "replaced.json"
_PAUSE = 0.01
_LISTED_WITHIN = 30.0
FAILED = ".failed"
LIST = "list"
"""What is asked for, instead of a digest, to get the list of the run's artifacts."""


def read_replacing(folder: Path) -> frozenset[str]:
    """Return the names of artifacts in a job's folder that replace what the run has."""
    try:
        return frozenset(json.loads((folder / _REPLACED).read_bytes()))
    except (OSError, ValueError, TypeError):
        return frozenset()


class JobArtifacts:
    """The artifact store of a job (ports.artifacts)."""

    def __init__(self, spool: Spool, wake: Wake) -> None:
        """Keep artifacts in `spool`, and ask there for others."""
        self._spool = spool
        self._wake = wake
        self._own = FolderArtifacts(spool.artifacts)

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
        """Copy files aside, as the port says. Whether the run has the name already is the server's to say."""
        manifest = self._own.store(name, job, files, within=within, attempt=attempt, replace=replace)
        if replace:
            names = sorted({*read_replacing(self._spool.artifacts), name})
            write_whole(self._spool.artifacts / _REPLACED, json.dumps(names).encode(), durable=False)
        return manifest

    def manifests(self) -> tuple[Manifest, ...]:
        """Return what this attempt has kept, and what the run had when this was first asked.

        Raises:
            InfrastructureError: the worker could not tell.
        """
        own = self._own.manifests()
        names = {manifest.name for manifest in own}
        return (*(each for each in self._earlier() if each.name not in names), *own)

    def open_path(self, artifact: str, file: str) -> Path:
        """Return where a stored file can be read, as the port says; waits until it is there.

        Raises:
            KeyError: there is none.
            InfrastructureError: the worker could not get it.
        """
        if any(manifest.name == artifact for manifest in self._own.manifests()):
            return self._own.open_path(artifact, file)
        for manifest in self._earlier():
            for entry in manifest.files:
                if (manifest.name, entry.name) == (artifact, file):
                    return self._ask_for(artifact, entry)
        raise KeyError(f"{artifact}: {file}")

    def _ask_for(self, artifact: str, entry: ArtifactFile) -> Path:
        given = self._spool.given / entry.sha256
        if not given.exists():
            self._want(entry.sha256, [artifact, entry.name])
        failed = given.with_name(given.name + FAILED)
        while not given.exists():
            if failed.exists():
                raise InfrastructureError(
                    f"the artifact {artifact} cannot be had: {failed.read_text('utf-8')}"
                )
            time.sleep(_PAUSE)
        return given

    def _want(self, name: str, what: Json) -> None:
        self._spool.wanted.mkdir(exist_ok=True)
        write_whole(self._spool.wanted / name, json.dumps(what).encode(), durable=False)
        self._wake()

    def _earlier(self) -> tuple[Manifest, ...]:
        if not self._spool.earlier.exists():
            self._want(LIST, None)
        end = time.monotonic() + _LISTED_WITHIN
        while not self._spool.earlier.exists():
            if time.monotonic() > end:
                raise InfrastructureError("the server does not say which artifacts the run has")
            time.sleep(_PAUSE)
        try:
            records = [
                from_plain(ArtifactRecord, each, "artifact", strict=False)
                for each in json.loads(self._spool.earlier.read_bytes())
            ]
        except (OSError, ValueError, UsageError) as error:
            raise InfrastructureError(f"the list of the run's artifacts cannot be read: {error}") from error
        return tuple(_manifest(record) for record in records if record.final)


def _manifest(record: ArtifactRecord) -> Manifest:
    files = tuple(
        ArtifactFile(name=file.name, size=file.size, sha256=file.sha256, content_type=file.content_type)
        for file in record.files
    )
    return Manifest(name=record.name, job=record.job, files=files, attempt=record.attempt)
