"""Removing what a sandbox has on the engine: by label only, whatever of it is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError
from aiodocker.networks import DockerNetwork
from aiodocker.volumes import DockerVolume

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.naming import OWNER, ROLE, SANDBOX

_GONE = (404, 409)  # removed meanwhile, or being removed by another
_ENDED = ("exited", "dead", "created")


async def kill_sandbox(docker: Docker, sandbox: str) -> None:
    """End every process of a sandbox. Taking down what is left then costs half as much again.

    Raises:
        InfrastructureError: the engine failed.
    """
    with engine_errors(f"The sandbox {sandbox} cannot be ended"):
        await wait_for_all(
            # Waits until it has ended (Docker Engine API, ContainerKill with SIGKILL).
            _quietly(docker.containers.container(one["Id"]).kill())
            for one in await list_containers(docker, f"{SANDBOX}={sandbox}")
            if one.get("State") not in _ENDED
        )


async def remove_sandbox(docker: Docker, sandbox: str, *, but_container: str | None = None) -> None:
    """Remove containers, networks and volumes of a sandbox; what is gone already is no error.

    Args:
        docker: the client.
        sandbox: its name.
        but_container: id of a container to leave, with the network and the volumes it needs.

    Raises:
        InfrastructureError: the engine failed.
    """
    label = f"{SANDBOX}={sandbox}"
    with engine_errors(f"The sandbox {sandbox} cannot be removed"):
        containers, networks, volumes = await asyncio.gather(
            list_containers(docker, label), list_networks(docker, label), list_volumes(docker, label)
        )
        await wait_for_all(
            _quietly(docker.containers.container(one["Id"]).delete(force=True, v=True))
            for one in containers
            if one["Id"] != but_container
        )
        if but_container is not None:
            return
        await wait_for_all(_remove_volume(docker, one["Name"]) for one in volumes)
        await wait_for_all(_remove_network(docker, one["Id"]) for one in networks)


async def _remove_network(docker: Docker, identity: str) -> None:
    await _quietly(DockerNetwork(docker, identity).delete())  # type: ignore[no-untyped-call]  # the client's


async def _remove_volume(docker: Docker, name: str) -> None:
    await _quietly(DockerVolume(docker, name).delete(force=True))  # type: ignore[no-untyped-call]  # the client's


async def _quietly(call: Awaitable[object]) -> None:
    try:
        await call
    except DockerError as error:
        if error.status not in _GONE:
            raise


async def wait_for_all(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all at once and wait for all, also when one fails; then raise the first failure."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _filter(label: str) -> str:
    return json.dumps({"label": [label]})


async def list_containers(docker: Docker, label: str) -> list[dict[str, Any]]:
    """Return what the engine says of all containers with a label, also those that do not run."""
    found = await docker.containers.list(all=True, filters=_filter(label))
    return [one._container for one in found]  # noqa: SLF001 - the client shows a listing's fields no other way


async def list_networks(docker: Docker, label: str) -> list[dict[str, Any]]:
    """Return what the engine says of all networks with a label."""
    found: list[dict[str, Any]] = await docker.networks.list(filters={"label": [label]})
    return found


async def list_volumes(docker: Docker, label: str) -> list[dict[str, Any]]:
    """Return what the engine says of all volumes with a label."""
    found: dict[str, Any] = await docker.volumes.list(filters={"label": [label]})  # type: ignore[no-untyped-call]  # the client's
    return found.get("Volumes") or []


async def list_sandboxes(docker: Docker) -> dict[tuple[str, str], list[str]]:
    """Return, by sandbox and owner, a line for each thing it has on the engine.

    Raises:
        InfrastructureError: the engine failed.
    """
    with engine_errors("Leftovers cannot be listed"):
        containers, networks, volumes = await asyncio.gather(
            list_containers(docker, SANDBOX), list_networks(docker, SANDBOX), list_volumes(docker, SANDBOX)
        )
    found: dict[tuple[str, str], list[str]] = {}
    for kind, things in (("container", containers), ("network", networks), ("volume", volumes)):
        for thing in things:
            given = thing.get("Labels") or {}
            key = (given.get(SANDBOX, ""), given.get(OWNER, ""))
            name = thing.get("Name") or ", ".join(one.lstrip("/") for one in thing.get("Names") or ())
            role = given.get(ROLE, kind)
            found.setdefault(key, []).append(f"{kind} {name}" + (f" ({role})" if role != kind else ""))
    return found
