"""Folders that cannot be shared are copied, as uncompressed tar (reliability R18, R19).

Into a container that has not started by the engine's archive call; into and out of a running one only by a
`tar` that runs in it, so that nothing a job prepared is walked by the engine, or by us with more rights than
the job has. What comes back is hostile: regular files and folders only, below what was asked for, no link
followed on our side, sizes and numbers bounded.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO

from pawl.core.model.errors import InfrastructureError

MOST_BYTES = 4 * 1024**3
MOST_FILES = 200_000
_BLOCK = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def pack(paths: Mapping[Path, str], into: IO[bytes]) -> None:
    """Write a tar of files and folders under their inside paths; what does not exist is left out.

    Owners are left out too: in the container everything belongs to its user.
    """

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(fileobj=into, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for outside, inside in paths.items():
            with suppress(FileNotFoundError):
                archive.add(outside, arcname=inside.lstrip("/"), filter=anonymous)


def unpack(
    archive: IO[bytes], wanted: Collection[str], outside_of: Callable[[str], tuple[Path, str] | None]
) -> None:
    """Write the regular files and folders of a tar that a container made.

    Args:
        archive: the tar, at its beginning.
        wanted: inside paths that were asked for; anything else in it is left out.
        outside_of: for an inside path, the mounted folder's outside path and the rest below it.

    Raises:
        InfrastructureError: it is no tar, or too large, or a file cannot be written.
    """
    roots = tuple(PurePosixPath(path) for path in wanted)
    size = count = 0
    try:
        with tarfile.open(fileobj=archive, mode="r|") as members:
            for member in members:
                count += 1
                size += member.size
                if size > MOST_BYTES or count > MOST_FILES:
                    raise InfrastructureError("The job's files are too many or too large to be copied")
                path = PurePosixPath("/", member.name)
                if ".." in path.parts or not any(path.is_relative_to(root) for root in roots):
                    continue
                place = outside_of(str(path))
                if place is not None and (member.isreg() or member.isdir()):
                    _write(place[0], PurePosixPath(place[1]), member, members)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InfrastructureError(f"The job's files cannot be copied: {error}") from error


def _write(root: Path, rest: PurePosixPath, member: tarfile.TarInfo, members: tarfile.TarFile) -> None:
    """Write one member below a folder of ours, entering only real folders."""
    parts = rest.parts if member.isdir() else rest.parts[:-1]
    folder = os.open(root, _FOLDER)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=folder)
            deeper = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = deeper
        content = members.extractfile(member) if member.isreg() and rest.parts else None
        if content is None:
            return
        handle = os.open(rest.parts[-1], _FILE, 0o644, dir_fd=folder)
        with os.fdopen(handle, "wb") as file:
            while block := content.read(_BLOCK):
                file.write(block)
            if member.mode & 0o100:
                os.fchmod(file.fileno(), 0o755)
    finally:
        os.close(folder)
