"""Artifacts of a job: the files that globs select in its workspace, kept in the store.

Which files and under which names is core's (`core/steps/artifact_globs.py`, as actions/upload-artifact).
Links are not followed: unlike there, what a link stands for is not kept, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId
from pawl.core.steps.artifact_globs import select_artifact
from pawl.core.steps.masking import SecretSet
from pawl.engine.execution.workspace_files import ListedFile, list_files
from pawl.ports.artifacts import ArtifactStore, Manifest

_MOST_CHECKED = 50  # patterns that are told one by one when they match nothing
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFiles:
    """What globs selected.

    Attributes:
        files: name in the artifact, and where the file is, in the order of the search.
        workspace: the folder above all of them, resolved.
        warnings: a sentence each: patterns that match nothing, links that are left out.
    """

    files: tuple[tuple[str, Path], ...]
    workspace: Path
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArtifact:
    """What was kept: None when nothing was selected. `warnings` are for the log."""

    manifest: Manifest | None
    warnings: tuple[str, ...]


def collect_files(
    patterns: Sequence[str],
    workspace: Path,
    *,
    inside: str | None = None,
    home: str = "/root",
    include_hidden: bool = False,
) -> CollectedFiles:
    """Return the files of a workspace that globs select.

    Args:
        patterns: globs, each of which may hold several lines; `!` excludes.
        workspace: the folder on this machine.
        inside: the path by which the job sees it; the same folder when not given.
        home: what `~` stands for, as the job sees it.
        include_hidden: whether files and folders whose names start with a dot are taken.

    Raises:
        UsageError: a pattern is not valid, or the workspace holds too many files to look at.
    """
    root = workspace.resolve()
    listed = {file.path: file for file in list_files(root)}
    seen_as = str(root) if inside is None else inside

    def select(wanted: Sequence[str]) -> list[tuple[str, str]]:
        selection = select_artifact(
            wanted, listed, include_hidden=include_hidden, workspace=seen_as, home=home
        )
        return [(file.name, file.path) for file in selection.files]

    selected = select(patterns)
    lines = [line.strip() for pattern in patterns for line in pattern.split("\n")]
    positive = [line for line in lines if line and not line.startswith(("!", "#"))]
    missing = [line for line in positive[:_MOST_CHECKED] if not select([line])]
    return CollectedFiles(
        files=tuple((name, root / path) for name, path in selected if not listed[path].is_link),
        workspace=root,
        warnings=(
            *(f"Nothing matches `{line[:200]}` in the workspace" for line in missing),
            *_link_warning([listed[path] for _, path in selected]),
        ),
    )


def tell_kept(manifest: Manifest) -> str:
    """Return the sentence about an artifact, for the log; a worker has yet to send it, and may be refused."""
    files, size = len(manifest.files), manifest.size
    plural = "file" if files == 1 else "files"
    return f"Collected the artifact {manifest.name}: {files} {plural}, {size} bytes"


def check_names(name: str, collected: CollectedFiles, secrets: SecretSet) -> None:
    """Check that names, which everybody sees, hold no secret.

    Raises:
        UsageError: one does; it is not repeated.
    """
    if any(map(secrets.contains_secret, (name, *(file for file, _ in collected.files)))):
        raise UsageError(
            "the artifact's name, or that of a file in it, holds a secret",
            hint="names are not masked: they would be other names then",
        )


def keep_artifact(
    store: ArtifactStore,
    name: str,
    job: JobId,
    collected: CollectedFiles,
    *,
    attempt: int = 1,
    replace: bool = False,
) -> KeptArtifact:
    """Store what was collected as the artifact `name` of `job`; nothing when that is no file.

    One that an earlier attempt of the job kept gives way, and with `replace` any of that name.

    Raises:
        UsageError: an unsafe or taken name, or a limit passed.
        InfrastructureError: the disk refused.
    """
    if not collected.files:
        return KeptArtifact(manifest=None, warnings=collected.warnings)
    manifest = store.store(
        name, job, collected.files, within=collected.workspace, attempt=attempt, replace=replace
    )
    return KeptArtifact(manifest=manifest, warnings=collected.warnings)


def _link_warning(selected: Sequence[ListedFile]) -> tuple[str, ...]:
    links = [file.path for file in selected if file.is_link]
    if not links:
        return ()
    named = ", ".join(f"`{path[:200]}`" for path in links[:_MOST_NAMED])
    more = f" and {len(links) - _MOST_NAMED} more" if len(links) > _MOST_NAMED else ""
    return (f"Links are not kept in artifacts, so these are left out: {named}{more}",)
