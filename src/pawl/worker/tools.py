"""What all attempts of a worker share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pawl.ports.clock import Clock
from pawl.ports.executor import Executor
from pawl.ports.job_host import JobHost
from pawl.ports.randomness import Randomness
from pawl.ports.server_link import ServerLink
from pawl.worker.calling import until_answered
from pawl.worker.spool import Held

T = TypeVar("T")


class Notice(Protocol):
    """Told one sentence that people should know, and which attempt it is about, if any."""

    def __call__(self, text: str, about: Held | None = None, /) -> None:
        """Take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The world as a worker reaches it. `executor` only sweeps and probes here: jobs have their own."""

    link: ServerLink
    host: JobHost
    executor: Executor
    clock: Clock
    randomness: Randomness
    notice: Notice

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the server answers, asking until it does.

        Raises:
            UsageError: it refused.
        """
        return await until_answered(call, self.clock, self.randomness)
