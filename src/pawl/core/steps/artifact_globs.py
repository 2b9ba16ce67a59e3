"""What an artifact upload takes along: paths in the workspace, and the names they get in the artifact.

Source: actions/upload-artifact v4, src/shared/search.ts, on the globs of @actions/glob.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pawl.core.steps.action_globs import DEFAULT_HOME, DEFAULT_WORKSPACE, parse_globs

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file to upload: where it lies in the workspace and what it is called in the artifact."""

    path: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactSelection:
    """The files to upload, in the order of the search, and the absolute folder their names start from."""

    files: tuple[ArtifactFile, ...]
    root: str


def select_artifact(
    patterns: Sequence[str],
    entries: Iterable[str],
    *,
    include_hidden: bool = False,
    workspace: str = DEFAULT_WORKSPACE,
    home: str = DEFAULT_HOME,
) -> ArtifactSelection:
    """Return the files of an artifact with `path: <patterns>`.

    Names are relative to the search path, or to what the search paths of several patterns have in
    common; a single file named without a wildcard keeps only its own name.

    Args:
        patterns: glob patterns, each of which may hold several lines; `!` excludes.
        entries: files of the workspace, relative, with `/`; linked folders entered, no folders among them.
        include_hidden: take files and folders whose names start with a dot (`include-hidden-files`).
        workspace: the absolute path patterns are relative to, as the job sees it.
        home: what a leading `~` stands for.

    Raises:
        UsageError: a pattern is not valid.
    """
    globs = parse_globs(patterns, workspace=workspace, home=home)
    roots = globs.search_roots()
    chosen = globs.select(entries)
    paths = {entry: (*globs.workspace, *entry.split("/")) for entry in chosen}
    if not include_hidden:
        chosen = [entry for entry in chosen if not _is_hidden(paths[entry], roots)]
    root = _names_from(roots, [paths[entry] for entry in chosen])
    files = tuple(ArtifactFile(entry, "/".join(paths[entry][len(root) :])) for entry in chosen)
    return ArtifactSelection(files=files, root="/" + "/".join(root))


def _is_hidden(path: Path, roots: Sequence[Path]) -> bool:
    """Return whether a dot name is met on the way to `path`: the search path's own last name counts."""
    root = next(root for root in roots if path[: len(root)] == root)
    return any(name.startswith(".") for name in path[max(0, len(root) - 1) :])


def _names_from(roots: Sequence[Path], chosen: Sequence[Path]) -> Path:
    if not roots:
        return ()
    if len(roots) > 1:
        return _common(roots)
    root = roots[0]
    return root[:-1] if len(chosen) == 1 and chosen[0] == root else root


def _common(paths: Sequence[Path]) -> Path:
    """Return the least common ancestor of `paths`."""
    length = 0
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        length += 1
    return paths[0][:length]
