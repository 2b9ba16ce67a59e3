"""Comparing commits of a mirror: which paths differ, and which commit is older."""

from __future__ import annotations

from pawl.adapters.git.calling import Git
from pawl.adapters.git.mirror.fetching import has_commit
from pawl.core.model.refs import is_commit, is_no_commit

_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The id of a tree without entries, by the length of ids."""


async def changed_files(git: Git, before: str, after: str, *, merge_base: bool) -> tuple[str, ...] | None:
    """Return the paths that differ, sorted, as `ports.mirrors.Mirrors.changed_files` says.

    Raises:
        GitError: the commits cannot be read.
    """
    is_new = is_no_commit(before)
    if not is_commit(after) or not (is_new or is_commit(before)):
        return None
    wanted = (after,) if is_new else (before, after)
    if not all([await has_commit(git, sha) for sha in wanted]):
        return None
    if is_new:
        start = await _before_new(git, after)
    else:
        start = (await _merge_base(git, before, after) if merge_base else "") or before
    told = await git.read("diff-tree", "-r", "-z", "--name-only", "--no-renames", start, after, "--")
    names = (told or b"").decode("utf-8", "replace").split("\0")
    return tuple(sorted({name for name in names if name}))


async def is_ancestor(git: Git, older: str, newer: str) -> bool:
    """Return whether `older` is reached from `newer`; False where one is not there."""
    if not (is_commit(older) and is_commit(newer)):
        return False
    return await git.read("merge-base", "--is-ancestor", older, newer, fails=(1, 128)) is not None


async def _before_new(git: Git, after: str) -> str:
    """Return what a new ref is compared with: where it left the default branch, nothing for the first."""
    default = await git.line("rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    base = await _merge_base(git, default, after) if default else ""
    if base == after and len((await git.run("for-each-ref", "--count=2", "refs/heads")).splitlines()) == 1:
        base = ""  # the first push of the only branch there is
    return base or _EMPTY_TREES[len(after)]


async def _merge_base(git: Git, one: str, other: str) -> str:
    return (await git.line("merge-base", one, other)).partition("\n")[0]
