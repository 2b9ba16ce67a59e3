"""What the parts of the control engine share: its ports, its rules, and how they reach the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pawl.engine.control.clones import Clones
from pawl.engine.control.job_tokens import JobTokens
from pawl.engine.control.moment import Moment, PlanCache, StateCache
from pawl.engine.control.rules import Rules
from pawl.ports.blobs import Blobs
from pawl.ports.clock import Clock
from pawl.ports.log_bytes import LogBytes
from pawl.ports.randomness import Randomness
from pawl.ports.sealing import Sealing
from pawl.ports.store import Store, Transaction

T = TypeVar("T")


class Offload(Protocol):
    """Runs a function that takes long away from the event loop: `asyncio.to_thread`, or nothing at all."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Return what `work` returned."""


async def at_once(work: Callable[[], T]) -> T:
    """Run `work` where it stands: for tests and simulations."""
    return work()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What secrets and the files of projects take.

    Attributes:
        sealing: None where none can be kept.
        job_tokens: None where no job is given a token.
        clones: None where no project's files can be had.
    """

    sealing: Sealing | None = None
    job_tokens: JobTokens | None = None
    clones: Clones | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The ports and rules of one control engine."""

    store: Store
    logs: LogBytes
    blobs: Blobs
    clock: Clock
    randomness: Randomness
    rules: Rules
    offload: Offload = at_once
    keeping: Keeping = field(default_factory=Keeping)
    plans: PlanCache = field(default_factory=PlanCache)
    states: StateCache = field(default_factory=StateCache)

    def moment(self) -> Moment:
        """Return this moment."""
        return Moment(now=self.clock.now(), rules=self.rules, plans=self.plans, states=self.states)

    async def write(self, work: Callable[[Transaction, Moment], T]) -> T:
        """Run `work` in a transaction, at this moment."""
        moment = self.moment()
        return await self.store.write(lambda tx: work(tx, moment))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads."""
        return await self.store.read(work)
