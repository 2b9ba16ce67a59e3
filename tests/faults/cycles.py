"""Kills server and workers at random moments under load, then looks whether anything was lost or doubled.

`python -m tests.faults.cycles --cycles 100` does it by hand, in containers with `--executor docker`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pawl.adapters.executor_docker import DockerExecutor
from tests.faults.installation import Installation, installation
from tests.faults.processes import processes_of, until
from tests.faults.work import assert_counted
from tests.simulation.check import check_database

WORKFLOW = """\
on: workflow_dispatch
jobs:
  first:
    runs-on: {label}
    steps: [{{run: {script}}}]
  second:
    runs-on: {label}
    needs: first
    steps: [{{run: {script}}}]
"""
SCRIPT = """\
{mark}
i=0
for line in 1 2 3 4 5 6 7 8 9 10; do
  i=$((i + 1)); echo "line $i"; sleep 0.05
done
echo "last $i"
"""
JOBS = ("first", "second")
AT_ONCE = 4
IMAGE = "pawl/busybox:test"
LABELS = {"host": "self-hosted", "docker": "ubuntu-latest"}


@dataclass(frozen=True, kw_only=True)
class Survived:
    """What a number of cycles came to."""

    runs: int
    attempts: int


class Load:
    """Keeps some runs going, from a thread of its own, while servers come and go."""

    def __init__(self, pawl: Installation, workflow: str) -> None:
        """Take whose server and what to run."""
        self.runs: list[int] = []
        self.ended = 0
        self._pawl = pawl
        self._workflow = workflow
        self._ending = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin to trigger runs."""
        self._thread.start()

    def end(self) -> None:
        """Trigger no more; raise what went wrong meanwhile."""
        self._ending.set()
        self._thread.join(timeout=180)
        if self._failed is not None:
            raise self._failed

    def wait_for_an_end(self) -> None:
        """Wait until one more run than now has ended, so that kills do not keep all from ever ending."""
        wanted = self.ended + 1
        until(lambda: self.ended >= wanted or self._failed, "the end of a run under load")

    def _work(self) -> None:
        going: list[int] = []
        try:
            while not self._ending.is_set():
                going = [run for run in going if self._pawl.api.run(run)["status"] != "completed"]
                self.ended = len(self.runs) - len(going)
                if len(going) < AT_ONCE:
                    going.append(self._pawl.api.trigger(self._workflow))
                    self.runs.append(going[-1])
                else:
                    self._ending.wait(0.1)
        except Exception as error:  # noqa: BLE001 - told by `end`, in the thread of the test
            self._failed = error


@contextmanager
def _load(pawl: Installation, workflow: str) -> Iterator[Load]:
    load = Load(pawl, workflow)
    load.start()
    try:
        yield load
    finally:
        load.end()


def kill_and_check(
    folder: Path,
    *,
    cycles: int,
    seed: int,
    executor: str = "host",
    say: Callable[[str], None] = lambda _line: None,
) -> Survived:
    """Kill something so many times under load; return what was survived.

    Raises:
        AssertionError: something was lost, doubled or left behind.
    """
    chance = random.Random(seed)  # noqa: S311 - moments and victims to be repeated, no secrets
    mark = f"echo $GITHUB_JOB >> {folder}/$GITHUB_RUN_ID.starts" if executor == "host" else "true"
    workflow = WORKFLOW.format(label=LABELS[executor], script=json.dumps(SCRIPT.format(mark=mark)))
    if executor == "docker":
        (folder / "pawl.toml").write_text(f'[labels]\n{LABELS[executor]} = "{IMAGE}"\n', "utf-8")
    with installation(folder, executor=executor) as pawl:
        pawl.start_worker("far")
        with _load(pawl, workflow) as load:
            for cycle in range(cycles):
                time.sleep(chance.uniform(0.1, 1.5))
                victims = chance.choice((["server"], ["embedded"], ["far"], ["server", "embedded", "far"]))
                say(f"{cycle + 1}: {', '.join(victims)}, {len(load.runs)} runs so far")
                _kill(pawl, victims)
                if cycle % 5 == 4:
                    load.wait_for_an_end()
        attempts = sum(_check_run(pawl, run) for run in load.runs)
        assert pawl.stop_worker("far") == 0
        assert pawl.stop_server() == 0
        until(lambda: not processes_of(folder), "the end of all processes", seconds=60)
        check_database(pawl.data)
        if executor == "docker":
            left = left_by(folder)
            assert not left, left
        return Survived(runs=len(load.runs), attempts=attempts)


def _kill(pawl: Installation, victims: list[str]) -> None:
    """Kill and start again; the embedded worker is started by its server."""
    if "embedded" in victims:
        pawl.kill_embedded_worker()
    if "far" in victims:
        pawl.kill_worker("far")
    if "server" in victims:
        pawl.kill_server()
        pawl.start_server()
    if "far" in victims:
        pawl.start_worker("far")


def _check_run(pawl: Installation, run: int) -> int:
    """Check that a run succeeded with whole logs and return how many attempts that took."""
    ended = pawl.wait_for_end(run)
    assert ended["conclusion"] == "success", ended
    attempts = pawl.api.attempts(run)
    for job in JOBS:
        own = [attempt for attempt in attempts if attempt["job"] == job]
        assert [attempt["attempt"] for attempt in own] == list(range(1, len(own) + 1)), own
        assert [attempt["conclusion"] for attempt in own].count("success") == 1, own
        assert_counted(pawl.api.log_lines(run, job=job, attempt=len(own)))
    starts = pawl.folder / f"{run}.starts"
    if starts.exists():
        started = starts.read_text("ascii").split()
        assert {*started} == {*JOBS}
        assert len(started) <= len(attempts), (started, attempts)
    return len(attempts)


def left_by(folder: Path) -> tuple[str, ...]:
    """Return what workers below a folder have on the engine, which others may use too; a line each."""
    identities = [lock.read_text("ascii") for lock in folder.rglob("worker.lock")]
    assert identities
    assert all(identities)
    mine = tuple(f"pawlw1/{identity}/" for identity in identities)

    async def look() -> tuple[str, ...]:
        executor = DockerExecutor()
        try:
            return await executor.sweep(lambda owner: not owner.startswith(mine), dry_run=True)
        finally:
            await executor.aclose()

    return asyncio.run(look())


def main() -> None:
    """Run the cycles that the command line asks for, in a folder that is removed when all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--executor", choices=sorted(LABELS), default="host")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pawl-cycles-"))
    print(f"below {folder}")
    began = time.monotonic()
    survived = kill_and_check(
        folder, cycles=options.cycles, seed=options.seed, executor=options.executor, say=print
    )
    retried = survived.attempts - survived.runs * len(JOBS)
    print(
        f"{options.cycles} cycles in {time.monotonic() - began:.0f} s: {survived.runs} runs ended whole,"
        f" {retried} jobs needed another attempt"
    )
    subprocess.run(["rm", "-rf", folder], check=True)


if __name__ == "__main__":
    main()
