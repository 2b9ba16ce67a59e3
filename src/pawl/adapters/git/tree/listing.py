"""Which files of a working tree come along: what git would show, or everything where there is no git."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pawl.adapters.git.calling import Git
from pawl.adapters.git.tree.rules import READING
from pawl.core.model.errors import UsageError

OWN_FOLDER = ".pawl/runs"
"""Where runs are kept; never part of a workspace, which lies in it."""

MAX_FILES = 1_000_000
"""Files of one tree."""

MAX_DEPTH = 200
"""Folders inside each other, where there is no git to list them."""

_MAX_NESTED = 8  # repositories inside each other


async def list_with_git(git: Git, root: Path) -> list[str]:
    """Return the paths of all tracked files that exist, and of untracked ones that are not ignored.

    Files of submodules and of repositories inside the tree are among them. Paths are relative to
    `root`, with `/`; git's own folders and whatever a forged index may name outside are not among them.

    Raises:
        GitError: git failed.
        UsageError: there are more than `MAX_FILES`.
    """
    found: dict[str, None] = {}
    pending = [(root, "", 0)]
    while pending:
        folder, prefix, depth = pending.pop()
        here = Git(folder, READING) if depth else git
        listed = await here.read("ls-files", "-z", "-co", "--exclude-standard")
        for name in dict.fromkeys((listed or b"").decode("utf-8", "surrogateescape").split("\0")):
            path = prefix + name.rstrip("/")
            if not name or not _is_safe(path):
                continue
            mode = _mode(root / path)
            if stat.S_ISDIR(mode):
                if depth < _MAX_NESTED and (root / path / ".git").exists():
                    pending.append((root / path, path + "/", depth + 1))
            elif mode:
                found[path] = None
        if len(found) > MAX_FILES:
            raise UsageError(f"The tree holds more than {MAX_FILES} files", hint="ignore some of them")
    return list(found)


def list_without_git(root: Path) -> list[str]:
    """Return the paths of all files and links below `root`, relative, with `/`.

    Raises:
        UsageError: there are more than `MAX_FILES`, or folders are nested too deep.
    """
    found: list[str] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        if folder.count("/") > MAX_DEPTH:
            raise UsageError(f"Folders are nested more than {MAX_DEPTH} deep: {folder[:200]}")
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if path == OWN_FOLDER:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    found.append(path)
        if len(found) > MAX_FILES:
            raise UsageError(f"The folder holds more than {MAX_FILES} files", hint="is it the right folder?")
    return sorted(found)


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    outside = path.startswith("/") or ".." in parts or "." in parts or "" in parts
    gits = any(part.lower() == ".git" for part in parts)
    return not outside and not gits and not f"{path}/".startswith(f"{OWN_FOLDER}/")


def _mode(path: Path) -> int:
    """Return the mode of a file, link or folder; 0 for what is gone or anything else."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return 0
    return mode if stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode) else 0
