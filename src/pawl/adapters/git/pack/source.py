"""A packed commit as the source of a job: unpacked into its workspace, with a `.git` of this commit."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from pawl.adapters.git.calling import Git, GitError, Rules
from pawl.adapters.git.objects import count_files, open_objects
from pawl.adapters.git.pack.header import Header, parse_header
from pawl.adapters.git.pack.limits import PackLimits
from pawl.adapters.git.workspaces import count_written, empty, set_sparse, short_name, tree_of
from pawl.core.model.errors import InfrastructureError
from pawl.core.steps.checkout import Checkout, Submodules
from pawl.ports.source import SourceState


class PackedSource:
    """The files of one commit, from a file that `pack` made (ports.source). It is not trusted."""

    def __init__(self, file: Path, *, limits: PackLimits | None = None) -> None:
        """Read `file` when asked; what it unpacks to is held to `limits`."""
        self._file = file
        self._limits = limits or PackLimits()

    async def state(self) -> SourceState:
        """Return what the header says.

        Raises:
            InfrastructureError: it cannot be read.
        """
        header, _ = await asyncio.to_thread(self._header)
        return SourceState(
            sha=header.sha,
            branch=short_name("refs/heads/", header.ref),
            tag=short_name("refs/tags/", header.ref),
            dirty=False,
            repository=header.repository,
            default_branch="main",
        )

    async def changed_files(self, base: str | None) -> tuple[str, ...] | None:  # noqa: ARG002 - the port's
        """Return None: there is no history."""
        return None

    async def copy_to(self, folder: Path, *, subfolder: str = "", wanted: Checkout | None = None) -> int:
        """Fill an empty folder with the commit's files, or those below `subfolder`; return how many.

        The whole tree comes with a repository that holds this one commit. No program runs that the
        commit, or this machine's configuration of git, names: no hooks, filters, or submodules.

        Raises:
            TooLarge: there are more files or bytes than the limits say; the folder is empty again.
            InfrastructureError: the pack is damaged, or git or the disk refused; the folder is empty again.
        """
        try:
            return await self._unpack(folder, subfolder.strip("/"), wanted or Checkout())
        except BaseException as error:
            await asyncio.to_thread(empty, folder)
            if isinstance(error, OSError):
                raise InfrastructureError(
                    f"Cannot unpack the source into {folder}: {error.strerror}", hint="free some disk space"
                ) from error
            raise

    async def _unpack(self, folder: Path, below: str, wanted: Checkout) -> int:
        git = Git(folder, Rules(seconds=self._limits.seconds))
        header, start = await asyncio.to_thread(self._header)
        sha = header.sha
        kind = "sha1" if len(sha) == 40 else "sha256"
        await git.run("init", "-q", "--template=", f"--object-format={kind}")
        await self._store_objects(git, start)
        if not await git.can("rev-parse", "--quiet", "--verify", "--end-of-options", f"{sha}^{{commit}}"):
            raise GitError(f"The packed source does not hold the commit {sha}")
        await _end_history(git)
        tree = await tree_of(git, sha, below)
        if tree is None:
            await asyncio.to_thread(empty, folder)
            return 0
        count = await count_files(git, tree, files=self._limits.files, size=self._limits.size)
        await _point_to(git, sha, header.ref)
        if wanted.sparse and not below:
            await set_sparse(git, wanted)
        await git.run("read-tree", "-u", "--reset", tree)
        if below:
            await asyncio.to_thread(shutil.rmtree, folder / ".git")
            return count
        return await count_written(git) if wanted.sparse else count

    async def at(self, ref: str) -> None:
        """Return None: it holds one commit."""

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:
        """Return what cannot be had from a pack, as the port says."""
        return remarks_on(wanted)

    async def _store_objects(self, git: Git, start: int) -> None:
        limit = f"--max-input-size={self._limits.size}"
        with self._file.open("rb", buffering=0) as packed:
            packed.seek(start)
            await git.run("index-pack", "--stdin", "--fsck-objects", limit, stdin=packed)

    def _header(self) -> tuple[Header, int]:
        """Return the header and where the pack begins."""
        try:
            with self._file.open("rb") as file:
                line = file.readline(self._limits.header)
        except OSError as error:
            raise InfrastructureError(f"Cannot read {self._file}: {error.strerror}") from error
        if not line.endswith(b"\n"):
            raise InfrastructureError("The packed source does not begin with its header")
        return parse_header(line), len(line)


def remarks_on(wanted: Checkout) -> tuple[str, ...]:
    """Return what of `wanted` cannot be had from the pack of one commit."""
    missing = {
        "The history is not there: the run has the files of its commit only": wanted.depth != 1,
        "Tags are not there: the run has the files of its commit only": wanted.tags,
        "Submodules stay empty folders: the run has the files of its commit only": (
            wanted.submodules is not Submodules.NONE
        ),
        "Files of Git LFS stay pointers: the run has the files of its commit only": wanted.lfs,
        "There are no credentials to keep in the workspace": wanted.persist_credentials,
    }
    return tuple(told for told, is_so in missing.items() if is_so)


async def _end_history(git: Git) -> None:
    """Let git know the commits whose parents were not packed."""
    told = await git.run("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
    packed = {line.partition(" ")[2] for line in told.splitlines() if line.startswith("commit ")}
    async with open_objects(git) as objects:
        ends = [each for each in sorted(packed) if not packed.issuperset(await objects.parents(each))]
    if ends:
        text = "".join(f"{each}\n" for each in ends)
        await asyncio.to_thread((git.folder / ".git/shallow").write_text, text)


async def _point_to(git: Git, sha: str, ref: str) -> None:
    """Let HEAD be the commit: on its branch, or by itself, with the tag beside it."""
    named = ref.startswith(("refs/heads/", "refs/tags/")) and await git.can("check-ref-format", ref)
    if named:
        await git.run("update-ref", "--end-of-options", ref, sha)
    if named and ref.startswith("refs/heads/"):
        await git.run("symbolic-ref", "HEAD", ref)
    else:
        await git.run("update-ref", "--no-deref", "HEAD", sha)
