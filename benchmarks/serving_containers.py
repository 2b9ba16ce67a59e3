"""P3: from a trigger to the first line of a cold container job, and how many such jobs a second.

The floor is the engine itself making and starting a container with the very options that Pawl's had,
taken from one of its containers while it ran: it joins a network name space that is there, as Pawl's does
from the second job of a slot on. What the engine takes with a network of its own is stated beside it. The
peer is `docker run`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
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
KEPT = "a network name space that is kept"
LABELLED = ["docker", "ps", "-q", "--no-trunc", "--filter", "label=pawl.role=job"]
PEER = ["docker", "run", "--rm", IMAGE, "echo", "hello"]


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    if not has_engine():
        return [*missing(SHOWN, f"no engine with {IMAGE} at DOCKER_HOST")]
    with served(slots=SLOTS, executor="docker") as pawl:
        (pawl.folder / "pawl.toml").write_text(f'[labels]\n{LABEL} = "{IMAGE}"\n', "utf-8")
        pawl.start_server()
        _seconds_for_runs(pawl)  # leaves a network holder for each slot
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
    kept = network.startswith("container:")
    return options | {"Binds": [], "Mounts": [], "NetworkMode": KEPT if kept else OWN_NETWORK}


def _with_network(options: dict[str, Any], network: str) -> dict[str, Any]:
    return options | {"HostConfig": options["HostConfig"] | {"NetworkMode": network}}


def _containers() -> list[str]:
    shown = subprocess.run(LABELLED, check=True, capture_output=True, text=True)
    return shown.stdout.split()


def _first_line(pawl: Installation, options: dict[str, Any]) -> Row:
    workflow = one_step("echo hello", label=LABEL)
    own_network = _with_network(options, OWN_NETWORK)
    ours: list[float] = []
    floor: list[float] = []
    apart: list[float] = []
    peer: list[float] = []
    for turn in range(TURNS + 1):
        samples = (
            _seconds_to_line(pawl, workflow),
            asyncio.run(_engine_itself(options, 1)),
            asyncio.run(_engine_itself(own_network, 1)),
            _docker_run(),
        )
        if turn:
            for kept, sample in zip((ours, floor, apart, peer), samples, strict=True):
                kept.append(sample)
    taken, engine, beside = milliseconds(ours), milliseconds(floor), milliseconds(peer)
    network = options["HostConfig"]["NetworkMode"]
    return Row(
        id="P3",
        what=SHOWN["P3"],
        pawl=taken,
        floor=(f"the engine's own create and start of the same options, in {network}", engine),
        peer=("docker run --rm, whole", beside),
        target=f"1.1 x the engine's; with {OWN_NETWORK} it takes {milliseconds(apart)};"
        f" Laminar with docker run: {STATED['container']}",
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
    """Return the seconds that `count` containers took to be made and started.

    Of one, its removal is not counted; of several it is, their networks are not where they are kept.
    """
    async with aiodocker.Docker() as engine, AsyncExitStack() as stack:
        if options["HostConfig"]["NetworkMode"] == OWN_NETWORK:
            places = [options] * at_once
        else:
            places = [(await stack.enter_async_context(_network(engine, options)))[0] for _ in range(at_once)]
        left = iter(range(count))
        taken = 0.0

        async def slot(wanted: dict[str, Any]) -> None:
            nonlocal taken
            for _ in left:
                taken += await _one(engine, wanted)

        began = time.perf_counter()
        await asyncio.gather(*map(slot, places))
        return taken if count == 1 else time.perf_counter() - began


async def _one(engine: aiodocker.Docker, options: dict[str, Any]) -> float:
    """Return the seconds of one container's making and starting, its network's too where it has its own."""
    async with AsyncExitStack() as stack:
        seconds = 0.0
        if options["HostConfig"]["NetworkMode"] == OWN_NETWORK:
            options, seconds = await stack.enter_async_context(_network(engine, options))
        began = time.perf_counter()
        container = await engine.containers.create(options)
        await container.start()
        seconds += time.perf_counter() - began
        with suppress(aiodocker.DockerError):
            await container.delete(force=True)
    return seconds


@asynccontextmanager
async def _network(
    engine: aiodocker.Docker, options: dict[str, Any]
) -> AsyncIterator[tuple[dict[str, Any], float]]:
    """Yield the options with a network, and what its making took where Pawl would have waited for it."""
    began = time.perf_counter()
    network = await engine.networks.create({"Name": f"pawl-bench-{secrets.token_hex(4)}"})
    seconds = time.perf_counter() - began
    try:
        if options["HostConfig"]["NetworkMode"] == OWN_NETWORK:
            yield _with_network(options, network.id), seconds
            return
        waits: dict[str, Any] = {
            "Image": IMAGE,
            "Cmd": ["sleep", "1000"],
            "HostConfig": {"NetworkMode": network.id},
        }
        holder = await engine.containers.create(waits)
        try:
            await holder.start()
            yield _with_network(options, f"container:{holder.id}"), 0.0
        finally:
            await holder.delete(force=True)
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
        target="twice docker run",
        meets=speed.median >= 2 * beside.median,
    )


def _seconds_for_runs(pawl: Installation) -> float:
    workflow = one_step("true", label=LABEL)
    began = time.perf_counter()
    runs = [pawl.api.trigger(workflow) for _ in range(RUNS)]
    for run in reversed(runs):
        pawl.wait_for_end(run)
    return time.perf_counter() - began
