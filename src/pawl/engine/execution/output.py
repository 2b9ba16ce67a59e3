"""The pump: follows the two files a process writes its output to, until it has ended and all is read.

Nobody's reading ever slows the process: it writes to files, and the pump comes after. Order between the two
streams is that of arrival, as finely as the pump looks (5 to 50 ms).
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from pawl.engine.execution.output_reading import OutputReading
from pawl.ports.clock import Clock
from pawl.ports.executor import Exit, Process

BLOCK = 256 * 1024
"""Bytes read at a time."""

_WORTH_FREEING = 1024 * 1024

_BUSY = 0.005
_IDLE = 0.05


async def follow_output(
    process: Process,
    reading: OutputReading,
    clock: Clock,
    *,
    wait: Coroutine[object, object, Exit] | None = None,
    most: int = sys.maxsize,
) -> Exit:
    """Feed a process's output to `reading` as it grows, and return how the process ended.

    Returns only when all output was read; large files are then emptied, as the log has what is kept of them.
    When this is cancelled, what was read so far is stored, and the process goes on unless `wait` sees to it.

    Args:
        process: whose output it is.
        reading: where it goes; its `end` is called in every case.
        clock: for the polls.
        wait: awaited instead of `process.wait()`, for a caller that also stops the process.
        most: bytes on both streams together, beyond which the process is killed: it fills the
            disk, whatever the log keeps of it.

    Raises:
        InfrastructureError: the log cannot be stored, or the process was lost (after reading its output).
    """
    ending = asyncio.ensure_future(process.wait() if wait is None else wait)
    tails = (_Tail(process.stdout, "out"), _Tail(process.stderr, "err"))
    pause = _BUSY
    try:
        while not ending.done():
            if _read_once(tails, reading):
                pause = _BUSY
                await _end_flood(tails, process, reading, most)
                await clock.sleep(0)
            else:
                await _nap(pause, ending, clock)
                pause = min(pause * 2, _IDLE)
        for tail in tails:
            await _drain(tail, reading, clock)
            tail.free()
        return await ending
    finally:
        for tail in tails:
            tail.close()
        try:
            await _let_go(ending)
        finally:
            reading.end()


class _Tail:
    """One growing file. It lies where the job can write, so it is not trusted to be a file."""

    def __init__(self, path: Path, stream: str) -> None:
        self.stream = stream
        self.flooded = False
        self._path = path
        self._file = -1
        self._read = 0
        self._refused = False

    def read(self) -> bytes:
        """Return the next bytes, none when there are no more yet."""
        if self._file < 0 and not self._open():
            return b""
        data = os.read(self._file, BLOCK)
        self._read += len(data)
        return data

    def size(self) -> int:
        """Return how many bytes there are now."""
        if self._file < 0 and not self._open():
            return 0
        return os.fstat(self._file).st_size

    def left(self) -> int:
        """Return how many bytes are still to be read now."""
        return self.size() - self._read

    def free(self) -> None:
        """Give the disk back what a large file takes; who still writes goes on behind a hole."""
        if self._file < 0 or self.size() < _WORTH_FREEING:
            return
        with suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                # Only what was read is emptied: the job can have put another file in its place.
                if os.path.samestat(os.fstat(file), os.fstat(self._file)):
                    os.ftruncate(file, 0)
            finally:
                os.close(file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
        self._refused = True

    def _open(self) -> bool:
        if self._refused:
            return False
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:
            self._refused = True
            return False
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
        return self._file >= 0


def _read_once(tails: tuple[_Tail, ...], reading: OutputReading) -> bool:
    """Read at most a block of each stream; return whether there was anything."""
    busy = False
    for tail in tails:
        data = tail.read()
        if data:
            busy = True
            reading.feed(data, stream=tail.stream)
    return busy


async def _end_flood(tails: tuple[_Tail, ...], process: Process, reading: OutputReading, most: int) -> None:
    """Kill a process that has printed more than it may, once."""
    total = sum(tail.size() for tail in tails)
    if total > most and not any(tail.flooded for tail in tails):
        tails[0].flooded = True
        reading.fail(
            f"The step printed more than {most / 1024**2:,.0f} MiB and is ended, before it fills the disk; "
            "print less, or set run.output_limit_mb"
        )
        await process.signal("KILL")


async def _drain(tail: _Tail, reading: OutputReading, clock: Clock) -> None:
    """Read what is there now: a process left behind in the background may write for ever."""
    left = tail.left()
    while left > 0 and (data := tail.read()):
        reading.feed(data, stream=tail.stream)
        left -= len(data)
        await clock.sleep(0)


async def _nap(seconds: float, ending: asyncio.Future[Exit], clock: Clock) -> None:
    """Wait for the time to pass, but no longer than for the process's end."""
    nap = asyncio.create_task(clock.sleep(seconds), name="output poll")
    try:
        await asyncio.wait((nap, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        nap.cancel()


async def _let_go(ending: asyncio.Future[Exit]) -> None:
    """Cancel a wait that is still on, and let it clean up."""
    ending.cancel()
    await asyncio.wait((ending,))
    if not ending.cancelled():
        ending.exception()  # looked at, so that asyncio does not report it as overlooked
