"""What of a repository's history is packed: told to `git pack-objects` on its standard input."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from pawl.adapters.git.calling import Git
from pawl.adapters.git.objects import open_objects, shallow_boundary

PACKING = ("pack-objects", "--revs", "--shallow", "--quiet", "--delta-base-offset")
"""The command, and what it is always given; it reads `written` revisions."""


async def boundary_of(git: Git, tips: Iterable[str], depth: int) -> tuple[str, ...]:
    """Return the commits at which `depth` commits of history end; none for 0, the whole history.

    `tips` are commits, or tags of commits.

    Raises:
        GitError: the history cannot be read.
    """
    if not depth:
        return ()
    async with open_objects(git) as objects:
        return await shallow_boundary(objects, tips, depth)


@contextmanager
def written(tips: Iterable[str], boundary: Iterable[str]) -> Iterator[IO[bytes]]:
    """Yield a file that says what to pack: all that is reached from `tips`, ending at `boundary`."""
    with tempfile.TemporaryFile() as file:
        lines = [*(f"--shallow {each}\n" for each in boundary), *(f"{each}\n" for each in tips)]
        file.write("".join(lines).encode("ascii"))
        file.seek(0)
        yield file
