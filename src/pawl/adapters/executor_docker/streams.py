"""Programs that the engine starts in a container, and their output: for what our shell does not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from aiodocker.containers import DockerContainer
from aiodocker.execs import Exec
from aiodocker.stream import Stream

_STDERR = 2


async def copy_output(stream: Stream, stdout: Path, stderr: Path) -> None:
    """Write what a process says to two files until it says no more.

    The files are this machine's own; no container can reach them.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    out, err = os.open(stdout, flags, 0o600), os.open(stderr, flags, 0o600)
    try:
        while (message := await stream.read_out()) is not None:
            view = memoryview(message.data)
            while view:
                view = view[os.write(err if message.stream == _STDERR else out, view) :]
            await asyncio.sleep(0)
    finally:
        os.close(out)
        os.close(err)


async def open_exec(
    container: DockerContainer, argv: list[str], *, stdin: bool = False
) -> tuple[Exec, Stream]:
    """Start a program in a container; return its call, and the stream joined to it."""
    call = await container.exec(argv, stdin=stdin)
    stream = call.start(detach=False)
    await stream.__aenter__()
    return call, stream


async def read_output(container: DockerContainer, argv: list[str], most: int = 65536) -> bytes:
    """Run a program in a container and return the beginning of its standard output."""
    _, stream = await open_exec(container, argv)
    found = b""
    try:
        while (message := await stream.read_out()) is not None:
            if message.stream == 1 and len(found) < most:
                found += message.data
    finally:
        await stream.close()
    return found[:most]
