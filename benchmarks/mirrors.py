"""P15: a workspace of 3,000 files from a warm mirror, beside a fresh clone from the same host."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.measure import Figure, Missing, Row, figure, interleaved, milliseconds, seconds
from pawl.adapters.git.mirror import Access, GitMirrors, MirrorSource
from pawl.core.steps.checkout import Checkout
from pawl.ports.mirrors import Origin
from pawl.ports.source import SourceState
from tests.git_server import git, git_server

FILES, COMMITS = 3000, 1500
NAME = "octo/large"
TARGET = "under a fifth of the clone"
_IN_MEMORY = Path("/dev/shm")  # what is compared is work, not this machine's disk


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    base = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pawl-bench-", dir=base) as name, _host(Path(name)) as url:
        folder, numbers = Path(name), count()
        mirrors = GitMirrors(folder / "mirrors", access=Access(protocols=("http",)))
        origin = Origin(name=NAME, url=url)
        asyncio.run(mirrors.fetch(origin))
        sha = asyncio.run(mirrors.resolve(NAME, "refs/heads/main")) or ""
        source = MirrorSource(mirrors, origin, _state(sha), ref="refs/heads/main")

        def workspace(depth: int) -> None:
            target = folder / f"workspace{next(numbers)}"
            target.mkdir()
            files = asyncio.run(source.copy_to(target, wanted=Checkout(depth=depth)))
            if files != FILES:
                raise RuntimeError(f"{files} files were written")

        def clone(*options: str) -> None:
            git(folder, "clone", "-q", *options, url, f"clone{next(numbers)}")

        floor = milliseconds(seconds(lambda: _write(folder / f"floor{next(numbers)}"), runs=5))
        return [
            _row("one commit", lambda: workspace(1), clone, floor, target=TARGET),
            _row("the whole history", lambda: workspace(0), clone, floor),
            _cpu_row(lambda: workspace(1), clone),
        ]


def _row(
    what: str, ours: Callable[[], None], clone: Callable[[], None], floor: Figure, *, target: str = ""
) -> Row:
    workspace, cloned = (milliseconds(samples) for samples in interleaved(ours, clone))
    return Row(
        id="P15",
        what=f"checkout of {FILES:,} files from a warm mirror, {what}",
        pawl=workspace,
        floor=("writing as many files", floor),
        peer=("git clone, same host", cloned),
        target=target,
        meets=workspace.median < cloned.median / 5 if target else None,
    )


def _cpu_row(ours: Callable[[], None], clone: Callable[[], None]) -> Row:
    # Where other work keeps the processors busy, this is the fairer comparison.
    samples: list[list[float]] = [[], []]
    for _ in range(5):
        for kept, work in zip(samples, (ours, clone), strict=True):
            before = _processor_seconds()
            work()
            kept.append((_processor_seconds() - before) * 1000)
    workspace, cloned = (figure(kept, "ms") for kept in samples)
    return Row(
        id="P15",
        what="processor time of the same, one commit; the clone's with its host's",
        pawl=workspace,
        peer=("git clone, same host", cloned),
        target=TARGET,
        meets=workspace.median < cloned.median / 5,
    )


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _state(sha: str) -> SourceState:
    return SourceState(sha=sha, branch="main", tag=None, dirty=False, repository=NAME, default_branch="main")


@contextmanager
def _host(folder: Path) -> Iterator[str]:
    """Yield the URL of a repository with a history, packed as a host would have it."""
    with git_server(folder / "host") as host:
        repository = host.repository(NAME)
        git(repository.bare, "fast-import", "--quiet", "--done", give=b"".join(_history()))
        git(repository.bare, "repack", "-adq")
        yield repository.url


def _history() -> Iterator[bytes]:
    """Yield a history for `git fast-import`: the same at every run."""
    chance = random.Random(7)
    words = [f"{chance.getrandbits(40):x}" for _ in range(4000)]
    paths = [f"src/package_{number % 60}/module_{number}.py" for number in range(FILES)]
    bodies = {path: _body(chance, words, chance.randrange(5, 100)) for path in paths}
    for number in range(COMMITS):
        yield f"commit refs/heads/main\ncommitter T <t@example.com> {1_700_000_000 + number} +0000\n".encode()
        yield b"data 1\nx\n"
        for path in chance.sample(paths, 5) if number else paths:
            lines = bodies[path].splitlines()
            lines[chance.randrange(len(lines))] = _body(chance, words, 1).strip()
            bodies[path] = "\n".join(lines) + "\n"
            yield f"M 100644 inline {path}\ndata {len(bodies[path])}\n{bodies[path]}\n".encode()
    yield b"done\n"


def _body(chance: random.Random, words: list[str], lines: int) -> str:
    return "".join(" ".join(chance.choices(words, k=8)) + "\n" for _ in range(lines))


def _write(folder: Path) -> None:
    """Write as many files of about the same size, and remove them."""
    content = b"x" * 4000
    for number in range(FILES):
        path = folder / f"package_{number % 60}"
        if number < 60:
            path.mkdir(parents=True)
        (path / str(number)).write_bytes(content)
    shutil.rmtree(folder)
