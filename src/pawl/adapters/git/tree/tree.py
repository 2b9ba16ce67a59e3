"""The working tree as the source of a run: what is on disk now, committed or not."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urlsplit

from pawl.adapters.git.calling import Git, git_is_there
from pawl.adapters.git.tree.copying import TreeCopy
from pawl.adapters.git.tree.history import bring_history
from pawl.adapters.git.tree.listing import OWN_FOLDER, list_with_git, list_without_git
from pawl.adapters.git.tree.rules import READING
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.steps.checkout import Checkout
from pawl.ports.source import SourceState

NO_COMMIT = "0" * 40
"""What stands for the commit where there is none."""

_SCP_STYLE = re.compile(r"(?:[^/@]+@)?[^/:]+:(?!//)(.+)")


class WorkingTree:
    """A folder, usually at the top of a git repository. Nothing is ever written to it."""

    def __init__(self, root: Path) -> None:
        """Take the files below `root`, the project's folder."""
        self._root = root.resolve()
        self._git = Git(self._root, READING)
        self._state: SourceState | None = None

    async def state(self) -> SourceState:
        """Return what the tree stands at; asked once, so that all of a run sees the same.

        Raises:
            InfrastructureError: git failed.
        """
        if self._state is None:
            self._state = await self._read_state() if await self._has_git() else self._no_state()
        return self._state

    async def changed_files(self, base: str | None) -> tuple[str, ...] | None:
        """Return the paths that differ from `base`, as the port says.

        Without `base`, on the default branch itself, that is the last commit and what is not committed.

        Raises:
            UsageError: `base` is no commit.
            InfrastructureError: git failed.
        """
        if not await self._has_git():
            return None
        start = await self._base(base)
        if start is None:
            return None
        git = await self._git.without_filters()
        compare = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        changed, untracked = await asyncio.gather(
            git.read(*compare, "--relative", "--ignore-submodules=dirty", start, "--"),
            git.read("ls-files", "-z", "-o", "--exclude-standard"),
        )
        names = b"\0".join((changed or b"", untracked or b"")).decode("utf-8", "surrogateescape")
        found = {name for name in names.split("\0") if name and not name.startswith(f"{OWN_FOLDER}/")}
        return tuple(sorted(found))

    async def copy_to(
        self,
        folder: Path,
        *,
        subfolder: str = "",
        wanted: Checkout | None = None,  # noqa: ARG002 - the port's
    ) -> int:
        """Fill a folder with the tree's files, or those below `subfolder` only, as the port says.

        The history comes along with the whole tree, unless `root` is not the top of its repository or
        the repository borrows objects from another one.

        Raises:
            UsageError: there are too many files.
            InfrastructureError: git failed, or a file cannot be read or written.
        """
        try:
            with_git = await self._has_git()
            if with_git:
                paths = await list_with_git(self._git, self._root)
            else:
                paths = await asyncio.to_thread(list_without_git, self._root)
            below = f"{subfolder.strip('/')}/" if subfolder.strip("/") else ""
            chosen = [path.removeprefix(below) for path in paths if path.startswith(below)]
            copied = await asyncio.to_thread(TreeCopy(self._root / below, folder).copy, chosen)
            if with_git and not below:
                await bring_history(self._git, self._root, folder)
        except OSError as error:
            raise InfrastructureError(
                f"Cannot copy the working tree: {error.filename or self._root}: {error.strerror}",
                hint="free some disk space, or make the file readable",
            ) from error
        return copied

    async def at(self, ref: str) -> None:
        """Return None: the tree stands where it stands."""

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:
        """Return that a sparse checkout is none here; the rest comes as it is on disk."""
        if not wanted.sparse:
            return ()
        named = ", ".join(wanted.sparse[:5])
        return (f"All files are copied, not only {named}: a local run has them all at hand",)

    async def _has_git(self) -> bool:
        if not git_is_there():
            return False
        told = await self._git.line("rev-parse", "--is-inside-work-tree", "--show-prefix")
        inside, _, prefix = told.partition("\n")
        if inside != "true":
            return False
        # A folder that the repository around it ignores is a project of its own.
        return not prefix or await self._git.read("check-ignore", "-q", ".", fails=(1, 128)) is None

    async def _read_state(self) -> SourceState:
        git = self._git
        sha, branch, tags, remote, head, told = await asyncio.gather(
            git.line("rev-parse", "--verify", "-q", "HEAD^{commit}"),
            git.line("symbolic-ref", "-q", "--short", "HEAD"),
            git.line("tag", "--points-at", "HEAD", "--sort=-version:refname"),
            git.line("config", "--get", "remote.origin.url"),
            git.line("symbolic-ref", "-q", "--short", "refs/remotes/origin/HEAD"),
            git.line("log", "-1", "--no-show-signature", "--format=%an <%ae>%n%B"),
        )
        author, _, message = told.partition("\n")
        return SourceState(
            sha=sha or NO_COMMIT,
            branch=branch or None,
            tag=(tags.split("\n")[0] or None) if sha else None,
            dirty=await self._is_dirty(),
            repository=repository_name(remote) or self._local_name(),
            default_branch=head.removeprefix("origin/") or await self._likely_default(branch),
            author=_text(author),
            message=_text(message.strip("\n")),
        )

    def _no_state(self) -> SourceState:
        return SourceState(
            sha=NO_COMMIT,
            branch=None,
            tag=None,
            dirty=False,
            repository=self._local_name(),
            default_branch="main",
        )

    def _local_name(self) -> str:
        return f"local/{_text(self._root.name) or 'root'}"

    async def _likely_default(self, current: str) -> str:
        told = await self._git.line("for-each-ref", "--format=%(refname:short)", "refs/heads")
        branches = told.split()
        if current and branches in ([], [current]):
            return current  # nothing was committed yet, or there is no other branch
        return next((name for name in ("main", "master", "trunk") if name in branches), "main")

    async def _is_dirty(self) -> bool:
        git = await self._git.without_filters()
        status = ("status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=dirty")
        told = await git.read(*status, "--", ".")
        return bool(told)

    async def _base(self, base: str | None) -> str | None:
        """Return the commit to compare with; None when there is none."""
        if base is not None:
            sha = await self._commit(base)
            if not sha:
                raise UsageError(f"`{base[:200]}` is no commit of this repository")
            return sha
        default = (await self.state()).default_branch
        head = await self._commit("HEAD")
        for name in (f"refs/remotes/origin/{default}", f"refs/heads/{default}"):
            if not await self._commit(name):
                continue
            common = await self._git.line("merge-base", name, "HEAD")
            if common and common != head:
                return common
        return await self._commit("HEAD^") or None

    async def _commit(self, name: str) -> str:
        return await self._git.line("rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}")


def repository_name(url: str) -> str:
    """Return `owner/name` out of a remote's URL, '' where it has no such form.

    With more folders (GitLab's groups) all of them are kept.
    """
    match = _SCP_STYLE.fullmatch(url)
    try:
        path = match[1] if match else (urlsplit(url).path if "://" in url else "")
    except ValueError:
        return ""
    parts = [part for part in path.removesuffix("/").removesuffix(".git").split("/") if part not in ("", "~")]
    local = url.startswith(("file:", "/", "."))
    return "/".join(map(_text, parts)) if len(parts) > 1 and not local else ""


def _text(raw: str) -> str:
    """Return text that can be encoded: git hands out any bytes."""
    return raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
