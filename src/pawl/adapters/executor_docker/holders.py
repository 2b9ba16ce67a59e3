"""Holders: containers that only keep a network name space, for one job after the other to join.

Making a name space with its network, and taking it down, costs several times what a container does. Never are
two jobs in one at a time, and none finds anything of another's: a name space in which a packet was sent is
renewed before the next job gets it. See docs/adr/0014-holders.md.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiodocker import Docker
from aiodocker.containers import DockerContainer

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.hardening import host_config
from pawl.adapters.executor_docker.holder_files import HolderFacts, HolderFile, HolderFiles
from pawl.adapters.executor_docker.holder_image import PROGRAM, holder_image
from pawl.adapters.executor_docker.keeping import Keeper
from pawl.adapters.executor_docker.naming import SANDBOX, container_name, labels
from pawl.adapters.executor_docker.networks import make_bridge
from pawl.adapters.executor_docker.pristine import is_pristine
from pawl.adapters.executor_docker.removal import list_containers, remove_sandbox, wait_for_all
from pawl.adapters.executor_docker.whole import make
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import ContainerOptions, Limits

AT_ONCE = -math.inf
"""How long a holder may be idle when none is kept."""

_RESOLVER = "/etc/resolv.conf"
_LOCAL = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""
_PREFIX = "holder-"
_NOBODY = "65534:65534"
_MEMORY = 16 * 1024 * 1024  # the program takes a page; what starts it, some megabytes


class Holder:
    """One that a job has for itself."""

    def __init__(self, facts: HolderFacts, file: HolderFile) -> None:
        """Take what is known of it, and its locked file."""
        self.facts = facts
        self.file = file

    @property
    def id(self) -> str:
        """Return its container's id."""
        return self.facts.id

    @property
    def network(self) -> str:
        """Return its network's name."""
        return container_name(self.facts.name)


class Holders:
    """The holders of one worker."""

    def __init__(self, folder: Path, owner: str) -> None:
        """Take where their files are, and the owner that sweeps know them by."""
        self._files = HolderFiles(folder)
        self._owner = owner
        self.keeper = Keeper(folder)

    def take(self) -> Holder | None:
        """Return a holder that nobody is in; None when there is none."""
        with suppress(OSError):  # a disk that refuses: the job gets a network of its own
            for file in self._files.free():
                facts = file.read()
                if facts is not None and facts.clean:
                    file.write(facts, clean=False)
                    return Holder(facts, file)
                file.release()  # the process of its job was killed: a sweep sees to it
        return None

    async def add(self, docker: Docker) -> None:
        """Make a holder, unless there is one that nobody is in: so there are as many as jobs run at once.

        Without a worker that keeps them none is made.

        Raises:
            InfrastructureError: the engine cannot.
        """
        if not self.keeper.is_there:
            return
        for file in self._files.free():
            facts = file.read()
            file.release()
            if facts is not None and facts.clean:
                return
        await self._make(docker)
        await self._remove_unkept(docker)

    async def _make(self, docker: Docker) -> None:
        image = await holder_image(docker)
        try:
            file = self._files.make(f"{_PREFIX}{secrets.token_hex(6)}")
        except OSError as error:
            raise InfrastructureError(
                f"The files of network holders cannot be written: {error.strerror}"
            ) from error
        try:
            network = await make_bridge(docker, file.name, self._owner)
            with engine_errors("A network holder cannot be started"):
                config = _config(image, file.name, self._owner, network)
                container = await make(docker.containers.create(config, name=container_name(file.name)))
                await make(container.start())
            facts = HolderFacts(name=file.name, id=container.id, process=0, files={})
            facts = await _look(container, facts)
            file.write(facts, clean=True)
            file.release()
        except BaseException:
            await self._remove(docker, file)
            raise

    async def give_back(self, docker: Docker, holder: Holder, sandbox: str) -> None:
        """Let the next job have a holder, made anew where the last one used its network.

        Without a worker that keeps it, it is removed, as are all others that nobody is in.

        Args:
            docker: the client.
            holder: whom it concerns.
            sandbox: the job's, which is removed by now.

        Raises:
            InfrastructureError: the engine failed; the holder is gone, or left to a sweep.
        """
        if not holder.file.is_held:
            return
        try:
            if self.keeper.is_there:
                facts = await self._renew(docker, holder.facts, sandbox)
                holder.file.write(facts, clean=True)
            holder.file.release()
        except BaseException:
            await self._remove(docker, holder.file)
            raise
        await self._remove_unkept(docker)

    async def _renew(self, docker: Docker, facts: HolderFacts, sandbox: str) -> HolderFacts:
        """Return the facts of a holder in which nothing of a sandbox is left."""
        with engine_errors("A network holder cannot be made anew"):
            left = await list_containers(docker, f"{SANDBOX}={sandbox}")
            if left or not is_pristine(facts.process, _command(facts.name)):
                container = docker.containers.container(facts.id)
                await make(container.restart(t=0))
                return await _look(container, facts)
        return facts

    async def _remove_unkept(self, docker: Docker) -> None:
        """Remove all that nobody is in, unless a worker keeps them.

        Called when one was let go of: either the worker that ends finds it, or it is seen here that it ended.
        """
        if not self.keeper.is_there:
            await self.tidy(docker, idle=AT_ONCE)

    async def discard(self, docker: Docker, holder: Holder, sandbox: str) -> None:
        """Remove a holder that the sandbox of a job could not join.

        Raises:
            InfrastructureError: the engine failed; a sweep sees to it.
        """
        with engine_errors(f"The network holder of {sandbox} cannot be removed"):
            await self._remove(docker, holder.file)

    async def _remove(self, docker: Docker, file: HolderFile) -> None:
        try:
            await remove_sandbox(docker, file.name)
            file.drop()
        finally:
            file.release()

    async def tidy(self, docker: Docker, *, idle: float | None) -> None:
        """Remove holders whose job's process was killed, and those that nobody had for so many seconds.

        All at once: a worker that is told to end gets little time.

        Raises:
            InfrastructureError: the engine failed.
        """
        unwanted = []
        for file in self._files.free():
            if file.is_usable and (idle is None or time.time() - file.idle_since < idle):
                file.release()
            else:
                unwanted.append(file)
        await wait_for_all(self._remove(docker, file) for file in unwanted)

    def let_go(self, sandbox: str, *, dry_run: bool) -> bool:
        """Return whether a sandbox may be removed: it is no holder of ours that a job is in or may join.

        What was held before this worker began is not joined. Unless it is a dry run, the file of a holder
        that may be removed goes with it.
        """
        if not sandbox.startswith(_PREFIX) or not self._files.has(sandbox):
            return True
        file = self._files.lock(sandbox)
        if file is None:
            return False
        is_kept = file.is_usable and file.idle_since >= self.keeper.since
        if dry_run or is_kept:
            file.release()
        else:
            file.drop()
        return not is_kept


def _config(image: str, name: str, owner: str, network: str) -> dict[str, Any]:
    """Return what the engine is told to make a holder: it may do less than any job."""
    options = ContainerOptions(read_only=True, init=False, limits=Limits(memory=_MEMORY, pids=1))
    host = host_config(options, network=network, init=False, default_memory=None)
    host |= {"CapAdd": [], "Tmpfs": {}}
    return {
        "Image": image,
        "Entrypoint": [PROGRAM],
        "Cmd": [name],
        "User": _NOBODY,
        "StopSignal": "SIGKILL",
        "Labels": labels(name, owner, "holder"),
        "HostConfig": host,
    }


def _command(name: str) -> bytes:
    return f"{PROGRAM}\0{name}\0".encode()


async def _look(container: DockerContainer, facts: HolderFacts) -> HolderFacts:
    """Return the facts with what changes at each start."""
    with engine_errors("A network holder cannot be looked at"):
        shown = await container.show()
        # It takes the engine as long as a small container: once is enough, it says where its own resolver is.
        resolver = facts.files.get(_RESOLVER) or await _read(container, _RESOLVER)
    state = shown["State"]
    if not state.get("Running"):
        raise InfrastructureError("A network holder has ended")
    return replace(facts, process=int(state["Pid"]), files=_etc(shown) | {_RESOLVER: resolver})


def _etc(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return what the engine writes into `/etc` for a container alone on its network."""
    name = str(shown["Config"]["Hostname"])
    (network,) = shown["NetworkSettings"]["Networks"].values()
    return {"/etc/hosts": f"{_LOCAL}{network['IPAddress']}\t{name}\n", "/etc/hostname": f"{name}\n"}


async def _read(container: DockerContainer, path: str) -> str:
    archive = await container.get_archive(path)
    member = archive.extractfile(archive.getmembers()[0])
    return member.read().decode() if member is not None else ""
