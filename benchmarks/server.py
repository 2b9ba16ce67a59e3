"""A Pawl server with its embedded worker, in a throw-away folder, and one-step workflows for it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Missing
from benchmarks.memory import descendants, proportional_memory
from tests.faults.installation import Installation

LABEL = "self-hosted"


@contextmanager
def served(
    *, slots: int = 4, executor: str = "host", settings: Mapping[str, str] | None = None
) -> Iterator[Installation]:
    """Yield an installation in a folder of its own whose server has not been started yet."""
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as name:
        installation = Installation(Path(name), slots=slots, executor=executor, settings=settings)
        installation.prepare()
        try:
            yield installation
        finally:
            installation.end()


def one_step(script: str, *, label: str = LABEL) -> str:
    """Return the text of a workflow with one job of one step."""
    jobs = {"bench": {"runs-on": label, "steps": [{"name": "work", "run": script}]}}
    return json.dumps({"on": "workflow_dispatch", "jobs": jobs})


def memory_of(installation: Installation) -> int:
    """Return the bytes that the server and its embedded worker take."""
    return sum(proportional_memory(process) for process in descendants(installation.server_pid))


def stamp_of(file: Path, started: float) -> float:
    """Wait for the time that `STAMP` writes and return the seconds since `started`; removes the file."""
    wait_until(lambda: file.exists() and file.read_text("ascii").endswith("\n"))
    stamp = float(file.read_text("ascii"))
    file.unlink()
    return stamp - started


def stamping(file: Path) -> str:
    """Return a script that writes the time, in seconds since 1970, to a file."""
    return f"date +%s.%N > {file}"


def wait_until(condition: Callable[[], object], *, seconds: float = 120) -> None:
    """Look every 2 ms until `condition` is so.

    Raises:
        TimeoutError: it was not within `seconds`.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("a benchmark waited in vain")
        time.sleep(0.002)


def missing(ids: dict[str, str], why: str) -> list[Missing]:
    """Return a row that says why for each benchmark: its id and what it would have measured."""
    return [Missing(id=key, what=what, why=why) for key, what in ids.items()]
