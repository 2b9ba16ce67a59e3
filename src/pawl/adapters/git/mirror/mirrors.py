"""The mirrors of a server (ports.mirrors)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from pathlib import Path

from pawl.adapters.git.calling import Git, GitError, Rules
from pawl.adapters.git.mirror.comparing import changed_files, is_ancestor
from pawl.adapters.git.mirror.complaints import is_damage
from pawl.adapters.git.mirror.fetching import Fetcher, absent
from pawl.adapters.git.mirror.folders import MirrorFolder, folder_of
from pawl.adapters.git.mirror.limits import MirrorLimits
from pawl.adapters.git.mirror.origins import Access
from pawl.adapters.git.mirror.sharing import Shared
from pawl.adapters.git.mirror.workflows import read_workflows
from pawl.adapters.git.objects import entries, open_objects
from pawl.adapters.git.pack import pack
from pawl.core.model.errors import NotFound, TooLarge, TransientError
from pawl.core.model.refs import full_ref_fault, is_commit
from pawl.ports.mirrors import Origin, WorkflowText


class GitMirrors:
    """Bare repositories below a folder. Several processes may use the same folder."""

    def __init__(
        self, root: Path, *, access: Access | None = None, limits: MirrorLimits | None = None
    ) -> None:
        """Keep mirrors below `root`, which is made when it is needed."""
        self._root = root.absolute()
        self._limits = limits or MirrorLimits()
        self.access = access or Access()
        self._fetcher = Fetcher(self.access, self._limits)
        self._fetches: Shared[Origin] = Shared(self._fetch, lambda origin: origin.name)
        self._looks: Shared[str] = Shared(self._look, str)

    def folder(self, name: str) -> MirrorFolder:
        """Return the places of a repository's mirror."""
        return folder_of(self._root, name)

    def is_damage(self, error: GitError) -> bool:
        """Return whether what git could not do may be a mirror's fault."""
        return is_damage(error.said or error.message)

    async def close(self) -> None:
        """End fetches that run."""
        await self._fetches.close()
        await self._looks.close()

    async def fetch(self, origin: Origin, *, wanted: str = "") -> None:
        """Bring a mirror up to date, as the port says."""
        if wanted and not is_commit(wanted):
            raise NotFound(f"`{wanted[:100]}` is not the whole id of a commit")
        if wanted and await self._has_soundly(origin.name, wanted):
            return
        is_there = await self._fetches.join(origin, wanted)
        if not is_there:
            raise NotFound(
                f"There is no commit {wanted} in `{origin.name}`", hint="was it replaced by a forced push?"
            )

    async def resolve(self, name: str, ref: str) -> str | None:
        """Return the commit of a full ref or a full id, None when it is not there."""
        if (not is_commit(ref) and full_ref_fault(ref)) or not self.folder(name).is_there:
            return None
        return (
            await self._git(name).line("rev-parse", "--verify", "-q", "--end-of-options", f"{ref}^{{commit}}")
            or None
        )

    async def heads(self, origin: Origin) -> Mapping[str, str]:
        """Return the commits of the host by full ref; the mirror learns of another default branch."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        branch, refs = await self._fetcher.heads(origin, self._root)
        if branch and self.folder(origin.name).is_there:
            with contextlib.suppress(GitError):
                await self._git(origin.name).run("symbolic-ref", "HEAD", branch)
        return refs

    async def workflows(self, name: str, sha: str) -> tuple[WorkflowText, ...]:
        """Return the workflow files at a commit, in the order of `core.workflow.files`."""
        git = await self._at(name, sha)
        with self._reading(name):
            return await read_workflows(git, sha, self._limits)

    async def file(self, name: str, sha: str, path: str, most: int) -> bytes | None:
        """Return a file at a commit, as the port says."""
        git = await self._at(name, sha)
        if not _is_path(path):
            return None
        with self._reading(name):
            found = [entry async for entry in entries(git, sha, "--", path)]
            if len(found) != 1 or found[0].path != path or not found[0].is_file:
                return None
            if found[0].size > most:
                raise TooLarge(f"`{path[:200]}` has more than {most} bytes")
            async with open_objects(git) as objects:
                return await objects.get(found[0].id)

    async def message(self, name: str, sha: str) -> str:
        """Return a commit's message."""
        git = await self._at(name, sha)
        with self._reading(name):
            told = await git.read("show", "--no-patch", "--format=%B", "--end-of-options", sha)
        return (told or b"").decode("utf-8", "replace").strip()

    async def changed_files(
        self, name: str, before: str, after: str, *, merge_base: bool
    ) -> tuple[str, ...] | None:
        """Return the paths that differ, as the port says."""
        if not self.folder(name).is_there:
            return None
        with self._reading(name):
            return await changed_files(self._git(name), before, after, merge_base=merge_base)

    async def is_ancestor(self, name: str, older: str, newer: str) -> bool:
        """Return whether `older` is reached from `newer`."""
        if not self.folder(name).is_there:
            return False
        with self._reading(name):
            return await is_ancestor(self._git(name), older, newer)

    async def pack(self, name: str, sha: str, *, ref: str = "", depth: int = 1) -> AsyncGenerator[bytes]:
        """Yield a commit's files, packed, with `depth` commits of history; 0 is all of it."""
        git = await self._at(name, sha)
        with self._reading(name):
            packed = pack(git.folder, sha, ref=ref, name=name, depth=depth)
            async with contextlib.aclosing(packed) as blocks:
                async for block in blocks:
                    yield block

    def _git(self, name: str) -> Git:
        return Git(self.folder(name).path, Rules(seconds=self._limits.seconds))

    async def _fetch(self, origin: Origin, wanted: Callable[[], frozenset[str]]) -> frozenset[str]:
        return await self._fetcher.fetch(origin, self.folder(origin.name), wanted)

    async def _look(self, name: str, wanted: Callable[[], frozenset[str]]) -> frozenset[str]:
        """Return the commits that are not there. In a storm of pushes, a process for each would cost more."""
        await asyncio.sleep(0)
        commits = wanted()
        if not self.folder(name).is_there:
            return commits
        with contextlib.suppress(GitError):
            return await absent(self._git(name), commits)
        return commits

    async def _has(self, name: str, sha: str) -> bool:
        return await self._looks.join(name, sha)

    async def _has_soundly(self, name: str, sha: str) -> bool:
        return not self.folder(name).is_suspect and await self._has(name, sha)

    async def _at(self, name: str, sha: str) -> Git:
        """Return git in a mirror that has a commit.

        Raises:
            NotFound: it has not.
        """
        if not is_commit(sha) or not await self._has(name, sha):
            raise NotFound(f"There is no commit {sha[:64]} in the mirror of `{name}`", hint="fetch it first")
        return self._git(name)

    @contextlib.contextmanager
    def _reading(self, name: str) -> Generator[None]:
        """Take a failure of git in here for damage: the next fetch makes the mirror anew."""
        try:
            yield
        except GitError as error:
            self.folder(name).suspect()
            raise TransientError(f"The mirror of `{name}` cannot be read: {error.message}") from error


def _is_path(path: str) -> bool:
    return not ("\0" in path or path.startswith("/") or {"", ".", ".."} & set(path.split("/")))
