"""Where a job's folders are, outside and inside its container.

Every folder is a mount of its own: inside, a mount point can neither be renamed nor replaced by a link, so
that a path the worker opens outside still leads where it did before the job ran.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pawl.adapters.executor_docker.naming import INSIDE
from pawl.ports.executor import SandboxSpec

WORKSPACE = f"{INSIDE}/workspace"
HOME = f"{INSIDE}/home"
CONTROL = f"{INSIDE}/control"


@dataclass(frozen=True, slots=True)
class Layout:
    """Inside folder by outside folder; both absolute and normalised, the workspace first."""

    folders: Mapping[Path, str]

    def shared(self) -> tuple[tuple[Path, str], ...]:
        """Return outside and inside of what every container of the job sees: all but the control folder."""
        return tuple(pair for pair in self.folders.items() if pair[1] != CONTROL)

    def outside(self, inside: str) -> tuple[Path, str] | None:
        """Return the mounted folder's outside path and the rest below it, for an inside path in one."""
        plain = PurePosixPath(inside)
        for folder, mounted in self.folders.items():
            if plain.is_relative_to(mounted):
                return folder, str(plain.relative_to(mounted))
        return None

    def inside(self, path: Path) -> str:
        """Return the path by which the container sees a path outside.

        Raises:
            ValueError: it is in none of the folders.
        """
        plain = Path(os.path.normpath(path))
        # The innermost one: a bound workspace may be above the job's own folders.
        around = [outside for outside in self.folders if plain.is_relative_to(outside)]
        if around:
            outside = max(around, key=lambda folder: len(folder.parts))
            return str(PurePosixPath(self.folders[outside]) / plain.relative_to(outside))
        raise ValueError(f"{path} is neither in the job's folder nor in its workspace")


def prepare(spec: SandboxSpec) -> Layout:
    """Make the adapter's own folders, close the job's folder to other users, and say what is mounted where.

    Raises:
        OSError: that cannot be done.
    """
    folder = Path(os.path.abspath(spec.folder))  # noqa: PTH100 - links must stay as they are named
    folder.chmod(0o700)
    (folder / "home").mkdir(exist_ok=True)
    workspace = folder / "workspace"
    if spec.bind is None:
        workspace.mkdir(exist_ok=True)
    else:
        workspace = Path(os.path.abspath(spec.bind))  # noqa: PTH100 - same
    folders = {workspace: WORKSPACE}
    for sub in sorted(folder.iterdir()):
        if sub.name not in ("workspace", "control") and sub.is_dir() and not sub.is_symlink():
            folders[sub] = f"{INSIDE}/{sub.name}"
            # The container's user may be anybody; the folder above is private.
            sub.chmod(0o777)
    folders[folder / "control"] = CONTROL
    if spec.bind is None:
        workspace.chmod(0o777)
    return Layout(folders)
