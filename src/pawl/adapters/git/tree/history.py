"""Bringing a repository's history along, so that `git log`, `describe` and `status` work in a workspace.

The objects are copied, not linked: a job that runs as root could write through a hard link into the user's
repository, and a path to it means nothing inside a container. The configuration is written anew, from a
short list of harmless settings: the old one may hold credentials, and programs to run.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pawl.adapters.git.calling import Git, GitError
from pawl.adapters.git.configuration import config_text
from pawl.adapters.git.tree.copying import TreeCopy
from pawl.adapters.git.tree.rules import FETCHING

MAX_HISTORY = 1024**3
"""Bytes of objects that are copied whole; of a larger repository only the latest commit comes along."""

_KEPT_SETTINGS = re.compile(
    r"core\.(repositoryformatversion|filemode|symlinks|ignorecase|precomposeunicode|autocrlf|eol|safecrlf"
    r"|protecthfs|protectntfs|sparsecheckout|sparsecheckoutcone)"
    r"|extensions\.(objectformat|refstorage|compatobjectformat)|index\.sparse"
    r"|branch\..*\.(remote|merge)|remote\.[^.]*\.(url|fetch)",
    re.DOTALL,
)
_WORKTREE_FILES = ("HEAD", "index")
_COMMON = ("packed-refs", "refs", "reftable", "shallow", "info/exclude", "info/sparse-checkout")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFolders:
    """Where a repository keeps things: `own` of this working tree, `common` of all its working trees."""

    own: Path
    common: Path


async def find_git_folders(git: Git, root: Path) -> GitFolders | None:
    """Return the git folders of the working tree at `root`.

    None when `root` is not the top of one, or when a `.git` file points to a repository that does not
    know this tree: its history would be somebody else's.
    """
    told = await git.line("rev-parse", "--show-cdup", "--absolute-git-dir", "--git-common-dir")
    match told.split("\n"):
        case ["", own, common]:
            return _if_own(GitFolders(own=Path(own), common=root / common), root / ".git")
        case _:
            return None


def _if_own(folders: GitFolders, link: Path) -> GitFolders | None:
    """Return `folders` when `link`, the tree's `.git`, is them, or names them and is known to them."""
    if link.is_dir() and not link.is_symlink() and link.resolve() == folders.own.resolve():
        return folders
    with contextlib.suppress(OSError, ValueError):
        back = (folders.own / "gitdir").read_text("utf-8").strip()
        if link.is_file() and not link.is_symlink() and Path(back).resolve() == link.resolve():
            return folders
    return None


async def bring_history(git: Git, root: Path, workspace: Path) -> bool:
    """Make `.git` in a workspace; return False where it cannot be had, and leave nothing then.

    Raises:
        OSError: the disk refused.
    """
    folders = await find_git_folders(git, root)
    if folders is None or (folders.common / "objects/info/alternates").exists():
        return False
    settings = await _settings(git)
    target = workspace / ".git"
    try:
        whole = await asyncio.to_thread(_copy_history, folders, target, settings)
        if not whole:
            await _fetch_latest(git, root, workspace)
    except GitError:
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        return False
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        raise
    return True


def _copy_history(folders: GitFolders, target: Path, settings: Mapping[str, str]) -> bool:
    """Copy references, index and objects; return False when the objects are too large to copy."""
    (target / "objects").mkdir(parents=True)
    (target / "refs").mkdir()
    # Copied files have new inodes, so git is told not to look at those.
    known = {**settings, "core.checkstat": "minimal", "core.trustctime": "false"}
    (target / "config").write_text(config_text(known), "utf-8", "surrogateescape")
    # References first: objects only ever come to be added, so what they name is copied after them.
    for name in _WORKTREE_FILES:
        TreeCopy(folders.own, target).copy([name])
    TreeCopy(folders.own, target).copy(entry.name for entry in folders.own.glob("sharedindex.*"))
    objects = list(_files(folders.common, "objects"))
    whole = sum(size for _, size in objects) <= MAX_HISTORY
    for name in _COMMON if whole else ("info/exclude", "info/sparse-checkout"):
        part = (path for path, _ in _files(folders.common, name) if path != "refs/stash")
        _copy_into(folders.common, target, part)
    if whole:
        _copy_into(folders.common, target, (path for path, _ in objects))
    return whole


def _copy_into(source: Path, target: Path, paths: Iterator[str]) -> None:
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        folder, _, name = path.rpartition("/")
        TreeCopy(source / folder, target / folder).copy([name])


def _files(folder: Path, name: str) -> Iterator[tuple[str, int]]:
    """Yield path and size of the regular files at and below `name`; links are not followed."""
    pending = [name]
    while pending:
        path = pending.pop()
        with contextlib.suppress(FileNotFoundError):
            if (folder / path).is_symlink():
                continue
            if (folder / path).is_dir():
                pending.extend(f"{path}/{entry.name}" for entry in (folder / path).iterdir())
            elif (folder / path).is_file() and not path.endswith(".lock"):
                yield path, (folder / path).stat().st_size


async def _settings(git: Git) -> dict[str, str]:
    told = await git.read("config", "--local", "-z", "--list", fails=(1, 128))
    kept: dict[str, str] = {}
    for entry in (told or b"").decode("utf-8", "surrogateescape").split("\0"):
        name, _, value = entry.partition("\n")
        if _KEPT_SETTINGS.fullmatch(name) and "\n" not in name and "\n" not in value:
            kept[name] = without_credentials(value) if name.endswith(".url") else value
    return kept


def without_credentials(url: str) -> str:
    """Return a remote's URL without user and password."""
    try:
        parts = urlsplit(url)
        if parts.scheme and parts.hostname:
            return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError:
        return ""
    return url


async def _fetch_latest(git: Git, root: Path, workspace: Path) -> None:
    """Fetch only the commit that the tree stands at, as actions/checkout does by default."""
    branch = await git.line("symbolic-ref", "-q", "HEAD")
    sha = await git.line("rev-parse", "--verify", "-q", "HEAD^{commit}")
    if not sha:
        return
    here = Git(workspace, FETCHING)
    target = branch or "refs/pawl/head"
    await here.read(
        "fetch", "-q", "--depth=1", "--no-tags", "--update-head-ok", "--no-write-fetch-head",
        f"file://{quote(str(root))}", f"+HEAD:{target}",
    )  # fmt: skip
    if not branch:
        await here.read("update-ref", "--no-deref", "HEAD", sha)
