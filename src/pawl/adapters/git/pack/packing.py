"""Packing a commit: its files as git objects, with as much of the history as is asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from pawl.adapters.git.calling import Git, Rules
from pawl.adapters.git.pack.header import Header, checked_sha
from pawl.adapters.git.pack.limits import PackLimits
from pawl.adapters.git.revisions import PACKING, boundary_of, written
from pawl.core.model.errors import UsageError


async def pack(
    repository: Path, sha: str, *, ref: str = "", name: str = "", depth: int = 1
) -> AsyncGenerator[bytes]:
    """Yield the files of a commit, packed; `PackedSource` unpacks them. Nothing is written to the repository.

    Args:
        repository: a folder of the repository.
        sha: the commit's whole id.
        ref: the full name of the branch or tag the commit was found by.
        name: the repository's name, `owner/name`.
        depth: how many commits of each line of history come along, 1 for the commit alone; 0 for all.

    Raises:
        UsageError: `sha` is no commit of the repository.
        InfrastructureError: git failed; what was yielded is not whole then.
    """
    git = Git(repository, Rules(seconds=PackLimits().seconds))
    if not await git.can(
        "rev-parse", "--quiet", "--verify", "--end-of-options", f"{checked_sha(sha)}^{{commit}}"
    ):
        raise UsageError(
            f"{sha} is no commit of the repository in {repository}",
            hint="fetch it first, and commit what you want",
        )
    yield Header(sha=sha, ref=ref, repository=name).to_line()
    with written([sha], await boundary_of(git, [sha], depth)) as revisions:
        async with aclosing(git.stream(*PACKING, "--stdout", stdin=revisions)) as blocks:
            async for block in blocks:
                yield block
