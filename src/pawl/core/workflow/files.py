"""Which files of a repository are workflows, and in what order they count."""

from __future__ import annotations

from collections.abc import Iterable

WORKFLOW_PLACES = (
    ".github/workflows/*.yml",
    ".github/workflows/*.yaml",
    ".pawl/workflows/*.yml",
    ".pawl/workflows/*.yaml",
    ".ci.yml",
    ".ci.yaml",
    ".ci/*.yml",
    ".ci/*.yaml",
)
"""In order. No file hides another: the same name in two folders is two workflows."""

WORKFLOW_FOLDERS = tuple(dict.fromkeys(place.rpartition("/*")[0] or place for place in WORKFLOW_PLACES))
"""Folders, and single files, below which workflows lie."""


def is_workflow_path(path: str) -> bool:
    """Return whether a file of this path, from the repository's root, is a workflow."""
    return _place(path) is not None


def workflows_in_order(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the workflows among `paths`, by place and then by name."""
    found = ((_place(path), path) for path in paths)
    return tuple(path for _, path in sorted((place, path) for place, path in found if place is not None))


def _place(path: str) -> int | None:
    folder, _, name = path.rpartition("/")
    for index, place in enumerate(WORKFLOW_PLACES):
        where, _, wanted = place.rpartition("/")
        if folder == where and (name == wanted or (wanted[0] == "*" and name.endswith(wanted[1:]))):
            return index
    return None
