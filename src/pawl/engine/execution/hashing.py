"""`hashFiles(...)`: lists the workspace, and reads what the patterns select.

Which files and in which order is core's (`core/steps/hashfiles.py`). As in actions/runner
(src/Misc/expressionFunc/hashFiles), a link to a file is hashed as the file, folders are left out, and so is
whatever lies outside the workspace. Going beyond it, a link that leads outside is left out as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import UsageError
from pawl.core.steps.action_globs import parse_globs
from pawl.core.steps.hashfiles import hash_of, parse_hashfiles
from pawl.engine.execution.workspace_files import list_files, open_inside

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HashLimits:
    """Bounds on one call (reliability.md 4.4): files hashed, bytes of them together, seconds (GitHub's)."""

    files: int = 100_000
    size: int = 20 * 1024**3
    seconds: float = 120.0


def hash_files(
    arguments: Sequence[str],
    workspace: Path,
    *,
    monotonic: Callable[[], float],
    inside: str | None = None,
    home: str = "/root",
    limits: HashLimits | None = None,
) -> str:
    """Return what `hashFiles(*arguments)` is in a workspace: 64 hex digits, or '' when nothing matches.

    Args:
        arguments: the string forms of the expression's arguments, an option first where there is one.
        workspace: the folder on this machine.
        monotonic: seconds that never go back, for the time limit.
        inside: the path by which the job sees the workspace; the same folder when not given.
        home: what `~` stands for, as the job sees it.
        limits: see `HashLimits`.

    Raises:
        UsageError: a pattern or option is not valid, a file cannot be read, or a limit was passed.
    """
    bounds = limits or HashLimits()
    deadline = monotonic() + bounds.seconds
    root = workspace.resolve()
    call = parse_hashfiles(arguments)
    seen_as = str(root) if inside is None else inside
    globs = parse_globs(call.patterns, workspace=seen_as, home=home)
    starts = _starts(globs.search_roots(), globs.workspace)
    names = (file.path for file in list_files(root, below=starts, follow_links=call.follow_links))
    selected = globs.select(_until(names, deadline, monotonic))
    if len(selected) > bounds.files:
        raise UsageError(f"hashFiles matches {len(selected)} files; at most {bounds.files} are hashed")
    digests = []
    room = bounds.size
    for path in selected:
        digest, size = _digest(root, path, room, deadline, monotonic)
        room -= size
        if digest is not None:
            digests.append(digest)
    return hash_of(digests)


def _starts(roots: Sequence[tuple[str, ...]], workspace: tuple[str, ...]) -> list[str]:
    """Return the search roots relative to the workspace: those in it, or everything for those above it."""
    inside = ["/".join(root[len(workspace) :]) for root in roots if root[: len(workspace)] == workspace]
    above = any(workspace[: len(root)] == root for root in roots)
    return [""] if above else inside


def _until(names: Iterable[str], deadline: float, monotonic: Callable[[], float]) -> Iterator[str]:
    for number, name in enumerate(names):
        if number % 1000 == 0 and monotonic() > deadline:
            raise UsageError("hashFiles took too long to look through the workspace")
        yield name


def _digest(
    root: Path, path: str, room: int, deadline: float, monotonic: Callable[[], float]
) -> tuple[bytes | None, int]:
    """Return the binary sha256 of a file and its size; None and 0 for what is no file of the workspace."""
    total, size = hashlib.sha256(), 0
    with open_inside(root, path) as file:
        if file is None:
            return None, 0
        while block := file.read(_BLOCK):
            total.update(block)
            size += len(block)
            if size > room:
                raise UsageError(f"hashFiles matches more bytes than are hashed; passed at `{path}`")
            if monotonic() > deadline:
                raise UsageError(f"hashFiles took too long; it had come to `{path}`")
    return total.digest(), size
