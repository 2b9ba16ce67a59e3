"""What a job's process is handed in memory: it comes by its standard input, and no file ever holds it."""

from __future__ import annotations

import fcntl
import os
import threading

from pawl.adapters.job_processes.waiting import can_wait

_BLOCK = 65_536


def handed_over(content: bytes) -> int:
    """Return a descriptor that a process which inherits it reads `content` from; the caller closes its own.

    Raises:
        OSError: the system has no room.
    """
    return _in_memory(content) if can_wait() else _in_a_pipe(content)


def _in_memory(content: bytes) -> int:
    descriptor = os.memfd_create("pawl-job", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _in_a_pipe(content: bytes) -> int:
    reading, writing = os.pipe()

    def write() -> None:
        try:
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(content)
        except OSError:
            return  # nobody reads it any more

    threading.Thread(target=write, name="handing over", daemon=True).start()
    return reading


def take_handed() -> bytes:
    """Return what this process was handed, once: nobody that it starts can read it again."""
    blocks = []
    while block := os.read(0, _BLOCK):
        blocks.append(block)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(nothing, 0)
    os.close(nothing)
    return b"".join(blocks)
