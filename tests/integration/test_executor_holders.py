"""Jobs that join a network name space which is kept: what one job does there is nothing to the next."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pawl.adapters.executor_docker import DockerExecutor, Holders
from pawl.adapters.executor_docker.holder_image import NAME, PROGRAM
from pawl.adapters.executor_docker.keeping import Keeper
from pawl.adapters.executor_docker.naming import labels
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import (
    ContainerOptions,
    ImageRef,
    PortMapping,
    ProcessSpec,
    Sandbox,
    SandboxSpec,
    ServiceSpec,
)

pytestmark = pytest.mark.engine

IMAGE = ImageRef(name="pawl/busybox:test")
OWNER = f"pawl1/test-holders-{os.getpid()}/x/x/1/1"
SERVE = "nc -l -p 8080 -e echo hello & while ! netstat -ltn | grep -q :8080; do :; done; wait"
_numbers = itertools.count()


class Worker:
    """A worker's executor and those of its jobs' processes, which share a folder of holders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.holding = f"pawlw1/test-{os.getpid()}-{next(_numbers)}/holders"
        self.executor = DockerExecutor(holders=self.its_holders(), memory=root / "engine.json", tends=True)
        self.jobs: dict[Sandbox, DockerExecutor] = {}

    def its_holders(self) -> Holders:
        return Holders(self.root / "holders", self.holding)

    async def open(self, **changes: object) -> Sandbox:
        name = f"holders-{os.getpid()}-{next(_numbers)}"
        for sub in ("temp", "files", "actions", "workspace"):
            (self.root / name / sub).mkdir(parents=True)
        values = {"name": name, "owner": OWNER, "folder": self.root / name, "image": IMAGE}
        job = DockerExecutor(holders=self.its_holders(), memory=self.root / "engine.json")
        spec = SandboxSpec(**{**values, **changes})  # type: ignore[arg-type]  # test data
        sandbox = await job.open(spec, lambda _: None)
        self.jobs[sandbox] = job
        return sandbox

    async def close(self, sandbox: Sandbox) -> None:
        """Close a sandbox, and see to the end what nobody waits for."""
        await sandbox.close()
        await self.jobs.pop(sandbox).aclose()

    async def close_all(self) -> None:
        for sandbox in list(self.jobs):
            await self.close(sandbox)

    async def warm_up(self) -> None:
        """Run a job that finds no holder: it leaves one."""
        await self.close(await self.open())

    def die(self) -> None:
        """Be gone without a word, as a worker that was killed: the system takes its lock."""
        self.its_keeper().end()

    def its_keeper(self) -> Keeper:
        tending = self.executor._tending
        assert tending is not None
        return tending._holders.keeper

    async def start_again_as_if_killed(self) -> None:
        self.die()
        self.its_keeper().begin()

    async def inspect(self, identity: str) -> Mapping[str, Any]:
        return (await self.executor._client().containers.get(identity))._container

    async def holders(self) -> set[str]:
        """Return the ids of the holders on the engine."""
        label = json.dumps({"label": [f"pawl.owner={self.holding}", "pawl.role=holder"]})
        return {one.id for one in await self.executor._client().containers.list(filters=label)}

    async def joined(self, sandbox: Sandbox) -> str:
        """Return the id of the holder that a job is in; empty when it has a network of its own."""
        mode = (await self.inspect(sandbox.identity["id"]))["HostConfig"]["NetworkMode"]
        return str(mode).removeprefix("container:") if str(mode).startswith("container:") else ""

    async def until_held(self, wanted: set[str]) -> None:
        async with asyncio.timeout(60):
            while await self.holders() != wanted:
                pass

    def files(self) -> list[Path]:
        return sorted((self.root / "holders").glob("*.json"))


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    made = Worker(tmp_path)
    try:
        await made.executor.probe()
    except InfrastructureError as error:
        await made.executor.aclose()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    yield made
    await made.close_all()
    await made.executor.aclose()
    assert await made.holders() == set()
    assert made.files() == []
    await made.executor.aclose()


async def sh(sandbox: Sandbox, script: str) -> str:
    """Return what a script in a sandbox prints, errors and all."""
    process = await sandbox.run(
        ProcessSpec(id=f"p{next(_numbers)}", argv=["sh", "-c", f"exec 2>&1\n{script}"])
    )
    await asyncio.wait_for(process.wait(), 60)
    return process.stdout.read_text()


async def address(sandbox: Sandbox) -> str:
    return (await sh(sandbox, "hostname -i")).split()[-1]


async def test_jobs_join_what_the_first_one_leaves(worker: Worker) -> None:
    first = await worker.open()
    assert (await worker.joined(first), await worker.holders()) == ("", set())
    await worker.close(first)
    (holder,) = await worker.holders()
    for _ in range(2):
        sandbox = await worker.open()
        assert await worker.joined(sandbox) == holder
        assert "hello" in await sh(sandbox, "echo hello")
        await worker.close(sandbox)
    assert await worker.holders() == {holder}


async def test_names_resolve_and_the_outside_is_reached_as_in_a_network_of_its_own(worker: Worker) -> None:
    own = await worker.open()
    told = "cat /etc/resolv.conf; sed 's/^[0-9.]*\\t[0-9a-f]*$/IT/' /etc/hosts; ip route | cut -d' ' -f1,2,4-"
    wanted = (await sh(own, told)).splitlines()
    await worker.close(own)
    joined = await worker.open()
    assert await worker.joined(joined)
    found = (await sh(joined, told)).splitlines()
    assert [line for line in found if "/" not in line] == [line for line in wanted if "/" not in line]
    assert await sh(joined, "cat /etc/hostname") == await sh(joined, "hostname")
    shown = await worker.inspect(await worker.joined(joined))
    (network,) = shown["NetworkSettings"]["Networks"].values()
    assert await address(joined) == network["IPAddress"]
    await worker.close(joined)


async def test_two_jobs_at_once_reach_neither_each_others_localhost_nor_address(worker: Worker) -> None:
    await worker.warm_up()
    one, own = await worker.open(), await worker.open()
    await worker.close(own)
    other = await worker.open()
    assert len({await worker.joined(one), await worker.joined(other), ""}) == 3
    serving = await one.run(ProcessSpec(id="serve", argv=["sh", "-c", SERVE]))
    here = await address(one)
    until = "until netstat -ltn | grep -q :8080; do :; done"
    assert await sh(one, f"{until}; nc -w5 {here} 8080") == "hello\n"
    again = await one.run(ProcessSpec(id="serve-again", argv=["sh", "-c", SERVE]))
    await sh(one, until)
    for place in ("localhost", here):
        assert "hello" not in await sh(other, f"nc -w2 {place} 8080; echo $?")
    assert await sh(one, f"nc -w5 {here} 8080") == "hello\n"
    assert (await serving.wait()).code == (await again.wait()).code == 0
    await worker.close(one)
    await worker.close(other)


async def test_nothing_of_a_job_that_used_its_network_is_found_by_the_next(worker: Worker) -> None:
    await worker.warm_up()
    first = await worker.open()
    holder = await worker.joined(first)
    before = (await worker.inspect(holder))["State"]["Pid"]
    await first.run(ProcessSpec(id="serve", argv=["sh", "-c", SERVE]))
    until = "until netstat -ltn | grep -q :8080; do :; done"
    assert await sh(first, f"{until}; nc -w5 127.0.0.1 8080") == "hello\n"
    await first.run(ProcessSpec(id="listen", argv=["nc", "-l", "-p", "8081"]))
    await first.run(ProcessSpec(id="stay", argv=["sleep", "1000"]))
    look = "netstat -an 2>/dev/null | grep :808; cat /proc/net/nf_conntrack | grep =808; echo end"
    assert ":808" in await sh(first, look)
    await worker.close(first)

    second = await worker.open()
    assert await worker.joined(second) == holder
    assert (await worker.inspect(holder))["State"]["Pid"] != before
    assert (await sh(second, look)).endswith("end\n")
    assert ":808" not in await sh(second, look)
    assert "=808" not in await sh(second, look)
    assert "sleep 1000" not in await sh(second, "ps")
    assert "OutRequests\n0\n" in await sh(
        second, "awk '/^Ip:/ {for (i=1; i<=NF; i++) if ($i ~ /OutRequests/) n=i; print $n}' /proc/net/snmp"
    )
    await worker.close(second)


async def test_a_name_space_nothing_was_sent_in_is_kept_and_its_listeners_are_gone(worker: Worker) -> None:
    await worker.warm_up()
    first = await worker.open()
    holder = await worker.joined(first)
    before = (await worker.inspect(holder))["State"]["Pid"]
    await first.run(ProcessSpec(id="listen", argv=["nc", "-l", "-p", "8081"]))
    await sh(first, "until netstat -ltn | grep -q :8081; do :; done")
    await worker.close(first)
    second = await worker.open()
    assert await worker.joined(second) == holder
    assert (await worker.inspect(holder))["State"]["Pid"] == before
    assert ":8081" not in await sh(second, "netstat -ltn")
    await worker.close(second)


async def test_what_a_job_writes_into_etc_is_its_own(worker: Worker) -> None:
    await worker.warm_up()
    first = await worker.open()
    assert await worker.joined(first)
    files = "/etc/hosts /etc/resolv.conf /etc/hostname"
    assert (
        await sh(
            first, f"for f in {files}; do echo '6.6.6.6 example.test' >>$f; done; grep -c 6.6 /etc/hosts"
        )
        == "1\n"
    )
    await worker.close(first)
    second = await worker.open()
    assert await worker.joined(second)
    assert "6.6.6.6" not in await sh(second, f"cat {files}")
    await worker.close(second)


async def test_a_job_cannot_change_the_name_space_it_joined(worker: Worker) -> None:
    await worker.warm_up()
    sandbox = await worker.open()
    assert await worker.joined(sandbox)
    for change in (
        "ip addr add 10.9.9.9/24 dev eth0",
        "ip link set lo down",
        "ip route add 10.9.9.0/24 via 127.0.0.1",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
        "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
        "hostname other",
        "unshare -Urn true",
    ):
        assert await sh(sandbox, f"({change}) >/dev/null && echo changed; echo end") != "changed\nend\n", (
            change
        )
    assert "10.9.9" not in await sh(sandbox, "ip addr; ip route")
    await worker.close(sandbox)


@pytest.mark.parametrize(
    "changes",
    [
        {"services": (ServiceSpec(name="db", image=IMAGE, command="sleep 60"),)},
        {"ports": (PortMapping(container=8080),)},
        {"network": "none"},
        {"options": ContainerOptions(hostname="own")},
        {"options": ContainerOptions(network_aliases=("own",))},
        {"options": ContainerOptions(extra_hosts=("own:127.0.0.1",))},
    ],
)
async def test_a_job_that_needs_a_name_space_of_its_own_has_one(
    worker: Worker, changes: dict[str, object]
) -> None:
    await worker.warm_up()
    sandbox = await worker.open(**changes)
    assert await worker.joined(sandbox) == ""
    await worker.close(sandbox)


async def test_an_action_in_a_container_of_its_own_has_the_jobs_network_and_names(worker: Worker) -> None:
    await worker.warm_up()
    sandbox = await worker.open()
    assert await worker.joined(sandbox)
    here = await sh(sandbox, "echo '127.0.0.7 mine' >>/etc/hosts; cat /etc/hosts; hostname -i")
    process = await sandbox.run(
        ProcessSpec(
            id="action", image=IMAGE, argv=["-c", "cat /etc/hosts; hostname -i"], entrypoint="/bin/sh"
        )
    )
    assert (await process.wait()).code == 0
    assert process.stdout.read_text() == here
    await worker.close(sandbox)


async def test_a_holder_may_do_less_than_any_job(worker: Worker) -> None:
    await worker.warm_up()
    (holder,) = await worker.holders()
    shown = await worker.inspect(holder)
    host, config = shown["HostConfig"], shown["Config"]
    assert (config["Entrypoint"], config["User"]) == ([PROGRAM], "65534:65534")
    assert (host["CapDrop"], host["CapAdd"] or []) == (["ALL"], [])
    assert (host["ReadonlyRootfs"], host["PidsLimit"], host["Privileged"]) == (True, 1, False)
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert not host.get("Mounts")


async def test_a_holder_that_has_ended_is_replaced_and_the_job_runs(worker: Worker) -> None:
    await worker.warm_up()
    (holder,) = await worker.holders()
    await worker.executor._client().containers.container(holder).kill()
    sandbox = await worker.open()
    assert await sh(sandbox, "echo runs") == "runs\n"
    assert await worker.joined(sandbox) == ""
    await worker.close(sandbox)
    assert len(await worker.holders() - {holder}) == 1
    assert len(worker.files()) == 1


async def test_a_program_of_another_is_never_a_holder(worker: Worker) -> None:
    docker = worker.executor._client()
    await docker.images.tag(IMAGE.name, repo=NAME.partition(":")[0], tag=NAME.partition(":")[2])
    await worker.warm_up()
    (holder,) = await worker.holders()
    assert (await worker.inspect(holder))["Image"] != (await docker.images.inspect(IMAGE.name))["Id"]
    assert (await worker.inspect(holder))["Path"] == PROGRAM


async def test_a_sweep_spares_the_holder_of_a_job_and_removes_one_whose_process_was_killed(
    worker: Worker,
) -> None:
    await worker.warm_up()
    sandbox = await worker.open()
    holder = await worker.joined(sandbox)
    # As a worker that has just started sweeps: what it held before is dead, this job is not.
    assert await worker.executor.sweep(lambda owner: owner == OWNER or owner != worker.holding) == ()
    assert await worker.holders() == {holder}
    assert await sh(sandbox, "echo still here") == "still here\n"

    # What a killed process leaves: its lock is gone, its container runs on.
    sandbox._it.place.holder.file.release()  # type: ignore[attr-defined]  # the adapter's own
    swept = await worker.executor.sweep(lambda owner: owner != OWNER)
    assert any("holders-" in line for line in swept)
    assert await worker.holders() == set()
    assert worker.files() == []


async def test_a_worker_that_starts_removes_what_one_before_it_held(worker: Worker) -> None:
    await worker.warm_up()
    assert len(await worker.holders()) == 1
    await worker.start_again_as_if_killed()
    swept = await worker.executor.sweep(lambda owner: owner != worker.holding)
    assert sorted(line.split()[0] for line in swept) == ["container", "network"]
    assert await worker.holders() == set()


async def test_a_later_sweep_spares_what_jobs_may_join_and_removes_what_failed_removals_left(
    worker: Worker,
) -> None:
    await worker.warm_up()
    (holder,) = await worker.holders()
    left = f"holder-{os.getpid()}-left"
    config: dict[str, Any] = {"Image": IMAGE.name, "Labels": labels(left, worker.holding, "holder")}
    await worker.executor._client().containers.create(config, name=f"pawl-{left}")
    swept = await worker.executor.sweep(lambda owner: owner != worker.holding)
    assert swept == (f"container pawl-{left} (holder)",)
    sandbox = await worker.open()
    assert await worker.joined(sandbox) == holder
    await worker.close(sandbox)


async def test_holders_go_once_a_worker_takes_no_more_jobs_and_a_job_that_runs_takes_its_own_along(
    worker: Worker,
) -> None:
    await worker.warm_up()
    one, own = await worker.open(), await worker.open()
    await worker.close(own)
    mine = await worker.joined(one)
    assert len(await worker.holders()) == 2
    worker.executor.stop_holding()
    await worker.until_held({mine})
    assert await sh(one, "echo runs") == "runs\n"
    await worker.close(one)
    assert (await worker.holders(), worker.files()) == (set(), [])


async def test_the_last_job_of_a_worker_that_was_killed_leaves_no_holder(worker: Worker) -> None:
    await worker.warm_up()
    one, own = await worker.open(), await worker.open()
    await worker.close(own)
    assert len(await worker.holders()) == 2
    worker.die()
    await worker.close(one)
    assert (await worker.holders(), worker.files()) == (set(), [])
    await worker.warm_up()  # nor does one that had a network of its own
    assert (await worker.holders(), worker.files()) == (set(), [])


async def test_holders_that_nobody_was_in_for_long_are_removed(worker: Worker) -> None:
    await worker.warm_up()
    holders = worker.its_holders()
    docker = worker.executor._client()
    await holders.tidy(docker, idle=60)
    assert len(await worker.holders()) == 1
    (file,) = worker.files()
    os.utime(file, (0, file.stat().st_mtime - 61))
    await holders.tidy(docker, idle=60)
    assert await worker.holders() == set()


async def test_a_job_need_not_ask_what_its_worker_knows_of_the_engine(worker: Worker) -> None:
    sandbox = await worker.open()
    job = worker.jobs[sandbox]
    assert job._facts is not None
    assert job._facts == worker.executor._facts
    assert job._client().api_version == json.loads((worker.root / "engine.json").read_text())["version"]
    await worker.close(sandbox)
