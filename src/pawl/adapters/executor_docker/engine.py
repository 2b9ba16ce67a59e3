"""The engine we talk to: where it is, and what it can do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.errors import JOIN_GROUP, engine_errors
from pawl.adapters.executor_docker.holder_image import ARCHITECTURES
from pawl.core.model.errors import InfrastructureError

_PROBE_TIMEOUT = 8.0
_CONNECT_TIMEOUT = 5.0
_CALL_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What an engine says of itself.

    Attributes:
        description: one line for people.
        memory: bytes that containers may use by default: three quarters of the machine's; None when unknown.
        init: whether it can give containers an init process.
        rootless: whether root in a container is this user outside.
        shares_files: whether a folder of this machine can be mounted.
        holds: whether holders can keep network name spaces (holders.py): tried with Docker on amd64 only.
    """

    description: str
    memory: int | None
    init: bool
    rootless: bool
    shares_files: bool
    holds: bool


def find_address(environment: Mapping[str, str] = os.environ) -> str:
    """Return the engine's address: DOCKER_HOST, else the first usual socket that is there.

    Raises:
        InfrastructureError: there is none.
    """
    if environment.get("DOCKER_HOST"):
        return environment["DOCKER_HOST"]
    sockets = [path for path in _usual_sockets(environment) if _is_socket(path)]
    for path in sockets:
        if os.access(path, os.W_OK):
            return f"unix://{path}"
    if sockets:
        raise InfrastructureError(f"The container engine at {sockets[0]} may not be used", hint=JOIN_GROUP)
    raise InfrastructureError(
        "No container engine was found",
        hint="start Docker or `podman system service`, set DOCKER_HOST, or run with --executor host",
    )


def _is_socket(path: Path) -> bool:
    try:
        return path.is_socket()
    except PermissionError:
        return False  # in a folder of somebody else's


def _usual_sockets(environment: Mapping[str, str]) -> Iterator[Path]:
    private = Path(environment.get("XDG_RUNTIME_DIR", "/nonexistent"))
    home = Path(environment.get("HOME", "/nonexistent"))
    yield from (private / "docker.sock", Path("/run/docker.sock"), Path("/var/run/docker.sock"))
    yield home / ".docker/run/docker.sock"
    yield from (private / "podman/podman.sock", Path("/run/podman/podman.sock"))


def connect(address: str, version: str = "auto") -> tuple[Docker, aiohttp.BaseConnector | None]:
    """Return a client for the engine at an address, and what else must be closed after it.

    Nothing is sent yet. Must be called in a running loop.

    Raises:
        InfrastructureError: the address is of a kind that cannot be used.
    """
    timeout = aiohttp.ClientTimeout(total=_CALL_TIMEOUT, connect=_CONNECT_TIMEOUT)
    connector = None
    if address.startswith("unix://"):
        # No limit of connections: each sandbox keeps one to hear of its end.
        connector = aiohttp.UnixConnector(address.removeprefix("unix://"), limit=0)
    try:
        docker = Docker(
            "unix://localhost" if connector else address,
            connector=connector,
            timeout=timeout,
            api_version=version,  # "auto" asks
        )
    except DockerError as error:
        raise InfrastructureError(
            f"An engine at {address!r} cannot be used",
            hint="unix:// and tcp:// can; `ssh -NL /tmp/engine.sock:/var/run/docker.sock HOST` makes the one"
            " of the other",
        ) from error
    except (ValueError, AssertionError) as error:
        raise InfrastructureError(
            f"{address!r} is not an engine's address: {error}", hint="mend DOCKER_HOST"
        ) from error
    return docker, connector


async def ask_facts(docker: Docker, address: str) -> EngineFacts:
    """Return what the engine is.

    Raises:
        InfrastructureError: it does not answer within 8 seconds, or refuses.
    """
    with engine_errors(f"The container engine at {address} cannot be used"):
        async with asyncio.timeout(_PROBE_TIMEOUT):
            version, info = await asyncio.gather(docker.version(), docker.system.info())
    return _facts(address, version, info)


def _facts(address: str, version: Mapping[str, Any], info: Mapping[str, Any]) -> EngineFacts:
    components = [str(part.get("Name", "")) for part in version.get("Components") or ()]
    podman = any("podman" in name.lower() for name in components)
    name = "Podman" if podman else "Docker Engine"
    security = " ".join(map(str, info.get("SecurityOptions") or ()))
    rootless = "name=rootless" in security
    total = int(info.get("MemTotal") or 0)
    return EngineFacts(
        description=f"{name} {version.get('Version', '?')} at {address}{' (rootless)' if rootless else ''}",
        memory=total * 3 // 4 if total else None,
        init=bool(info.get("InitBinary")) or podman,
        rootless=rootless,
        shares_files=address.startswith("unix://"),
        holds=not podman and info.get("Architecture") in ARCHITECTURES,
    )
