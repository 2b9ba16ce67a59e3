"""Whether a job's shell answers by the FIFOs of its control folder, is slow to, or never will."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import aiohttp
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from pawl.adapters.executor_docker.control import ControlFolder
from pawl.adapters.executor_docker.layout import CONTROL
from pawl.adapters.executor_docker.streams import read_output
from pawl.core.model.errors import InfrastructureError

_USUAL = 5.0
_SLOW = 60.0
"""Seconds that it gets besides where it is sure to be heard: a machine under load may be that slow."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LOOK = f'test -p "$1" && cat {_BOOT}'


async def shell_answers(container: DockerContainer, control: ControlFolder) -> bool:
    """Return whether the shell answers; false when the engine does not share our folders with it.

    Raises:
        InfrastructureError: it does not, though it could.
    """
    if await control.wait_ready(_USUAL):
        return True
    if not await _shares_fifos(container):
        return control.has_answered  # it may have, meanwhile
    if await control.wait_ready(_SLOW):
        return True
    raise InfrastructureError(
        f"The shell in the job's container did not answer within {_USUAL + _SLOW:.0f} s",
        hint="look whether the machine is overloaded",
    )


async def _shares_fifos(container: DockerContainer) -> bool:
    """Return whether a container has our folder, and our kernel: out of a virtual machine no FIFO leads."""
    with suppress(DockerError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(_SLOW):
            said = await read_output(container, ["/bin/sh", "-c", _LOOK, "pawl", f"{CONTROL}/replies"])
        return said == await asyncio.to_thread(_BOOT.read_bytes)
    return False
