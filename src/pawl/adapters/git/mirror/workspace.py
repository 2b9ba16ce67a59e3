"""A workspace out of a mirror on the same disk: its objects are packed into it, and its files written.

Nothing of the mirror can be reached through the workspace, which belongs to a job from then on: no hard
links, which a job that runs as root could write through, and no path to borrow objects from. While the files
are written git reads the mirror's objects itself, so that neither waits for the other.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pawl.adapters.git.calling import Git
from pawl.adapters.git.configuration import config_text
from pawl.adapters.git.objects import count_files
from pawl.adapters.git.pack import PackLimits
from pawl.adapters.git.revisions import PACKING, boundary_of, written
from pawl.adapters.git.workspaces import set_sparse, short_name
from pawl.core.steps.checkout import Checkout

_HEADS, _TAGS, _PULLS = "refs/heads/", "refs/tags/", "refs/pull/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a workspace shall hold.

    Attributes:
        sha: the commit.
        ref: the full ref it was found by, "" for none.
        url: of `origin`, without credentials.
        header: sent to the host by the job's git, by the setting's full name; empty for none.
        checkout: what the step asks for.
    """

    sha: str
    ref: str
    url: str
    header: Mapping[str, str]
    checkout: Checkout


async def fill(mirror: Git, folder: Path, wish: Wish, limits: PackLimits) -> int:
    """Fill an empty folder with a commit's files and its repository, and return how many files it has.

    Raises:
        TooLarge: they are more, or larger, than the limits say.
        GitError: git failed.
        OSError: the disk refused.
    """
    refs = await _refs(mirror, wish)
    tips = tuple(dict.fromkeys((wish.sha, *refs.values())))
    boundary = await boundary_of(mirror, tips, wish.checkout.depth)
    await asyncio.to_thread(_make_repository, folder / ".git", wish, refs, boundary)
    here = _borrowing(mirror, folder)
    if wish.checkout.sparse:
        await set_sparse(here, wish.checkout)
    count, _ = await _both(write_files(here, wish.sha, limits), _pack(mirror, folder, tips, boundary))
    return count


async def fill_part(mirror: Git, folder: Path, tree: str, limits: PackLimits) -> int:
    """Fill an empty folder with the files of a tree alone; returns and raises as `fill`."""
    with tempfile.TemporaryDirectory(prefix="pawl-index-") as aside:
        variables = {
            "GIT_DIR": str(mirror.folder),
            "GIT_INDEX_FILE": f"{aside}/index",
            "GIT_WORK_TREE": _absolute(folder),
        }
        rules = replace(mirror.rules, variables={**mirror.rules.variables, **variables})
        return await write_files(Git(folder, rules), tree, limits)


async def write_files(git: Git, tree: str, limits: PackLimits) -> int:
    """Write the files of a tree, once they are counted; returns and raises as `fill`."""
    count = await count_files(git, tree, files=limits.files, size=limits.size)
    await git.run("read-tree", "-u", "--reset", tree)
    return count


async def _refs(mirror: Git, wish: Wish) -> dict[str, str]:
    """Return the refs that the workspace shall know of its origin, with what they stand at."""
    has_all = wish.checkout.depth == 0
    patterns = [*([_HEADS] if has_all else []), *([_TAGS] if has_all or wish.checkout.tags else [])]
    if wish.ref.startswith(_TAGS):
        patterns.append(wish.ref)
    refs, peeled = {}, {}
    if patterns:
        told = await mirror.run("for-each-ref", "--format=%(objectname) %(*objectname) %(refname)", *patterns)
        for line in told.splitlines():
            sha, commit, name = line.split(" ", 2)
            refs[_remote(name)], peeled[_remote(name)] = sha, commit or sha
    # What the job was started for is where it was then, wherever it has gone since.
    if wish.ref.startswith((_HEADS, _TAGS, _PULLS)) and peeled.get(_remote(wish.ref)) != wish.sha:
        refs[_remote(wish.ref)] = wish.sha
    return refs


def _remote(ref: str) -> str:
    """Return what a ref of the host is called in a workspace."""
    if ref.startswith(_HEADS):
        return f"refs/remotes/origin/{ref.removeprefix(_HEADS)}"
    return f"refs/remotes/pull/{ref.removeprefix(_PULLS)}" if ref.startswith(_PULLS) else ref


def _make_repository(git: Path, wish: Wish, refs: Mapping[str, str], boundary: tuple[str, ...]) -> None:
    for name in ("objects/pack", "objects/info", "refs/heads", "refs/tags", "info"):
        (git / name).mkdir(parents=True)
    branch = short_name(_HEADS, wish.ref)
    known = {**refs, **({f"{_HEADS}{branch}": wish.sha} if branch else {})}
    lines = "".join(f"{sha} {name}\n" for name, sha in sorted(known.items()))
    (git / "packed-refs").write_text(lines, "utf-8", "surrogateescape")
    (git / "HEAD").write_text(f"ref: {_HEADS}{branch}\n" if branch else f"{wish.sha}\n", "utf-8")
    if boundary:
        (git / "shallow").write_text("".join(f"{each}\n" for each in boundary), "utf-8")
    (git / "config").write_text(config_text(_settings(wish, branch)), "utf-8")
    if wish.header:
        (git / "config").chmod(0o600)


def _settings(wish: Wish, branch: str | None) -> dict[str, str]:
    is_sha256 = len(wish.sha) == 64
    return {
        "core.repositoryformatversion": "1" if is_sha256 else "0",
        "core.filemode": "true",
        "core.logallrefupdates": "true",
        **({"extensions.objectformat": "sha256"} if is_sha256 else {}),
        "remote.origin.url": wish.url,
        "remote.origin.fetch": f"+{_HEADS}*:refs/remotes/origin/*",
        **(
            {f"branch.{branch}.remote": "origin", f"branch.{branch}.merge": f"{_HEADS}{branch}"}
            if branch
            else {}
        ),
        **wish.header,
    }


def _borrowing(mirror: Git, folder: Path) -> Git:
    """Return git in a workspace that reads a mirror's objects, too, as long as it runs."""
    path = str(mirror.folder / "objects").replace("\\", "\\\\").replace('"', '\\"')
    variables = {**mirror.rules.variables, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{path}"'}
    return Git(folder, replace(mirror.rules, variables=variables))


async def _pack(mirror: Git, folder: Path, tips: tuple[str, ...], boundary: tuple[str, ...]) -> None:
    with written(tips, boundary) as revisions:
        await mirror.run(*PACKING, _absolute(folder / ".git/objects/pack/pack"), stdin=revisions)


def _absolute(path: Path) -> str:
    return str(path.absolute())


async def _both(first: Coroutine[None, None, int], second: Coroutine[None, None, None]) -> tuple[int, None]:
    """Return what both return; when one fails, the other has ended before that is told."""
    tasks = (asyncio.create_task(first), asyncio.create_task(second))
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
