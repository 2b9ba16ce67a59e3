"""Looking into a workspace that a job controls: bounded listing, and opening that no link leads astray."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pawl.core.model.errors import UsageError

MAX_LISTED = 1_000_000
"""Files and folders looked at in one listing."""

MAX_DEPTH = 200
"""Folders inside each other; what lies deeper is not seen."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file or a link: its path relative to the workspace with `/`, and whether it is a link."""

    path: str
    is_link: bool


def list_files(
    workspace: Path, *, below: Iterable[str] = ("",), follow_links: bool = False
) -> Iterator[ListedFile]:
    """Yield the regular files and the links of a workspace, in no order; folders that vanish are left out.

    Args:
        workspace: the folder, resolved.
        below: only these paths and what is below them, relative; "" is everything.
        follow_links: whether linked folders are entered, once on each way, and never outside.

    Raises:
        UsageError: there is more than `MAX_LISTED` to look at.
    """
    budget = MAX_LISTED
    for start in dict.fromkeys(below):
        real = os.path.realpath(workspace / start)
        if not Path(real).is_relative_to(workspace):
            continue
        linked = bool(start) and (workspace / start).is_symlink()
        pending: list[tuple[str, tuple[str, ...]]]
        pending = [] if linked and not follow_links else [(start, (real,))]
        while pending:
            folder, chain = pending.pop()
            for name, kind in _entries(workspace / folder):
                budget -= 1
                if budget < 0:
                    raise UsageError(f"The workspace holds more than {MAX_LISTED} files to look at")
                path = f"{folder}/{name}" if folder else name
                inner = _enter(workspace, path, kind, chain, follow_links=follow_links)
                if inner is not None:
                    pending.append((path, inner))
                elif kind != "folder":
                    yield ListedFile(path, kind == "link")
        if start:
            yield from _itself(workspace, start)


@contextmanager
def open_inside(workspace: Path, path: str) -> Iterator[BinaryIO | None]:
    """Open a regular file of a workspace, or what a link in it stands for; None when it is outside or gone.

    The path is resolved first, then opened part by part through no link at all: what a job swaps
    meanwhile makes it None, and never a file of the machine's.

    Args:
        workspace: the folder, resolved.
        path: relative to it.
    """
    real = Path(os.path.realpath(workspace / path))
    descriptor = _open_parts(workspace, real) if real.is_relative_to(workspace) else None
    if descriptor is None:
        yield None
        return
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        yield file


def _open_parts(workspace: Path, real: Path) -> int | None:
    folder = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    parts = real.relative_to(workspace).parts
    if not parts:
        return None
    try:
        current = os.open(workspace, folder)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            inner = os.open(part, folder, dir_fd=current)
            os.close(current)
            current = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(parts[-1], flags, dir_fd=current)
    except OSError:
        return None
    finally:
        os.close(current)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def _entries(folder: Path) -> list[tuple[str, str]]:
    """Return (name, kind) of what is in a folder; sockets, devices and the like are left out."""
    found: list[tuple[str, str]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                kind = _kind(entry)
                if kind:
                    found.append((entry.name, kind))
    except OSError:
        return []
    return found


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_symlink():
            return "link"
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else ""
    except OSError:
        return ""


def _enter(
    workspace: Path, path: str, kind: str, chain: tuple[str, ...], *, follow_links: bool
) -> tuple[str, ...] | None:
    """Return the real folders on the way to `path` when it is a folder to enter, else None."""
    if len(chain) > MAX_DEPTH:
        return None
    if kind == "folder":
        return (*chain, f"{chain[-1]}/{path.rpartition('/')[2]}")
    if kind != "link" or not follow_links:
        return None
    real = os.path.realpath(workspace / path)
    inside = Path(real).is_relative_to(workspace) and Path(real).is_dir()
    return (*chain, real) if inside and real not in chain else None


def _itself(workspace: Path, start: str) -> Iterator[ListedFile]:
    """Yield `start` where it is a file or link and not a folder."""
    try:
        mode = (workspace / start).lstat().st_mode
    except OSError:
        return
    if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
        yield ListedFile(start, stat.S_ISLNK(mode))
