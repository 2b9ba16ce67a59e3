"""P1, P2, P13, P14: what `pawl serve` takes for a run on the host, to start and to idle, beside Buildbot."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Figure, Missing, Row, figure, milliseconds
from benchmarks.peers.buildbot import Buildbot, buildbot
from benchmarks.peers.laminar import STATED
from benchmarks.server import memory_of, one_step, served, stamp_of, stamping, wait_until
from tests.faults.installation import Installation, free_port

TURNS = 15
RUNS = 60
BUILDS = 12
SLOTS = 4


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    with served(slots=SLOTS) as pawl:
        ready = [_seconds_to_ready(pawl) for _ in range(5)]
        pawl.start_server()
        file = pawl.folder / "stamp"
        with _peer(file) as peer:
            rows = [_step_start(pawl, peer, file), _throughput(pawl, peer)]
            time.sleep(2)
            memory = figure([memory_of(pawl) / 1e6], "MB")
            return [*rows, _ready(ready, peer), _memory(memory, peer)]


@contextmanager
def _peer(file: Path) -> Iterator[Buildbot | None]:
    """Yield a Buildbot that stamps `file`; None where there is no package index."""
    try:
        with buildbot(["sh", "-c", stamping(file)], (free_port(), free_port())) as peer:
            yield peer
    except subprocess.SubprocessError:
        yield None


def _step_start(pawl: Installation, peer: Buildbot | None, file: Path) -> Row:
    workflow = one_step(stamping(file))
    ours: list[float] = []
    theirs: list[float] = []
    floor: list[float] = []
    for turn in range(TURNS + 1):
        samples = [
            (ours, _stamped(file, lambda: pawl.wait_for_end(pawl.api.trigger(workflow)))),
            (floor, _stamped(file, lambda: subprocess.run(["sh", "-c", stamping(file)], check=True))),
        ]
        if peer:
            samples.append((theirs, _stamped(file, lambda: _build(peer))))
        for kept, sample in samples if turn else []:
            kept.append(sample)
    taken, beside = milliseconds(ours), milliseconds(theirs) if theirs else None
    return Row(
        id="P1",
        what="trigger to step start, host executor, everything durable",
        pawl=taken,
        floor=("sh -c of the same", milliseconds(floor)),
        peer=_named("Buildbot", beside),
        target=f"15 times faster than Buildbot; no slower than Laminar ({STATED['start']})",
        meets=taken.median * 15 <= beside.median if beside else None,
    )


def _stamped(file: Path, work: Callable[[], object]) -> float:
    """Return the seconds from now to the time that `work` has written to the file."""
    began = time.time()
    work()
    return stamp_of(file, began)


def _build(peer: Buildbot) -> None:
    before = len(peer.completed())
    peer.trigger()
    wait_until(lambda: len(peer.completed()) > before)


def _throughput(pawl: Installation, peer: Buildbot | None) -> Row:
    workflow = one_step("true")
    speed = figure([_runs_a_second(pawl, workflow) for _ in range(3)], "/s")
    theirs = _builds_a_second(peer) if peer else None
    return Row(
        id="P2",
        what=f"no-op runs a second, host executor, {SLOTS} slots, durable",
        pawl=speed,
        peer=_named("Buildbot", theirs),
        target=f"45 times Buildbot; more than Laminar ({STATED['rate']})",
        meets=speed.median >= theirs.median * 45 if theirs else None,
    )


def _runs_a_second(pawl: Installation, workflow: str) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(SLOTS) as threads:
        runs = list(threads.map(lambda _: pawl.api.trigger(workflow), range(RUNS)))
    pawl.wait_for_end(max(runs))
    wait_until(lambda: _completed(pawl) >= set(runs))  # those beside it may end a little later
    return RUNS / (time.perf_counter() - began)


def _completed(pawl: Installation) -> set[int]:
    """Return which of the last runs are completed, by one request: asking for each would slow the server."""
    listed = pawl.api.get(f"/api/runs?limit={RUNS}")["runs"]
    return {int(run["id"]) for run in listed if run["status"] == "completed"}


def _builds_a_second(peer: Buildbot) -> Figure:
    before = len(peer.completed())
    began = time.perf_counter()
    for _ in range(BUILDS):
        peer.trigger()
    wait_until(lambda: len(peer.completed()) >= before + BUILDS)
    return figure([BUILDS / (time.perf_counter() - began)], "/s")


def _seconds_to_ready(pawl: Installation) -> float:
    began = time.perf_counter()
    pawl.start_server()
    taken = time.perf_counter() - began
    pawl.stop_server()
    return taken


def _ready(samples: list[float], peer: Buildbot | None) -> Row:
    taken = milliseconds(samples)
    beside = milliseconds([peer.ready_after]) if peer else None
    return Row(
        id="P13",
        what="`pawl serve` ready",
        pawl=taken,
        peer=_named("Buildbot", beside),
        target="1 s",
        meets=taken.median < 1000,
    )


def _memory(ours: Figure, peer: Buildbot | None) -> Row:
    return Row(
        id="P14",
        what="idle memory (PSS) of server and embedded worker, after work",
        pawl=ours,
        peer=_named("Buildbot", figure([peer.memory() / 1e6], "MB") if peer else None),
        target="120 MB",
        meets=ours.median < 120,
    )


def _named(name: str, measured: Figure | None) -> tuple[str, Figure] | None:
    return (name, measured) if measured else None
