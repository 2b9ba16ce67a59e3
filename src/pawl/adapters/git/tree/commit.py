"""One commit of a repository: what it is called, what it says, and its files, whatever the tree is at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pawl.adapters.git.calling import Git, git_is_there
from pawl.adapters.git.tree.rules import READING
from pawl.adapters.git.tree.tree import WorkingTree
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.source import SourceState

_HEADS, _TAGS, _REMOTES = "refs/heads/", "refs/tags/", "refs/remotes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """A commit as it was asked for.

    Attributes:
        ref: the branch or tag in full: `refs/heads/main`.
        state: as of a source that stands at this commit.
        changed: paths that differ from its first parent; None when it has none.
        is_dirty: whether the working tree has changes that no commit has.
    """

    ref: str
    state: SourceState
    changed: tuple[str, ...] | None
    is_dirty: bool

    @property
    def sha(self) -> str:
        """Return its name in full."""
        return self.state.sha


class Commits:
    """The commits of the repository at `root`. Nothing is ever written to it."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._git = Git(self._root, READING)

    async def find(self, name: str | None) -> CommitFacts:
        """Return the commit that a branch, tag or commit name stands for; the one checked out without one.

        Raises:
            UsageError: there is no repository or no such commit.
            InfrastructureError: git failed.
        """
        if not git_is_there():
            raise InfrastructureError("there is no git on this machine", hint="install git")
        if await self._git.line("rev-parse", "--is-inside-work-tree") != "true":
            raise UsageError(
                f"`{self._root}` is no git repository", hint="`pawl run` runs a folder without git"
            )
        wanted = name or "HEAD"
        sha = await self._line("rev-parse", "--verify", "-q", "--end-of-options", f"{wanted}^{{commit}}")
        if not sha:
            if name is None:
                raise UsageError("nothing is committed here yet", hint="commit the workflow first")
            raise UsageError(
                f"there is no branch, tag or commit `{name[:200]}`", hint="`git branch -a` lists them"
            )
        tree = await WorkingTree(self._root).state()
        told, changed = await asyncio.gather(
            self._line("log", "-1", "--no-show-signature", "--format=%an <%ae>%n%B", sha), self._changed(sha)
        )
        author, _, message = told.partition("\n")
        ref = await self._ref(wanted, sha, tree)
        state = SourceState(
            sha=sha,
            branch=ref.removeprefix(_HEADS) if ref.startswith(_HEADS) else None,
            tag=ref.removeprefix(_TAGS) if ref.startswith(_TAGS) else None,
            dirty=False,
            repository=tree.repository,
            default_branch=tree.default_branch,
            author=author,
            message=message.strip("\n"),
        )
        return CommitFacts(ref=ref, state=state, changed=changed, is_dirty=tree.dirty)

    async def list(self, sha: str, folders: Iterable[str]) -> tuple[str, ...]:
        """Return the paths of the files at and below `folders`, as of a commit, sorted.

        Raises:
            InfrastructureError: git failed.
        """
        told = await self._git.read("ls-tree", "-r", "-z", "--name-only", "--full-tree", sha, "--", *folders)
        return tuple(sorted(filter(None, (told or b"").decode("utf-8", "surrogateescape").split("\0"))))

    async def read(self, sha: str, path: str) -> bytes:
        """Return a file's content as of a commit.

        Raises:
            UsageError: it has no such file.
            InfrastructureError: git failed.
        """
        content = await self._git.read("cat-file", "blob", f"{sha}:{path}", fails=(128,))
        if content is None:
            raise UsageError(f"`{path}` is not in commit {sha[:10]}", hint="is it committed?")
        return content

    async def _line(self, *arguments: str) -> str:
        text = await self._git.line(*arguments)
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    async def _changed(self, sha: str) -> tuple[str, ...] | None:
        parent = await self._line("rev-parse", "--verify", "-q", f"{sha}^1^{{commit}}")
        if not parent:
            return None
        told = await self._git.read("diff-tree", "-r", "-z", "--name-only", "--no-renames", parent, sha)
        names = (told or b"").decode("utf-8", "surrogateescape").split("\0")
        return tuple(sorted(filter(None, names)))

    async def _ref(self, name: str, sha: str, tree: SourceState) -> str:
        """Return the branch or tag in full that a run of this commit is about."""
        full = await self._line("rev-parse", "--symbolic-full-name", "--end-of-options", name)
        full = full.rpartition("\n")[2]
        if full.startswith((_HEADS, _TAGS)):
            return full
        if full.startswith(_REMOTES):
            return _HEADS + full.removeprefix(_REMOTES).partition("/")[2]
        if name == "HEAD" and tree.branch:
            return _HEADS + tree.branch
        holding = (await self._line("for-each-ref", "--contains", sha, "--format=%(refname)", _HEADS)).split()
        if tree.branch and _HEADS + tree.branch in holding:
            return _HEADS + tree.branch
        return holding[0] if holding else _HEADS + tree.default_branch
