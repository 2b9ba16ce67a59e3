"""Service containers: started with the job, waited for until they are healthy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiodocker import Docker
from aiodocker.containers import DockerContainer

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.hardening import health_check, host_config, user_labels, volume_mounts
from pawl.adapters.executor_docker.naming import check_image_name, container_name, labels
from pawl.adapters.executor_docker.whole import make
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.executor import Progress, SandboxSpec, ServiceSpec

_FIRST_LOOK, _LONGEST_LOOK = 0.05, 1.0
_LONGEST_WAIT = 15 * 60.0
_FIRST_CHECK = 10.0
_TAIL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlace:
    """Where services run.

    Attributes:
        network: the job's network, or `container:ID` to share the job container's.
        init: whether the engine has an init program.
        memory: the default limit in bytes.
        forwarded: whether the job's container forwards their ports: this machine need not publish them.
    """

    network: str
    init: bool
    memory: int | None
    forwarded: bool = False

    @property
    def joined(self) -> bool:
        """Return whether services share the job container's network name space."""
        return self.network.startswith("container:")


def can_join(services: tuple[ServiceSpec, ...]) -> bool:
    """Return whether `localhost:PORT` in the job can mean the services' own ports.

    A job that runs directly on a machine reaches a service at localhost and the port's host side (GitHub
    docs, "About service containers"). With one network name space for all that holds as long as no port is
    moved and no two services want the same one.
    """
    return any(service.ports for service in services) and not find_clashes(services)


def find_clashes(services: tuple[ServiceSpec, ...]) -> tuple[str, ...]:
    """Return why services cannot share the job's name space, a text each."""
    found = []
    users: dict[int, ServiceSpec] = {}
    for service in services:
        for port in service.ports:
            first = users.setdefault(port.container, service)
            if first is not service:
                found.append(f"{first.name} and {service.name} both use the port {port.container}")
            if port.host not in (None, port.container):
                found.append(f"{service.name} moves its port {port.container} to {port.host}")
    return tuple(found)


async def create_service(
    docker: Docker, spec: SandboxSpec, service: ServiceSpec, place: ServicePlace
) -> DockerContainer:
    """Make a service's container without starting it.

    Raises:
        UsageError: the engine does not take what the workflow asks for.
        InfrastructureError: the engine failed.
    """
    config = service_config(spec, service, place)
    with engine_errors(f"The service {service.name} cannot be made"):
        return await make(docker.containers.create(config, name=container_name(spec.name, service.name)))


def service_config(spec: SandboxSpec, service: ServiceSpec, place: ServicePlace) -> dict[str, Any]:
    """Return what the engine is told to make a service."""
    options = service.options
    host = host_config(
        options, network=place.network, init=place.init, default_memory=place.memory, kept_log=True
    )
    host["Mounts"] = volume_mounts(spec.name, spec.owner, service.volumes)
    ports = {f"{port.container}/{port.protocol}": port.host for port in service.ports}
    config: dict[str, Any] = {
        "Image": check_image_name(service.image.name),
        "Env": [f"{name}={value}" for name, value in service.env.items()],
        "Labels": user_labels(options.labels) | labels(spec.name, spec.owner, "service"),
        "User": options.user or "",
        "HostConfig": host,
    }
    if not place.joined:
        config["Hostname"] = options.hostname or service.name
        config["ExposedPorts"] = {port: {} for port in ports}
        # Only this machine can connect: what a job serves is nobody else's.
        if not place.forwarded:
            host["PortBindings"] = {
                port: [{"HostIp": "127.0.0.1", "HostPort": str(wanted or "")}]
                for port, wanted in ports.items()
            }
        if place.network != "none":
            aliases = [service.name, *options.network_aliases]
            config["NetworkingConfig"] = {"EndpointsConfig": {place.network: {"Aliases": aliases}}}
    if options.entrypoint:
        config["Entrypoint"] = [options.entrypoint]
    if service.command:
        config["Cmd"] = ["/bin/sh", "-c", service.command]
    check = health_check(options)
    if check:
        config["Healthcheck"] = check
    return config


async def wait_healthy(
    container: DockerContainer, service: ServiceSpec, progress: Progress
) -> dict[str, int]:
    """Wait until a started service is healthy, or runs where nothing says how to tell; return its host ports.

    Raises:
        UsageError: it ended, or is unhealthy; its last output is in the message.
        InfrastructureError: the engine failed.
    """
    pause = _FIRST_LOOK
    waited = 0.0
    told = ""
    while True:
        with engine_errors(f"The service {service.name} cannot be looked at"):
            shown = await container.show()
        state = shown["State"]
        health = (state.get("Health") or {}).get("Status", "none")
        if not state.get("Running"):
            raise await _failed(container, service, f"ended with code {state.get('ExitCode')}", state)
        if health in ("healthy", "none", ""):
            return _ports(shown)
        if health == "unhealthy" or waited > _LONGEST_WAIT:
            raise await _failed(container, service, f"is {health}", state)
        if waited > _patience(shown) and not (state.get("Health") or {}).get("Log"):
            raise InfrastructureError(
                f"The engine does not run the health check of the service {service.name}",
                hint="Podman needs systemd for health checks; leave them out, or use Docker",
            )
        if health != told:
            progress(f"waiting for service {service.name} to be healthy")
            told = health
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, _LONGEST_LOOK)


def _patience(shown: Mapping[str, Any]) -> float:
    """Return the seconds after which a first health check must have been tried."""
    check = (shown.get("Config") or {}).get("Healthcheck") or {}
    times = [float(check.get(name) or 0) / 1e9 for name in ("StartPeriod", "Interval", "Timeout")]
    start, interval, timeout = times
    # 30 s each unless it says otherwise (Dockerfile reference, HEALTHCHECK).
    return start + 3 * (interval or 30.0) + (timeout or 30.0) + _FIRST_CHECK


def _ports(shown: Mapping[str, Any]) -> dict[str, int]:
    bound = (shown.get("NetworkSettings") or {}).get("Ports") or {}
    return {port.partition("/")[0]: int(hosts[0]["HostPort"]) for port, hosts in bound.items() if hosts}


async def find_trouble(container: DockerContainer, service: ServiceSpec) -> str | None:
    """Return how a service fares that should be running, with its last output, where it does not fare well.

    Nobody else notices: what a test says when its database is gone may be anything.

    Raises:
        InfrastructureError: the engine failed.
    """
    with engine_errors(f"The service {service.name} cannot be looked at"):
        state = (await container.show())["State"]
    health = (state.get("Health") or {}).get("Status")
    if not state.get("Running"):
        memory = ": it ran out of memory" if state.get("OOMKilled") else ""
        how = f"ended with code {state.get('ExitCode')} before the job did{memory}"
    elif health == "unhealthy":
        how = "is unhealthy at the end of the job"
    else:
        return None
    return await _describe(container, service, how, state)


async def _describe(
    container: DockerContainer, service: ServiceSpec, how: str, state: Mapping[str, Any]
) -> str:
    with engine_errors(f"The output of service {service.name} cannot be read"):
        lines = await container.log(stdout=True, stderr=True, tail=_TAIL)
    checks = (state.get("Health") or {}).get("Log") or []
    said = "".join(lines).strip() or "(no output)"
    if checks:
        said += f"\nlast health check: {str(checks[-1].get('Output', '')).strip()[:500]}"
    return f"The service {service.name} ({service.image.name}) {how}; its last output:\n{said[-4000:]}"


async def _failed(
    container: DockerContainer, service: ServiceSpec, how: str, state: Mapping[str, Any]
) -> UsageError:
    said = await _describe(container, service, how, state)
    return UsageError(said, hint="check its image, env and options in the workflow")
