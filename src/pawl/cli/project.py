"""The project: where its root is, and which files in it are workflows and actions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import UsageError
from pawl.core.workflow.files import WORKFLOW_PLACES, workflows_in_order

_ROOT_MARKS = (".git", "pawl.toml", ".github", ".pawl", ".ci.yml", ".ci")
_ACTION_NAMES = ("action.yml", "action.yaml")
_MOST_BYTES = 8 << 20
"""More than any workflow may have (the parser's own limit is lower and gives the better message)."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder that holds a project."""

    root: Path

    def workflow_files(self) -> tuple[Path, ...]:
        """Return the workflow files, sorted by place and name."""
        found = [path for place in WORKFLOW_PLACES for path in self.root.glob(place) if path.is_file()]
        names = {path.relative_to(self.root).as_posix(): path for path in found}
        return tuple(names[name] for name in workflows_in_order(names))

    def action_files(self) -> tuple[Path, ...]:
        """Return `action.yml` at the root and below `.github/actions`."""
        at_root = [self.root / name for name in _ACTION_NAMES]
        below = [
            path for name in _ACTION_NAMES for path in sorted(self.root.glob(f".github/actions/**/{name}"))
        ]
        return tuple(path for path in (*at_root, *below) if path.is_file())

    def shown(self, path: Path) -> str:
        """Return `path` relative to the root where it is below it, with `/`."""
        absolute = path.absolute()
        if absolute.is_relative_to(self.root):
            return absolute.relative_to(self.root).as_posix()
        return path.as_posix()


def find_project(start: Path) -> Project:
    """Return the project around `start`: the nearest folder upwards with a mark, else `start` itself.

    A `.git` or `pawl.toml` wins over the others: `pawl` says the same in every folder of a repository.
    """
    start = start.absolute()
    folders = (start, *start.parents)
    for marks in ((".git", "pawl.toml"), _ROOT_MARKS):
        for folder in folders:
            if any((folder / mark).exists() for mark in marks):
                return Project(folder)
    return Project(start)


def current_project() -> Project:
    """Return the project around the current folder.

    Raises:
        UsageError: the folder was removed while a shell stood in it.
    """
    try:
        return find_project(Path.cwd())
    except FileNotFoundError:
        raise UsageError(
            "the current folder does not exist any more", hint="change into another one"
        ) from None


def read_text(path: Path) -> bytes:
    """Return the bytes of a file the user named.

    Raises:
        UsageError: it is missing, unreadable, no regular file, or beyond any sensible size.
    """
    try:
        if not path.exists():
            raise UsageError(f"there is no file `{path}`", hint=_nearby(path))
        if not path.is_file():
            raise UsageError(f"`{path}` is not a regular file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise UsageError(f"`{path}` is larger than {_MOST_BYTES >> 20} MiB")
    return content


def _nearby(path: Path) -> str | None:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix in {".yml", ".yaml"})
    except OSError:
        return f"there is no folder `{path.parent}` either"
    return f"in `{path.parent}` there are {_list_some(names)}" if names else None


def _list_some(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(f"`{name}`" for name in listed[:most]) + more


def no_workflows(project: Project) -> UsageError:
    """Return the error of a project without any workflow."""
    return UsageError(
        f"no workflow found in `{project.root}`"
        " (looked in .github/workflows, .pawl/workflows, .ci.yml and .ci)",
        hint="`pawl init` writes a starter workflow; or name a file",
    )
