"""The job host: runs each attempt in a process of its own, which outlives the worker.

The decision is docs/adr/0012-job-processes.md.
A job's folder is its name: whoever knows the folder finds the process again, also after the worker was
killed and started anew. A folder is used for one process only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class HostedJob(Protocol):
    """The process of one attempt, running or ended."""

    @property
    def running(self) -> bool:
        """Return whether its process lives; False also for one that was never started."""

    def ask_to_stop(self, reason: str, *, at_once: bool) -> None:
        """Ask it to stop, politely or at once; asking again changes nothing but from politely to at once.

        Raises:
            InfrastructureError: the disk refused.
        """

    async def changed(self, seconds: float) -> None:
        """Return when it has written something since the last call, has ended, or after `seconds`."""

    async def kill(self) -> None:
        """End its process for good, and all of its session; return once it is gone. Idempotent."""

    def let_go(self) -> None:
        """Stop watching it. The process goes on."""


class JobHost(Protocol):
    """Starts processes for attempts and finds them again."""

    def start(self, folder: Path, handed: bytes = b"") -> HostedJob:
        """Start the process of an attempt whose folder holds its request, and return at once.

        It reads `handed` once, from memory: no file, argument or environment variable ever holds that.

        One that a worker before this one had started, just before it was killed, is returned instead.

        Raises:
            InfrastructureError: no process can be started.
        """

    def attach(self, folder: Path) -> HostedJob:
        """Return the process that was started for a folder, by whatever worker; it may have ended.

        Raises:
            InfrastructureError: the folder cannot be read.
        """

    async def make_ready(self) -> None:
        """Have a process waiting, where the host does such things, so that the next start is quick."""

    async def aclose(self) -> None:
        """End processes that wait for work. Jobs go on."""


Wake = Callable[[], None]
"""Told by a job's process that it has written something. Never raises, never waits."""
