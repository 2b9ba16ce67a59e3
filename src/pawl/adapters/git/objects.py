"""Reading objects out of a repository: one process of `git cat-file --batch` for all of them."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from pawl.adapters.git.calling import Git, GitError, end
from pawl.core.model.errors import TooLarge

LINK, SUBMODULE = "120000", "160000"
"""Modes of entries that are no files."""

_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOST_TAGS = 10  # of each other
_PARENT = re.compile(rb"^parent ([0-9a-f]{40,64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a tree; `size` in bytes, 0 for what is no file."""

    mode: str
    kind: str
    id: str
    size: int
    path: str

    @property
    def is_file(self) -> bool:
        """Return whether it is a file, executable or not."""
        return self.kind == "blob" and self.mode != LINK


class Objects:
    """A process that hands out objects by their ids, one at a time."""

    def __init__(self, process: Process, seconds: float) -> None:
        """Ask `process`, and wait no longer than `seconds` for a part of an answer."""
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101 - as above
        self._asked = process.stdin
        self._told = process.stdout
        self._seconds = seconds

    async def get(self, object_id: str) -> bytes:
        """Return an object's content; raises as `read`."""
        return (await self.read(object_id))[1]

    async def read(self, object_id: str) -> tuple[str, bytes]:
        """Return an object's kind and content.

        Raises:
            GitError: it is not there, damaged, or git ended.
        """
        if _ID.fullmatch(object_id.encode()) is None:
            raise GitError(f"`{object_id[:100]}` is no id of an object")
        try:
            async with asyncio.timeout(self._seconds):
                self._asked.write(object_id.encode() + b"\n")
                await self._asked.drain()
                first = await self._told.readline()
                facts = first.split()
                if len(facts) != 3 or not facts[2].isdigit():
                    raise GitError(f"The object {object_id} cannot be read")
                content = await self._told.readexactly(int(facts[2]) + 1)
        except (TimeoutError, OSError, EOFError, asyncio.IncompleteReadError) as error:
            raise GitError(f"The object {object_id} cannot be read") from error
        return facts[1].decode(), content[:-1]

    async def commit_of(self, object_id: str) -> str:
        """Return the commit that a commit or tag is, "" when it tags something else; raises as `get`."""
        for _ in range(_MOST_TAGS):
            kind, content = await self.read(object_id)
            if kind == "commit":
                return object_id
            if kind != "tag" or not content.startswith(b"object "):
                break
            object_id = content.partition(b"\n")[0].removeprefix(b"object ").decode("ascii", "replace")
        return ""

    async def parents(self, commit: str) -> tuple[str, ...]:
        """Return the ids of a commit's parents; raises as `get`."""
        head, _, _ = (await self.get(commit)).partition(b"\n\n")
        return tuple(found.decode() for found in _PARENT.findall(head))


@asynccontextmanager
async def open_objects(git: Git) -> AsyncGenerator[Objects]:
    """Yield the objects of a repository.

    Raises:
        GitError: git cannot be run.
    """
    process = await git.start("cat-file", "--batch", stdin=PIPE, stderr=DEVNULL)
    try:
        yield Objects(process, git.rules.seconds)
    finally:
        await end(process)


async def entries(git: Git, *arguments: str) -> AsyncGenerator[Entry]:
    """Yield what `git ls-tree` tells of a tree, with sizes.

    Raises:
        GitError: the tree cannot be read.
    """
    rest = b""
    async with aclosing(git.stream("ls-tree", "-z", "-l", "--full-tree", *arguments)) as output:
        async for block in output:
            *whole, rest = (rest + block).split(b"\0")
            for each in whole:
                facts, _, path = each.partition(b"\t")
                mode, kind, object_id, size = facts.decode("ascii").split()
                yield Entry(
                    mode=mode,
                    kind=kind,
                    id=object_id,
                    size=int(size) if size.isdigit() else 0,
                    path=path.decode("utf-8", "surrogateescape"),
                )


async def count_files(git: Git, tree: str, *, files: int, size: int) -> int:
    """Return how many files a tree has, having looked at no more than there may be.

    A tree that holds itself many times over is counted file by file.

    Raises:
        TooLarge: there are more than `files`, or more than `size` bytes of them.
        GitError: the tree cannot be read.
    """
    count = total = 0
    async with aclosing(entries(git, "-r", tree)) as found:
        async for entry in found:
            if entry.kind == "blob":
                count += 1
                total += entry.size
            if count > files or total > size:
                raise TooLarge(
                    f"The commit has more than {files} files or {size} bytes",
                    hint="keep large files outside the repository",
                )
    return count


async def shallow_boundary(objects: Objects, tips: Iterable[str], depth: int) -> tuple[str, ...]:
    """Return the commits whose parents stay out, when `depth` commits of each line of history are wanted.

    `tips` are commits, or tags of commits; other tags are passed over.

    Raises:
        GitError: the history cannot be read.
    """
    level = {commit for tip in tips if (commit := await objects.commit_of(tip))}
    seen = set(level)
    for _ in range(depth - 1):
        parents = {parent for each in level for parent in await objects.parents(each)}
        level = parents - seen
        seen |= level
        if not level:
            return ()
    return tuple(sorted([each for each in level if await objects.parents(each)]))
