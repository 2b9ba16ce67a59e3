"""Packing a commit: its files as git objects, without the history."""

from __future__ import annotations

import os
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from pawl.adapters.git.calling import Git, GitError, Rules, end
from pawl.adapters.git.pack.header import Header, checked_sha
from pawl.adapters.git.pack.limits import PackLimits
from pawl.core.model.errors import UsageError


async def pack(repository: Path, sha: str, *, ref: str = "", name: str = "") -> AsyncGenerator[bytes]:
    """Yield the files of a commit, packed; `PackedSource` unpacks them. Nothing is written to the repository.

    Args:
        repository: a folder of the repository.
        sha: the commit's whole id.
        ref: the full name of the branch or tag the commit was found by.
        name: the repository's name, `owner/name`.

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
    reader, writer = os.pipe()
    lister: Process | None = None
    try:
        try:
            # Not walked further than the commit itself: its parents, and what only they hold, stay out.
            lister = await git.start(
                "rev-list", "--objects", "--no-walk", "--end-of-options", sha, stdout=writer, stderr=DEVNULL
            )
        finally:
            os.close(writer)
        packed = git.stream("pack-objects", "--stdout", "--quiet", "--delta-base-offset", stdin=reader)
        async with aclosing(packed) as blocks:
            async for block in blocks:
                yield block
        if await lister.wait():
            raise GitError(f"Not all objects of the commit {sha} are in the repository in {repository}")
    finally:
        os.close(reader)
        if lister is not None:
            await end(lister)
