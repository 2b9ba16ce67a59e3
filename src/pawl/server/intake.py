"""The intake's parts as one server has them, and the loops that work on what came."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from pawl.core.model.errors import PawlError
from pawl.core.model.forge import ForgeKind
from pawl.core.model.projects import DeliveryRecord
from pawl.engine.control import Control
from pawl.engine.control.desk import Offload
from pawl.engine.intake import IntakeDesk, IntakeRules, Journal, Poll, Projects, Schedules, tidy
from pawl.engine.intake.desk import DELIVERIES, TellRefused
from pawl.ports.clock import Clock
from pawl.ports.forge import Forge
from pawl.ports.mirrors import Mirrors
from pawl.ports.randomness import Randomness
from pawl.ports.sealing import Sealing
from pawl.ports.store import Store
from pawl.server.log_lines import say
from pawl.server.waking import Waking

T = TypeVar("T")

_LOOK_EVERY = 1.0
"""Seconds after which the journal is looked at though nobody told of anything."""
_WATCH_EVERY = 5.0
"""Seconds between two looks at schedules and at whose poll is due."""
_LARGE_AT_ONCE = 4
_AFTER_A_FAULT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the intake needs of the world outside: how secrets are kept, forges, and git."""

    sealing: Sealing
    forges: Mapping[ForgeKind, Forge]
    mirrors: Mirrors


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One server's intake.

    Attributes:
        large: lets few large bodies in at a time: they are held in memory before anybody knows who sent them.
    """

    desk: IntakeDesk
    journal: Journal
    projects: Projects
    poll: Poll
    schedules: Schedules
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LARGE_AT_ONCE))

    async def work(self, waking: Waking) -> None:
        """Work on deliveries, until cancelled; one bad round ends nothing, one slow host delays no other."""
        ear = waking.listen(DELIVERIES)
        running: set[asyncio.Task[None]] = set()

        def ended(task: asyncio.Task[None]) -> None:
            running.discard(task)
            ear.tell()  # the next delivery of its project may be claimed now

        try:
            while True:
                room = self.desk.rules.at_once - len(running)
                claimed = (
                    await _guarded("claim deliveries", partial(self.journal.claim, room)) if room else ()
                )
                for delivery in claimed or ():
                    task = asyncio.create_task(self._work_on(delivery))
                    running.add(task)
                    task.add_done_callback(ended)
                if not claimed:
                    await ear.wait(_LOOK_EVERY)
        finally:
            waking.forget(ear)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _work_on(self, delivery: DeliveryRecord) -> None:
        fault = await _guarded("work on a delivery", partial(self.journal.work_on, delivery))
        if fault is not None:
            say("a delivery met a fault", logging.ERROR, error=fault, delivery=delivery.id)

    async def watch(self) -> None:
        """Look at schedules and heads, and remove what is too old, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_EVERY)
            await _guarded("look at the schedules", self._fire)
            await _guarded("poll", self._poll)
            await _guarded("tidy deliveries", lambda: tidy(self.desk))

    async def _fire(self) -> None:
        fired = await self.schedules.fire()
        _tell_faults("the schedules of a project cannot be read", fired.faults)

    async def _poll(self) -> None:
        polled = await self.poll.poll()
        _tell_faults("a project cannot be polled", polled.faults)
        if polled.deliveries:
            say("the poll found pushes that no webhook told", deliveries=polled.deliveries)


def make_intake(
    control: Control,
    outside: Outside,
    clock: Clock,
    randomness: Randomness,
    *,
    store: Store,
    offload: Offload,
    rules: IntakeRules | None = None,
    tell_refused: TellRefused | None = None,
) -> Intake:
    """Return the intake of a server."""
    desk = IntakeDesk(
        store=store,
        clock=clock,
        randomness=randomness,
        sealing=outside.sealing,
        forges=outside.forges,
        mirrors=outside.mirrors,
        runs=control.runs,
        tell_refused=tell_refused,
        rules=rules or IntakeRules(),
        offload=offload,
    )
    return Intake(
        desk=desk,
        journal=Journal(desk),
        projects=Projects(desk),
        poll=Poll(desk),
        schedules=Schedules(desk),
    )


async def _guarded(what: str, work: Callable[[], Awaitable[T]]) -> T | None:
    """Return what `work` returns; when it fails, say so and return None after a while."""
    try:
        return await work()
    except PawlError as error:
        say(f"failed: {what}", logging.WARNING, detail=error.message)
    except Exception as error:  # noqa: BLE001 - a fence: the next round may well succeed
        say(f"failed: {what}", logging.ERROR, error=error, detail=type(error).__name__)
    await asyncio.sleep(_AFTER_A_FAULT)
    return None


def _tell_faults(what: str, faults: Mapping[str, PawlError]) -> None:
    for project, fault in faults.items():
        say(what, logging.WARNING, project=project, detail=fault.message)
