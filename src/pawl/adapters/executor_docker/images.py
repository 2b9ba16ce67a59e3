"""Images: looked for here first, pulled with progress when absent, tried again only where that can help."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.naming import check_image_name
from pawl.core.model.errors import InfrastructureError, PawlError, TransientError, UsageError
from pawl.ports.executor import ImageFacts, ImageRef, Progress

RETRY_AFTER = (2.0, 4.0, 8.0)
"""Seconds before each further try."""

Sleep = Callable[[float], Awaitable[object]]
"""Waits for so many seconds, as `asyncio.sleep` does."""

_PULL_DEADLINE = 30 * 60.0
_DENIED = re.compile(
    r"not found|no such image|manifest unknown|does not exist|denied|unauthorized|authentication required|"
    r"forbidden|no basic auth|invalid reference|no matching manifest|unsupported media",
    re.IGNORECASE,
)
_UNRESOLVED = re.compile(
    r"no such host|lookup .* on|server misbehaving|dial tcp|network is unreachable", re.IGNORECASE
)


async def find_image(docker: Docker, name: str) -> ImageFacts | None:
    """Return the facts of an image the engine has, else None.

    Raises:
        InfrastructureError: the engine failed.
    """
    with engine_errors(f"The image {name} cannot be looked up"):
        try:
            found = await docker.images.inspect(check_image_name(name))
        except DockerError as error:
            if error.status == 404:
                return None
            raise
    return _facts(name, found)


def _facts(name: str, found: Mapping[str, Any]) -> ImageFacts:
    config = found.get("Config") or {}
    env = dict(line.partition("=")[::2] for line in config.get("Env") or ())
    digests = found.get("RepoDigests") or ()
    digest = digests[0].partition("@")[2] if digests else found["Id"]
    return ImageFacts(
        name=name,
        digest=digest,
        size=int(found.get("Size") or 0),
        env=env,
        user=str(config.get("User") or ""),
    )


async def pull_image(
    docker: Docker, image: ImageRef, progress: Progress, *, sleep: Sleep = asyncio.sleep
) -> ImageFacts:
    """Make the engine have the image.

    Args:
        docker: the client.
        image: its name, and how to be allowed to fetch it.
        progress: told how much is there, and of each further try.
        sleep: waits between two tries.

    Raises:
        UsageError: it does not exist, or we may not have it.
        InfrastructureError: it could not be had after four tries.
    """
    there = await find_image(docker, image.name)
    if there is not None:
        return there
    for pause in (*RETRY_AFTER, None):
        try:
            async with asyncio.timeout(_PULL_DEADLINE):
                await _pull_once(docker, image, progress)
            break
        except (TransientError, TimeoutError) as error:
            if pause is None:
                raise _given_up(image.name, error) from error
            said = _said(image.name, error)
            progress(f"pulling {image.name} failed ({said}); trying again in {pause:g} s")
            await sleep(pause)
    found = await find_image(docker, image.name)
    if found is None:
        raise InfrastructureError(f"The image {image.name} was pulled, and is not there")
    return found


async def _pull_once(docker: Docker, image: ImageRef, progress: Progress) -> None:
    given = image.credentials
    name, auth = image.name, None
    if given is not None:
        name, auth = with_registry(name), {"username": given.username, "password": given.password}
    layers = _Layers(image.name, progress)
    try:
        with engine_errors(_failed(image.name)):
            async for line in docker.images.pull(name, auth=auth, stream=True):
                layers.take(line)
    except (TransientError, UsageError, InfrastructureError) as error:
        raise classify(image.name, error) from error


def with_registry(name: str) -> str:
    """Return an image's name with its registry, which the client wants to know where there are credentials.

    A first part without dot and colon that is not `localhost` is no registry (distribution/reference,
    splitDockerDomain).
    """
    first, slash, _ = name.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def classify(name: str, error: PawlError) -> PawlError:
    """Return a pull's error as one that passes (`TransientError`) or one that stays (`UsageError`)."""
    said = error.message
    if _DENIED.search(said) and not _UNRESOLVED.search(said):
        return UsageError(
            f"The image {name} does not exist, or may not be pulled ({said.rpartition(': ')[2] or said})",
            hint="check its name and tag, and log in or give credentials where it is private",
        )
    return TransientError(said)


def _failed(name: str) -> str:
    return f"The image {name} cannot be pulled"


def _said(name: str, error: Exception) -> str:
    """Return the reason alone: the sentence it becomes part of names the image already."""
    return str(error).removeprefix(f"{_failed(name)}: ") or "too slow"


def _given_up(name: str, error: Exception) -> InfrastructureError:
    said = _said(name, error)
    if _UNRESOLVED.search(said):
        return InfrastructureError(
            f"The image {name} is not on this engine, and its registry cannot be reached: {said}",
            hint="check the network and the engine's proxy, `docker load` the image, or use another",
        )
    return InfrastructureError(
        f"The image {name} could not be pulled after {len(RETRY_AFTER) + 1} tries: {said}",
        hint="its registry has a fault, or answers nobody for now: try again later, or `docker load` it",
    )


class _Layers:
    """Adds up what the engine says of each layer, and tells now and then."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self._sizes: dict[str, tuple[int, int]] = {}
        self._told = -1

    def take(self, line: Mapping[str, Any]) -> None:
        if line.get("error"):
            raise DockerError(500, str(line["error"]))
        layer, status = str(line.get("id")), line.get("status")
        detail = line.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self._sizes[layer] = (int(detail.get("current") or 0), int(detail["total"]))
        elif status in ("Download complete", "Pull complete") and layer in self._sizes:
            # A small layer is told of once, when it has begun.
            self._sizes[layer] = (self._sizes[layer][1],) * 2
        else:
            return
        done, total = (sum(column) for column in zip(*self._sizes.values(), strict=True))
        tenth = done * 10 // total
        if tenth > self._told:
            self._told = tenth
            self._progress(f"pulling {self._name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
