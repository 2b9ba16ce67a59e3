"""What all that fill a workspace from a commit have in common."""

from __future__ import annotations

import shutil
from pathlib import Path

from pawl.adapters.git.calling import Git


async def tree_of(git: Git, sha: str, below: str) -> str | None:
    """Return what to unpack: the commit, or a folder of it; None when there is no such folder."""
    if not below:
        return sha
    name = ("--quiet", "--verify", f"{sha}:{below}")  # no option: it begins with the commit's digits
    if not await git.can("rev-parse", *name):
        return None
    tree = await git.run("rev-parse", *name)
    return tree if await git.run("cat-file", "-t", tree) == "tree" else None


def short_name(prefix: str, ref: str) -> str | None:
    """Return what a ref is called below `prefix`; None when it is of another kind."""
    return ref.removeprefix(prefix) if ref.startswith(prefix) else None


def empty(folder: Path) -> None:
    """Remove all that is in a folder."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
