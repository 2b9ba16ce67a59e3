"""P3: from a trigger to the first line of a cold container job, and how many such jobs a second.

The floor is the engine itself making and starting a container with the very options that Pawl's had,
taken from one of its containers while it ran; the peer is `docker run`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiodocker

from benchmarks.measure import Missing, Row, figure, milliseconds
from benchmarks.peers.laminar import STATED
from benchmarks.project import IMAGE, has_engine
from benchmarks.server import missing, one_step, served, wait_until
from tests.faults.installation import Installation

TURNS = 7
RUNS = 16
SLOTS = 4
LABEL = "ubuntu-latest"
SHOWN = {"P3": "trigger to first line, container job, cold"}
OWN_NETWORK = "a network of its own"
PEER = ["docker", "run", "--rm", IMAGE, "echo", "hello"]


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    if not has_engine():
        return [*missing(SHOWN, f"no engine with {IMAGE} at DOCKER_HOST")]
    with served(slots=SLOTS, executor="docker") as pawl:
        (pawl.folder / "pawl.toml").write_text(f'[labels]\n{LABEL} = "{IMAGE}"\n', "utf-8")
        pawl.start_server()
        options = _options_of_a_container(pawl)
        return [_first_line(pawl, options), _rate(pawl, options)]


def _options_of_a_container(pawl: Installation) -> dict[str, Any]:
    """Return what the engine was asked for, for a container of Pawl's, as a request to make another."""
    before = set(_containers())
    run = pawl.api.trigger(one_step("echo hello; sleep 3", label=LABEL))
    wait_until(lambda: set(_containers()) - before and pawl.api.log_lines(run))
    (container, *_) = set(_containers()) - before
    shown = subprocess.run(["docker", "inspect", container], check=True, capture_output=True, text=True)
    facts = json.loads(shown.stdout)[0]
    pawl.wait_for_end(run)
    kept = {key: value for key, value in facts["Config"].items() if key not in {"Hostname", "Labels"}}
    return kept | {"HostConfig": _without_folders(facts["HostConfig"])}


def _without_folders(options: dict[str, Any]) -> dict[str, Any]:
    """Return options of a host without the job's own folders and network, which are gone by then."""
    network = options.get("NetworkMode") or "none"
    own = network not in {"none", "host", "bridge", "default"}
    return options | {"Binds": [], "Mounts": [], "NetworkMode": OWN_NETWORK if own else network}


def _containers() -> list[str]:
    shown = subprocess.run(["docker", "ps", "-q", "--no-trunc"], check=True, capture_output=True, text=True)
    return shown.stdout.split()


def _first_line(pawl: Installation, options: dict[str, Any]) -> Row:
    workflow = one_step("echo hello", label=LABEL)
    ours: list[float] = []
    floor: list[float] = []
    peer: list[float] = []
    for turn in range(TURNS + 1):
        samples = _seconds_to_line(pawl, workflow), asyncio.run(_engine_itself(options, 1)), _docker_run()
        if turn:
            for kept, sample in zip((ours, floor, peer), samples, strict=True):
                kept.append(sample)
    taken, engine, beside = milliseconds(ours), milliseconds(floor), milliseconds(peer)
    return Row(
        id="P3",
        what=SHOWN["P3"],
        pawl=taken,
        floor=("the engine's own create and start of the same options, its network too", engine),
        peer=("docker run --rm, whole", beside),
        target=f"1.1 x the engine's; Laminar with docker run: {STATED['container']}",
        meets=taken.median <= engine.median * 1.1,
    )


def _seconds_to_line(pawl: Installation, workflow: str) -> float:
    """Return the seconds from the trigger until a reader of the log has the line."""
    began = time.perf_counter()
    run = pawl.api.trigger(workflow)
    pawl.api.first_line(run, "hello")
    taken = time.perf_counter() - began
    pawl.wait_for_end(run)
    return taken


def _docker_run() -> float:
    began = time.perf_counter()
    subprocess.run(PEER, check=True, capture_output=True)
    return time.perf_counter() - began


async def _engine_itself(options: dict[str, Any], count: int, *, at_once: int = 1) -> float:
    """Return the seconds that `count` containers took to be made and started; removed uncounted when one."""
    taken = 0.0
    slots = asyncio.Semaphore(at_once)
    async with aiodocker.Docker() as engine:

        async def one() -> None:
            nonlocal taken
            async with slots, _network(engine, options) as (wanted, network_seconds):
                began = time.perf_counter()
                container = await engine.containers.create(wanted)
                await container.start()
                taken += time.perf_counter() - began + network_seconds
                with suppress(aiodocker.DockerError):
                    await container.delete(force=True)

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        return taken if count == 1 else time.perf_counter() - began


@asynccontextmanager
async def _network(
    engine: aiodocker.Docker, options: dict[str, Any]
) -> AsyncIterator[tuple[dict[str, Any], float]]:
    """Yield the options with a network of the container's own, where Pawl's had one, and what that took."""
    host = options["HostConfig"]
    if host["NetworkMode"] != OWN_NETWORK:
        yield options, 0.0
        return
    began = time.perf_counter()
    network = await engine.networks.create({"Name": f"pawl-bench-{secrets.token_hex(4)}"})
    seconds = time.perf_counter() - began
    try:
        yield options | {"HostConfig": host | {"NetworkMode": network.id}}, seconds
    finally:
        await network.delete()


def _rate(pawl: Installation, options: dict[str, Any]) -> Row:
    ours, floor, peer = [], [], []
    for _ in range(3):
        ours.append(RUNS / _seconds_for_runs(pawl))
        floor.append(RUNS / asyncio.run(_engine_itself(options, RUNS, at_once=SLOTS)))
        began = time.perf_counter()
        with ThreadPoolExecutor(SLOTS) as threads:
            list(threads.map(lambda _: _docker_run(), range(RUNS)))
        peer.append(RUNS / (time.perf_counter() - began))
    speed, beside = figure(ours, "/s"), figure(peer, "/s")
    return Row(
        id="P3",
        what=f"container jobs a second, {SLOTS} slots, cold",
        pawl=speed,
        floor=("the engine's create, start and remove", figure(floor, "/s")),
        peer=(f"docker run --rm, {SLOTS} at once", beside),
        target="stated beside the engine's own rate",
        meets=None,
    )


def _seconds_for_runs(pawl: Installation) -> float:
    workflow = one_step("true", label=LABEL)
    began = time.perf_counter()
    runs = [pawl.api.trigger(workflow) for _ in range(RUNS)]
    for run in reversed(runs):
        pawl.wait_for_end(run)
    return time.perf_counter() - began
