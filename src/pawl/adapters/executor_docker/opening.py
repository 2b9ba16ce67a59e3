"""Making a sandbox: network, job container, services, in an order that leaves nothing behind on failure."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.answering import shell_answers
from pawl.adapters.executor_docker.control import ControlFolder
from pawl.adapters.executor_docker.copying import pack
from pawl.adapters.executor_docker.engine import EngineFacts
from pawl.adapters.executor_docker.errors import UNREACHABLE, engine_errors
from pawl.adapters.executor_docker.hardening import bind_mount, host_config, user_labels, volume_mounts
from pawl.adapters.executor_docker.holders import Holder
from pawl.adapters.executor_docker.layout import CONTROL, WORKSPACE, Layout
from pawl.adapters.executor_docker.naming import check_image_name, container_name, labels
from pawl.adapters.executor_docker.network_files import mount_network_files
from pawl.adapters.executor_docker.networks import make_bridge
from pawl.adapters.executor_docker.services import (
    ServicePlace,
    can_join,
    create_service,
    find_trouble,
    wait_healthy,
)
from pawl.adapters.executor_docker.supervisor import SUPERVISOR, WAITER
from pawl.adapters.executor_docker.whole import make
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import Progress, SandboxSpec, ServiceSpec

_ENGINE_AWAY = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known before the first container is made."""

    spec: SandboxSpec
    docker: Docker
    facts: EngineFacts
    layout: Layout
    user: str
    shares_files: bool = True
    holder: Holder | None = None
    """Whose network name space the job joins; None where it has its own."""

    @property
    def network(self) -> str:
        """Return the name of the job's network."""
        if self.holder is not None:
            return self.holder.network
        return "none" if self.spec.network == "none" else container_name(self.spec.name)

    @property
    def network_mode(self) -> str:
        """Return the network as the engine is told it for the job's container."""
        return self.network if self.holder is None else f"container:{self.holder.id}"

    @property
    def joins(self) -> bool:
        """Return whether services share the job container's network name space."""
        return not self.spec.job_container and can_join(self.spec.services)

    @property
    def forwards(self) -> bool:
        """Return whether ports of services are forwarded to the job's `localhost`."""
        return not self.spec.job_container and not self.joins and self.network != "none"


async def make_network(place: Place) -> None:
    """Make the job's own bridge network, unless it has none or joins a holder's.

    Raises:
        InfrastructureError: the engine cannot.
    """
    if place.spec.network != "none" and place.holder is None:
        await make_bridge(place.docker, place.spec.name, place.spec.owner)


def can_join_holder(spec: SandboxSpec) -> bool:
    """Return whether a job may join a holder: it asks for nothing that only a name space of its own can have.

    What a container may do is the same for all jobs, and changing a network is not in it (hardening.py).
    """
    options = spec.options
    asks = spec.services or spec.ports or options.hostname or options.network_aliases or options.extra_hosts
    return spec.network == "bridge" and not asks


async def start_job_container(place: Place) -> DockerContainer:
    """Make and start the container whose main process is the resident shell.

    Raises:
        UsageError: the image does not exist, or has no /bin/sh.
        InfrastructureError: the engine failed.
    """
    spec = place.spec
    with engine_errors("The job's container cannot be started"):
        config = job_config(place)
        container = await make(place.docker.containers.create(config, name=container_name(spec.name)))
        if not place.shares_files:
            await _fill(place, container)
        try:
            await make(container.start())
        except DockerError as error:
            if "/bin/sh" in error.message:
                raise _no_shell(spec) from error
            raise
    return container


async def _fill(place: Place, container: DockerContainer) -> None:
    """Copy the job's folders into a container that has not started; later that call is not used."""
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(pack, place.layout.folders, file)
        file.seek(0)
        await container.put_archive("/", file)  # type: ignore[no-untyped-call]  # the client's


def _no_shell(spec: SandboxSpec) -> UsageError:
    name = spec.image.name if spec.image else "?"
    return UsageError(
        f"The image {name} has no /bin/sh that works",
        hint="jobs need an image with a shell; use another image",
    )


def job_config(place: Place) -> dict[str, Any]:
    """Return what the engine is told to make the job's container."""
    shared = place.shares_files
    spec, options = place.spec, place.spec.options
    host = host_config(
        options, network=place.network_mode, init=place.facts.init, default_memory=place.facts.memory
    )
    binds = place.layout.folders.items() if shared else ()
    host["Mounts"] = [bind_mount(str(outside), inside) for outside, inside in binds]
    host["Mounts"] += volume_mounts(spec.name, spec.owner, spec.volumes)
    if place.holder is not None:
        host["Mounts"] += mount_network_files(place.spec.folder, place.holder.facts.files)
    ports = {f"{port.container}/{port.protocol}": port.host for port in spec.ports}
    host["PortBindings"] = {
        port: [{"HostIp": "127.0.0.1", "HostPort": str(wanted or "")}] for port, wanted in ports.items()
    }
    if place.joins:
        host["ExtraHosts"] = [
            *host.get("ExtraHosts", ()),
            *(f"{one.name}:127.0.0.1" for one in spec.services),
        ]
    config: dict[str, Any] = {
        "Image": check_image_name(spec.image.name if spec.image else ""),
        "Entrypoint": ["/bin/sh", "-c", SUPERVISOR if shared else WAITER, "pawl", CONTROL],
        "Cmd": [],
        "User": place.user,
        "WorkingDir": WORKSPACE if shared else "/",
        "Labels": user_labels(options.labels) | labels(spec.name, spec.owner, "job"),
        "Healthcheck": {"Test": ["NONE"]},
        "ExposedPorts": {port: {} for port in ports},
        "HostConfig": host,
    }
    if options.hostname:
        config["Hostname"] = options.hostname
    if options.network_aliases and place.network != "none":
        config["NetworkingConfig"] = {
            "EndpointsConfig": {place.network: {"Aliases": list(options.network_aliases)}}
        }
    return config


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a job's container is no more; `by_engine`: its engine had been away, so no step is to blame."""

    reason: str
    by_engine: bool = False


async def wait_shell(place: Place, control: ControlFolder, watch: asyncio.Task[Loss]) -> bool:
    """Return whether the resident shell answers; false when the engine does not share our folders with it.

    Raises:
        UsageError: the image has no working /bin/sh.
        InfrastructureError: the container ended, or its shell never answered though it could.
    """
    container = place.docker.containers.container(container_name(place.spec.name))
    ready = asyncio.create_task(shell_answers(container, control), name="wait for the resident shell")
    try:
        await asyncio.wait((ready, watch), return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            # 127 is Docker's init, 1 is Podman's: they could not start the program.
            reason = watch.result().reason
            no_shell = re.search(r"ended with code (1|126|127):", reason)
            raise _no_shell(place.spec) if no_shell else InfrastructureError(reason)
        return ready.result()
    finally:
        ready.cancel()


async def watch_container(container: DockerContainer) -> Loss:
    """Return, once the container has ended, why its job is lost. An engine that is away is waited for."""
    away_since: float | None = None
    loop = asyncio.get_running_loop()
    while True:
        try:
            if away_since is not None and (await container.show())["State"].get("Running"):
                away_since = None  # it has outlived its engine, which is back
            await container.wait()
            state = (await container.show())["State"]
        except DockerError as error:
            if error.status == 404:
                return Loss("The job's container was removed", by_engine=away_since is not None)
            if error.status != UNREACHABLE and error.status < 500:
                return Loss(f"The job's container cannot be watched: {error.message}")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            pass  # ValueError: an answer that was cut
        else:
            if not state.get("Running"):
                if away_since is not None:
                    return Loss("The job's container did not survive its engine's restart", by_engine=True)
                return Loss(_describe_end(state))
        away_since = away_since or loop.time()
        if loop.time() - away_since > _ENGINE_AWAY:
            return Loss("The container engine went away", by_engine=True)
        await asyncio.sleep(0.2)


def _describe_end(state: Mapping[str, Any]) -> str:
    if state.get("OOMKilled"):
        return "The job's container ran out of memory, and its shell was killed"
    code = state.get("ExitCode")
    return f"The job's container ended with code {code}: a step may have killed its shell"


async def start_services(
    place: Place, job: DockerContainer | None, progress: Progress
) -> Mapping[str, Mapping[str, int]]:
    """Start all services and wait until each is ready; return where the job reaches their ports.

    Args:
        place: what is known.
        job: the job's container when services join its network name space.
        progress: told what is waited for.

    Raises:
        UsageError: a service ended or is unhealthy.
        InfrastructureError: the engine failed.
    """
    network = f"container:{job.id}" if job is not None else place.network
    where = ServicePlace(
        network=network, init=place.facts.init, memory=place.facts.memory, forwarded=place.forwards
    )

    async def bring_up(number: int) -> Mapping[str, int]:
        service = place.spec.services[number]
        container = await create_service(place.docker, place.spec, service, where)
        with engine_errors(f"The service {service.name} cannot be started"):
            await make(container.start())
        ports = await wait_healthy(container, service, progress)
        return {str(port.container): port.container for port in service.ports} if where.joined else ports

    tasks = [asyncio.create_task(bring_up(number)) for number in range(len(place.spec.services))]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(Exception, asyncio.CancelledError):
                await task
    return {service.name: ports for service, ports in zip(place.spec.services, found, strict=True)}


async def find_troubles(place: Place) -> tuple[str, ...]:
    """Return how services fare that are not well, a text each. That the engine cannot tell is no trouble."""

    async def look(service: ServiceSpec) -> str | None:
        container = place.docker.containers.container(container_name(place.spec.name, service.name))
        with suppress(InfrastructureError, UsageError):
            return await find_trouble(container, service)
        return None

    return tuple(filter(None, await asyncio.gather(*map(look, place.spec.services))))
