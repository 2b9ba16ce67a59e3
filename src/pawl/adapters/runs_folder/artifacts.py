"""Artifacts in a folder: `<name>/files/...` beside a manifest, visible only when complete."""

from __future__ import annotations

import contextlib
import hashlib
import json
import mimetypes
import os
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from pawl.adapters.runs_folder.atomic import write_whole
from pawl.adapters.runs_folder.names import folder_name
from pawl.adapters.runs_folder.removal import remove_tree
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.ids import JobId
from pawl.ports.artifacts import ArtifactFile, Manifest

_BLOCK = 1024 * 1024
_FORBIDDEN = frozenset('":<>|*?\r\n\\\0')
"""What actions/upload-artifact refuses in names, because not every file system can hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactLimits:
    """Bounds on one artifact: files in it, bytes of all of them together; and artifacts in a run."""

    files: int = 50_000
    size: int = 10 * 1024**3
    artifacts: int = 500


class FolderArtifacts:
    """The `ArtifactStore` of one run."""

    def __init__(self, folder: Path, *, limits: ArtifactLimits | None = None) -> None:
        """Keep artifacts below `folder`, which is made when the first one comes."""
        self._folder = folder
        self._limits = limits or ArtifactLimits()

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
        """Copy files aside, then show them all at once, as the port says."""
        _check_name(name, "artifact")
        if "/" in name:
            raise UsageError(f"The artifact name `{name[:200]}` holds `/`, which is for files inside it")
        taken = self.manifests()
        older = next((manifest for manifest in taken if manifest.name == name), None)
        if older is not None and not replace and not (older.job == job and older.attempt < attempt):
            raise UsageError(
                f"This run already has an artifact called `{name}`, of the job `{older.job}`",
                hint="give each its own name, or set `overwrite: true`",
            )
        if older is None and len(taken) >= self._limits.artifacts:
            raise UsageError(f"This run has {len(taken)} artifacts already, the most that are kept")
        try:
            return self._store(name, job, attempt, files, within, order=len(taken))
        except OSError as error:
            raise InfrastructureError(f"Cannot keep the artifact `{name}`: {error}") from error

    def manifests(self) -> tuple[Manifest, ...]:
        """Return what there is, in the order it was stored."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for folder in self._folder.iterdir():
                told = _read_manifest(folder)
                if told is not None:
                    found.append(told)
        return tuple(manifest for _, manifest in sorted(found, key=lambda pair: (pair[0], pair[1].name)))

    def open_path(self, artifact: str, file: str) -> Path:
        """Return where a stored file can be read, as the port says."""
        folder = self._folder / folder_name(artifact)
        told = _read_manifest(folder)
        if told is None or all(entry.name != file for entry in told[1].files):
            raise KeyError(f"{artifact}: {file}")
        return folder / "files" / file

    def _store(
        self,
        name: str,
        job: JobId,
        attempt: int,
        files: Iterable[tuple[str, Path]],
        within: Path | None,
        *,
        order: int,
    ) -> Manifest:
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            stored = tuple(self._copy_all(files, aside / "files", within))
            manifest = Manifest(name=name, job=job, files=stored, attempt=attempt)
            told = {"order": order, **asdict(manifest)}
            write_whole(aside / "manifest.json", json.dumps(told, indent=1).encode())
            aside.chmod(0o755)
            self._show(aside, self._folder / folder_name(name))
        finally:
            remove_tree(aside)
        return manifest

    @staticmethod
    def _show(aside: Path, final: Path) -> None:
        """Put what is complete in its place. A folder cannot be renamed over one that holds something."""
        older = aside.with_name(f"{aside.name}.old")
        with contextlib.suppress(FileNotFoundError):
            final.rename(older)
        try:
            aside.rename(final)
        except OSError:
            with contextlib.suppress(OSError):
                older.rename(final)
            raise
        remove_tree(older)

    def _copy_all(
        self, files: Iterable[tuple[str, Path]], folder: Path, within: Path | None
    ) -> Iterable[ArtifactFile]:
        folder.mkdir()
        room = self._limits.size
        seen: set[str] = set()
        for name, source in files:
            _check_name(name, "file")
            if name in seen:
                raise UsageError(f"Two files of the artifact would be called `{name}`")
            seen.add(name)
            if len(seen) > self._limits.files:
                raise UsageError(f"The artifact has more than {self._limits.files} files, the most allowed")
            target = folder / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                stored = _copy(source, target, name, within, room)
            except (FileExistsError, NotADirectoryError):
                raise UsageError(f"`{name}` would be a file and a folder in the artifact at once") from None
            room -= stored.size
            yield stored


def _check_name(name: str, what: str) -> None:
    parts = PurePosixPath(name).parts
    safe = (
        name
        and not name.startswith("/")
        and "/".join(parts) == name
        and ".." not in parts
        and not _FORBIDDEN.intersection(name)
        and name.isprintable()
        and all(len(part.encode("utf-8", "surrogatepass")) <= 255 for part in parts)
        and len(name) <= 2_000
    )
    if not safe:
        raise UsageError(
            f"`{name[:200]!r}` is no name for an {what} in the store"
            if what == "artifact"
            else f"The file name {name[:200]!r} cannot be kept in an artifact",
            hint='names are relative, without `..` and without any of " : < > | * ? \\ and line ends',
        )


def _copy(source: Path, target: Path, name: str, within: Path | None, room: int) -> ArtifactFile:
    """Copy one regular file; the hash is of what was stored, whatever happens to the source meanwhile.

    Raises:
        UsageError: it is no regular file (any more), or there is no room for it.
    """
    digest, size = hashlib.sha256(), 0
    descriptor = _open_regular(source, within)
    with open(descriptor, "rb", buffering=0) as reader, target.open("xb") as writer:  # noqa: PTH123 - a descriptor
        executable = os.fstat(descriptor).st_mode & 0o111
        while block := reader.read(_BLOCK):
            size += len(block)
            if size > room:
                raise UsageError(f"The artifact is larger than allowed: the limit was passed at `{name}`")
            digest.update(block)
            writer.write(block)
    if executable:
        target.chmod(0o755)
    kind = mimetypes.guess_type(name, strict=False)[0] or "application/octet-stream"
    return ArtifactFile(name=name, size=size, sha256=digest.hexdigest(), content_type=kind)


def _open_regular(source: Path, within: Path | None) -> int:
    """Open a regular file for reading, through no link below `within`.

    A job may swap a folder for a link at any time, so each part of the path is opened from the one before.
    """
    last = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    base, parts = (within, source.relative_to(within).parts) if within else (source.parent, (source.name,))
    current = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            os.close(current)
            current = inner
        descriptor = os.open(parts[-1], last, dir_fd=current)
    except OSError as error:
        raise UsageError(f"The file `{source}` cannot be read: {error.strerror}") from error
    finally:
        os.close(current)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"`{source}` is not a regular file")
    return descriptor


def _read_manifest(folder: Path) -> tuple[int, Manifest] | None:
    if folder.name.startswith("."):
        return None
    try:
        told = json.loads((folder / "manifest.json").read_bytes())
        files = tuple(
            ArtifactFile(
                name=str(file["name"]),
                size=int(file["size"]),
                sha256=str(file["sha256"]),
                content_type=str(file["content_type"]),
            )
            for file in told["files"]
        )
        manifest = Manifest(
            name=str(told["name"]),
            job=JobId(told["job"]),
            files=files,
            attempt=int(told.get("attempt", 1)),
        )
        return int(told["order"]), manifest
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
