"""A mirror as the source of a job (ports.source): a worker's own copy, fetched when its commit is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pawl.adapters.git.calling import Git, GitError, Rules
from pawl.adapters.git.mirror.mirrors import GitMirrors
from pawl.adapters.git.mirror.origins import authorization, site_of
from pawl.adapters.git.mirror.submodules import submodules_of
from pawl.adapters.git.mirror.workspace import Wish, fill, fill_part
from pawl.adapters.git.pack import PackLimits
from pawl.adapters.git.workspaces import count_written, empty, short_name, tree_of
from pawl.core.model.errors import InfrastructureError, NotFound, UsageError
from pawl.core.model.refs import full_ref_fault, is_commit
from pawl.core.steps.checkout import Checkout, Submodules
from pawl.ports.mirrors import Origin
from pawl.ports.source import SourceState

_DEEPEST = 10
_NO_COMMIT = "0" * 40
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


class MirrorSource:
    """The files of one commit of a repository that is fetched from its host."""

    def __init__(
        self,
        mirrors: GitMirrors,
        origin: Origin,
        state: SourceState,
        *,
        ref: str = "",
        submodule_hosts: tuple[str, ...] = (),
        limits: PackLimits | None = None,
    ) -> None:
        """Take the commit that `state` names.

        Args:
            mirrors: where the repository's copy is kept.
            origin: from where it is fetched.
            state: what the source stands at.
            ref: the full ref of the commit, "" for none.
            submodule_hosts: that submodules may come from, besides the host of `origin`.
            limits: what may be written into a workspace.
        """
        self._mirrors = mirrors
        self._origin = origin
        self._state = state
        self._ref = "" if full_ref_fault(ref) else ref
        self._hosts = submodule_hosts
        self._limits = limits or PackLimits()
        self._level = 0

    async def state(self) -> SourceState:
        """Return what it stands at."""
        return self._state

    async def fetch(self) -> None:
        """Have the commit in the mirror; raises as `ports.mirrors.Mirrors.fetch`."""
        await self._mirrors.fetch(self._origin, wanted=self._state.sha)

    async def changed_files(self, base: str | None) -> tuple[str, ...] | None:
        """Return the paths that differ from `base`, by default from where it left the default branch.

        Raises: as `ports.mirrors.Mirrors.fetch`.
        """
        name, sha = self._origin.name, self._state.sha
        await self.fetch()
        if base is None:
            return await self._mirrors.changed_files(name, _NO_COMMIT, sha, merge_base=False)
        for ref in (base, f"refs/heads/{base}", f"refs/tags/{base}"):
            if before := await self._mirrors.resolve(name, ref):
                return await self._mirrors.changed_files(name, before, sha, merge_base=False)
        raise UsageError(f"`{base[:200]}` is no commit, branch or tag of the repository")

    async def copy_to(self, folder: Path, *, subfolder: str = "", wanted: Checkout | None = None) -> int:
        """Fill an empty folder with the commit's files, or those below `subfolder`, and return how many.

        The whole tree comes with a repository of its own, with as much of the history as is `wanted`. No
        program runs that the commit names: no hooks, no filters. When it fails the folder is empty again.

        Raises:
            TooLarge: there are more files or bytes than the limits say.
            UsageError: something `wanted` cannot be had; or as `ports.mirrors.Mirrors.fetch`.
            InfrastructureError: the host, git or the disk refused.
        """
        checkout = wanted or Checkout()
        if checkout.lfs:
            raise UsageError(
                "actions/checkout: `lfs: true` is not done yet",
                hint="run `git lfs pull` in a step of its own",
            )
        await self.fetch()
        try:
            if below := subfolder.strip("/"):
                return await self._copy_part(folder, below)
            return await self._copy(folder, checkout)
        except BaseException as error:
            await asyncio.to_thread(empty, folder)
            if isinstance(error, OSError):
                raise InfrastructureError(
                    f"Cannot write the workspace {folder}: {error.strerror}", hint="free some disk space"
                ) from error
            if isinstance(error, GitError) and self._mirrors.is_damage(error):
                self._mirrors.folder(self._origin.name).suspect()
            raise

    async def at(self, ref: str) -> MirrorSource:
        """Return the same repository at another branch, tag or commit, as its host has it now.

        Raises: as `ports.mirrors.Mirrors.fetch`.
        """
        await self._mirrors.fetch(self._origin, wanted=ref if is_commit(ref) else "")
        for name in (ref,) if ref.startswith("refs/") or is_commit(ref) else (_HEADS + ref, _TAGS + ref):
            if sha := await self._mirrors.resolve(self._origin.name, name):
                state = replace(
                    self._state, sha=sha, branch=short_name(_HEADS, name), tag=short_name(_TAGS, name)
                )
                return MirrorSource(
                    self._mirrors,
                    self._origin,
                    state,
                    ref="" if is_commit(name) else name,
                    submodule_hosts=self._hosts,
                    limits=self._limits,
                )
        raise NotFound(f"`{self._origin.name}` has no branch, tag or commit `{ref[:200]}`")

    def remarks(self, wanted: Checkout) -> tuple[str, ...]:  # noqa: ARG002 - the port's
        """Return nothing: what cannot be had is refused."""
        return ()

    async def _copy_part(self, folder: Path, below: str) -> int:
        git = self._git()
        tree = await tree_of(git, self._state.sha, below)
        if tree is None:
            return 0
        return await fill_part(git, folder, tree, self._limits)

    async def _copy(self, folder: Path, checkout: Checkout) -> int:
        git, sha = self._git(), self._state.sha
        header = self._header() if checkout.persist_credentials else {}
        wish = Wish(sha=sha, ref=self._ref, url=self._origin.url, header=header, checkout=checkout)
        count = await fill(git, folder, wish, self._limits)
        if checkout.sparse:
            count = await count_written(Git(folder))
        if checkout.submodules is not Submodules.NONE:
            count += await self._copy_submodules(folder, checkout)
        return count

    async def _copy_submodules(self, folder: Path, checkout: Checkout) -> int:
        if self._level >= _DEEPEST:
            raise UsageError(f"Submodules are nested more than {_DEEPEST} deep")
        access = self._mirrors.access
        found = await submodules_of(
            self._git(), self._state.sha, self._origin, access=access, hosts=self._hosts
        )
        is_deep = checkout.submodules is Submodules.RECURSIVE
        below = replace(
            checkout, sparse=(), tags=False, submodules=checkout.submodules if is_deep else Submodules.NONE
        )
        count = 0
        for each in found:
            if not (folder / each.path).is_dir():
                continue  # it lies outside of a sparse checkout
            if not is_commit(each.sha):
                raise UsageError(f"The submodule `{each.path[:200]}` stands at no commit")
            state = replace(self._state, sha=each.sha, branch=None, tag=None, repository=each.origin.name)
            source = MirrorSource(
                self._mirrors, each.origin, state, submodule_hosts=self._hosts, limits=self._limits
            )
            source._level = self._level + 1
            count += await source.copy_to(folder / each.path, wanted=below)
        return count

    def _git(self) -> Git:
        return Git(self._mirrors.folder(self._origin.name).path, Rules(seconds=self._limits.seconds))

    def _header(self) -> dict[str, str]:
        parts = urlsplit(self._origin.url)
        if not self._origin.secret or parts.scheme not in ("http", "https"):
            return {}
        return {f"http.{site_of(parts)}/.extraheader": authorization(self._origin)}
