"""Output that comes through the engine's API, written to files: for what our shell did not start."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

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
