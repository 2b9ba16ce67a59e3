"""Fetching into a mirror: all heads and tags, then the commits that are still wanted."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path

from pawl.adapters.git.calling import Git, GitError
from pawl.adapters.git.mirror.complaints import from_complaint, last_line
from pawl.adapters.git.mirror.folders import MirrorFolder
from pawl.adapters.git.mirror.limits import MirrorLimits
from pawl.adapters.git.mirror.origins import Access, check_url, rules_for
from pawl.core.model.errors import InfrastructureError, TooLarge, TransientError
from pawl.core.model.refs import full_ref_fault
from pawl.ports.mirrors import Origin

_FETCH = (
    "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
    "--no-recurse-submodules",
)  # fmt: skip
_HEADS_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_REQUESTS = (
    "+refs/pull/*/head:refs/pull/*/head",
    "+refs/pull/*/merge:refs/pull/*/merge",
    "+refs/merge-requests/*/head:refs/merge-requests/*/head",
    "+refs/pull-requests/*/from:refs/pull-requests/*/from",
)
_WATCHED_EVERY = 0.5
_MANY_PACKS = 20
_MANY_LOOSE = 4096


class Fetcher:
    """Fetches mirrors; the caller sees to it that one mirror is fetched once at a time."""

    def __init__(self, access: Access, limits: MirrorLimits) -> None:
        """Reach hosts by `access`, and no further than `limits`."""
        self._access = access
        self._limits = limits

    async def fetch(
        self, origin: Origin, folder: MirrorFolder, wanted: Callable[[], frozenset[str]]
    ) -> frozenset[str]:
        """Bring a mirror up to date, or make it; one that is damaged is set aside and made anew, once.

        Where only commits are wanted that are there by then, nothing is done.

        Returns the commits of `wanted` that are still not there.

        Raises: as `ports.mirrors.Mirrors.fetch`, but for a commit that is not there.
        """
        check_url(origin.url, self._access)
        async with folder.locked(self._limits.seconds):
            asked = wanted()
            commits = asked - {""}
            if commits == asked and await _holds(folder, commits):
                return frozenset()  # another process has brought them meanwhile
            await self._bounded(self._bring(origin, folder, commits), origin, folder)
            return await absent(Git(folder.path), commits)

    async def _bring(self, origin: Origin, folder: MirrorFolder, commits: frozenset[str]) -> None:
        rules = rules_for(origin, self._access, self._limits)
        if not await self._is_updated(Git(folder.path, rules), origin, folder, commits):
            await self._replace(Git(folder.new, rules), origin, folder, commits)

    async def _is_updated(
        self, git: Git, origin: Origin, folder: MirrorFolder, commits: frozenset[str]
    ) -> bool:
        """Bring a mirror up to date; return False where there is none, or none that is sound."""
        if not folder.is_there or folder.is_suspect:
            return False
        try:
            await self._update(git, origin, commits)
        except _Damaged:
            return False
        await _tidy(git)
        return True

    async def _replace(self, git: Git, origin: Origin, folder: MirrorFolder, commits: frozenset[str]) -> None:
        try:
            await asyncio.to_thread(folder.clear_new)
            await self._make(git, origin, commits)
            await asyncio.to_thread(folder.take_new)
        except _Damaged as error:
            raise InfrastructureError(f"`{origin.name}` cannot be fetched: {error}") from error
        except OSError as error:
            raise InfrastructureError(f"Cannot write mirrors: {error.strerror}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, folder.new, ignore_errors=True)

    async def heads(self, origin: Origin, folder: Path) -> tuple[str, dict[str, str]]:
        """Return the host's default branch as a full ref ("" where it tells none), and commits by ref."""
        git = Git(folder, rules_for(origin, self._access, self._limits))
        patterns = ("HEAD", "refs/heads/*", "refs/tags/*")
        told = ""
        try:
            async with asyncio.timeout(self._limits.seconds):
                told = await git.run("ls-remote", "--quiet", "--symref", "--", origin.url, *patterns)
        except TimeoutError:
            raise _too_slow(origin, self._limits) from None
        except GitError as error:
            said = error.said or error.message
            unknown = TransientError(f"`{origin.name}` cannot be asked: {last_line(said, origin)}")
            raise from_complaint(said, origin) or unknown from error
        return read_refs(told)

    async def _bounded(self, work: Coroutine[None, None, None], origin: Origin, folder: MirrorFolder) -> None:
        """Do a work; end it when it takes too long or too much disk."""
        working, watching = asyncio.create_task(work), asyncio.create_task(self._watch(folder))
        try:
            async with asyncio.timeout(self._limits.seconds):
                await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise _too_slow(origin, self._limits) from None
        finally:
            is_done = working.done()
            for each in (working, watching):
                each.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)
        if not is_done:
            raise _too_large(origin, self._limits)
        await working

    async def _watch(self, folder: MirrorFolder) -> None:
        """Return when a mirror takes too much disk."""
        while await asyncio.to_thread(folder.size) <= self._limits.size:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(_WATCHED_EVERY)

    async def _make(self, git: Git, origin: Origin, commits: frozenset[str]) -> None:
        branch, refs = await self.heads(origin, git.folder)
        kind = "sha256" if any(len(sha) == 64 for sha in refs.values()) else "sha1"
        await git.run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}")
        await self._update(git, origin, commits)
        if branch:
            await git.run("symbolic-ref", "HEAD", branch)
        await git.run("pack-refs", "--all")
        if await asyncio.to_thread(MirrorFolder(git.folder).size) > self._limits.size:
            raise _too_large(origin, self._limits)

    async def _update(self, git: Git, origin: Origin, commits: frozenset[str]) -> None:
        await _fetch(git, origin, "--prune", "--", origin.url, *_HEADS_AND_TAGS)
        missing = await absent(git, commits)
        if not missing:
            return
        try:
            # Commits of pull requests, most of all. A host gives them by their ids, or by their refs.
            await _fetch(git, origin, "--", origin.url, *sorted(missing))
        except InfrastructureError:
            await _fetch(git, origin, "--prune", "--", origin.url, *_REQUESTS)


async def _holds(folder: MirrorFolder, commits: frozenset[str]) -> bool:
    """Return whether a mirror is sound and has the commits."""
    if not folder.is_there or folder.is_suspect:
        return False
    with contextlib.suppress(GitError):
        return not await absent(Git(folder.path), commits)
    return False


class _Damaged(Exception):  # noqa: N818 - it never leaves this module
    """The mirror, and not the host, seems to be at fault."""


async def has_commit(git: Git, sha: str) -> bool:
    """Return whether a repository holds a commit, given by its whole id."""
    return await git.can("rev-parse", "--quiet", "--verify", "--end-of-options", f"{sha}^{{commit}}")


async def absent(git: Git, commits: frozenset[str]) -> frozenset[str]:
    """Return those of the commits, given by their whole ids, that a repository does not hold."""
    if not commits:
        return commits
    asked = sorted(commits)
    with tempfile.TemporaryFile() as file:
        file.write("".join(f"{sha}\n" for sha in asked).encode("ascii"))
        file.seek(0)
        told = await git.run("cat-file", "--batch-check=%(objecttype)", stdin=file)
    return frozenset(sha for sha, kind in zip(asked, told.splitlines(), strict=True) if kind != "commit")


def read_refs(told: str) -> tuple[str, dict[str, str]]:
    """Return HEAD's branch and the commits by full ref, out of what `git ls-remote --symref` tells."""
    branch, refs = "", {}
    for line in told.splitlines():
        value, _, name = line.partition("\t")
        name = name.removesuffix("^{}")  # of an annotated tag, the commit: it comes after the tag itself
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            branch = value.removeprefix("ref: ")
        elif not full_ref_fault(name):
            refs[name] = value
    return ("" if full_ref_fault(branch) else branch), refs


async def _fetch(git: Git, origin: Origin, *arguments: str) -> None:
    try:
        await git.run(*_FETCH, *arguments)
    except GitError as error:
        raise _error(error, origin) from error


def _error(error: GitError, origin: Origin) -> Exception:
    said = error.said or error.message
    return from_complaint(said, origin) or _Damaged(last_line(said, origin))


def _too_slow(origin: Origin, limits: MirrorLimits) -> TransientError:
    return TransientError(f"`{origin.name}` was not fetched within {limits.seconds:g} seconds")


def _too_large(origin: Origin, limits: MirrorLimits) -> TooLarge:
    return TooLarge(f"`{origin.name}` has more than {limits.size} bytes", hint="raise the limit of mirrors")


async def _tidy(git: Git) -> None:
    """Pack together what has piled up, now and then. That it fails is no reason to fail a fetch.

    Small packs are rolled up into larger ones, at a cost that grows with what is new, not with the whole.
    """
    if await asyncio.to_thread(_is_untidy, git.folder / "objects"):
        with contextlib.suppress(GitError):
            await git.run("repack", "-d", "--quiet", "--geometric=2")


def _is_untidy(objects: Path) -> bool:
    packs = len(list(objects.glob("pack/*.pack")))
    return packs > _MANY_PACKS or len(list(objects.glob("17/*"))) > _MANY_LOOSE // 256
