"""The folder of one job on this machine: its layout, safe reading, and its removal.

Everything a process of the job may have written is hostile: links are not followed, only regular files
are read, and never more than a cap (reliability.md 4.2).
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import InfrastructureError

_NO_ROOM = 65_536
"""Bytes; a file system seldom gives its last blocks away."""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """One job's folder. `workspace` is the user's own tree when it is bound."""

    root: Path
    workspace: Path

    @property
    def temp(self) -> Path:
        """Return RUNNER_TEMP."""
        return self.root / "temp"

    @property
    def files(self) -> Path:
        """Return where GITHUB_ENV and its like are, and the scripts of steps."""
        return self.root / "files"

    @property
    def actions(self) -> Path:
        """Return where downloaded actions are."""
        return self.root / "actions"

    @property
    def tools(self) -> Path:
        """Return RUNNER_TOOL_CACHE."""
        return self.root / "temp" / "_tools"


def make_job_folder(root: Path, *, bind: Path | None) -> JobFolder:
    """Make the folder of a job with all that the executor wants in it, and return it.

    Raises:
        InfrastructureError: it cannot be made (disk full, no permission).
    """
    folder = JobFolder(root, bind if bind is not None else root / "workspace")
    try:
        root.mkdir(parents=True, mode=0o755)
        for path in (folder.temp, folder.files, folder.actions):
            path.mkdir()
            # A container's user is seldom ours: everybody may write, inside a folder that is ours alone.
            path.chmod(0o777)
        folder.tools.mkdir()
        folder.tools.chmod(0o777)
        if bind is None:
            folder.workspace.mkdir()
            folder.workspace.chmod(0o777)
    except OSError as error:
        raise InfrastructureError(
            f"cannot make the job's folder {root}: {error.strerror}",
            hint="free some disk space, or check permissions",
        ) from error
    return folder


def read_job_file(root: Path, relative: str, *, limit: int) -> bytes | None:
    """Return at most `limit + 1` bytes of a file below `root` that a job may have written.

    None when there is no regular file, or a link anywhere on the way. One byte more than the limit tells the
    caller that there was more. `root` itself must be ours.
    """
    *folders, name = Path(relative).parts
    try:
        at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        file_descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    except OSError:
        return None
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(file_descriptor).st_mode):
        os.close(file_descriptor)
        return None
    with os.fdopen(file_descriptor, "rb") as file:
        return file.read(limit + 1)


def read_workspace_file(workspace: Path, relative: str, *, limit: int) -> bytes | None:
    """Return at most `limit + 1` bytes of a file in the workspace; None when it is not there or outside.

    Links inside the workspace are followed, as an action of a repository may be one.
    """
    root = workspace.resolve()
    try:
        path = (root / relative).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return read_job_file(root, str(path.relative_to(root)), limit=limit) if _is_below(path, root) else None


def _is_below(path: Path, root: Path) -> bool:
    return path != root and path.is_relative_to(root)


def open_to_all(root: Path) -> None:
    """Let everybody read and write what is below `root`; what could be run stays so.

    For a job whose user is neither us nor root. Links are left alone, and so are files with several names:
    git's objects may be the very files of the user's own repository.
    """
    for folder, _, names in os.walk(root):
        os.chmod(folder, 0o777)  # noqa: PTH101, S103 - os.walk speaks text; meant for all
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - as above
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                run = 0o111 if found.st_mode & 0o111 else 0
                os.chmod(path, stat.S_IMODE(found.st_mode) | 0o666 | run)  # noqa: PTH101, S103 - as above


def is_other_user(user: str) -> bool:
    """Return whether a container's user (`name`, `1000`, `1000:1000`) is neither root nor us."""
    name = user.partition(":")[0].strip()
    return name not in ("", "0", "root", str(os.getuid()))


def is_full(root: Path) -> bool:
    """Return whether the disk on which a folder is has no room for anything any more."""
    try:
        found = os.statvfs(root)
    except OSError:
        return False
    # Some file systems count nothing.
    return found.f_blocks > 0 and found.f_bavail * found.f_frsize < _NO_ROOM


def remove_folder(root: Path) -> str | None:
    """Remove a folder with everything in it, read-only files too; return why it could not, or None.

    Links are removed, not followed. A folder that is not there is fine. No process of the job may still run.
    """
    if root.is_symlink() or not root.exists():
        return None
    try:
        shutil.rmtree(root)
    except OSError:
        # The Go module cache makes its folders read-only: what is in them cannot be unlinked before this.
        for folder, names, _ in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)  # noqa: PTH118 - os.walk speaks text
                if not os.path.islink(path):  # noqa: PTH114 - as above
                    with suppress(OSError):
                        os.chmod(path, 0o700)  # noqa: PTH101 - as above
    else:
        return None
    try:
        shutil.rmtree(root)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return None
