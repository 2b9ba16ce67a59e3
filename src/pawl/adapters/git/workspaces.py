"""What all that fill a workspace from a commit have in common."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pawl.adapters.git.calling import Git
from pawl.core.steps.checkout import Checkout


async def tree_of(git: Git, sha: str, below: str) -> str | None:
    """Return what to unpack: the commit, or a folder of it; None when there is no such folder."""
    if not below:
        return sha
    name = ("--quiet", "--verify", f"{sha}:{below}")  # no option: it begins with the commit's digits
    if not await git.can("rev-parse", *name):
        return None
    tree = await git.run("rev-parse", *name)
    return tree if await git.run("cat-file", "-t", tree) == "tree" else None


async def set_sparse(git: Git, wanted: Checkout) -> None:
    """Let only some files be written from now on."""
    with tempfile.TemporaryFile() as file:
        file.write("".join(f"{each}\n" for each in wanted.sparse).encode("utf-8", "surrogateescape"))
        file.seek(0)
        how = "--cone" if wanted.cone else "--no-cone"
        await git.run("sparse-checkout", "set", how, "--stdin", stdin=file)


async def count_written(git: Git) -> int:
    """Return how many files of a sparse workspace were written."""
    listed = await git.run("ls-files", "-z", "-t")
    return sum(1 for entry in listed.split("\0") if entry and not entry.startswith("S "))


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
