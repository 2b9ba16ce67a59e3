"""Reporting as one server has it: the listener of runs, and the loops that send what it wrote."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pawl.core.model.errors import PawlError
from pawl.engine.reporting import (
    NOTICES,
    STATUSES,
    Destinations,
    Notices,
    Reporter,
    ReportingDesk,
    ReportingRules,
    Statuses,
    tidy,
)
from pawl.engine.reporting.crew import Crew
from pawl.server.log_lines import say
from pawl.server.metrics import Metrics
from pawl.server.waking import Waking

_LOOK_EVERY = 1.0
"""Seconds after which the outboxes are looked at though nobody told of anything."""
_TIDY_EVERY = 60.0
_AFTER_A_FAULT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """One server's reporting."""

    desk: ReportingDesk
    statuses: Statuses
    notices: Notices
    destinations: Destinations
    metrics: Metrics

    async def send_statuses(self, waking: Waking) -> None:
        """Send commit statuses, until cancelled."""
        count = _Counted(self.statuses.counts, self.metrics.status_posts)
        await _send(self.statuses.crew, waking, STATUSES, count)

    async def send_notices(self, waking: Waking) -> None:
        """Send notices, until cancelled."""
        await _send(self.notices.crew, waking, NOTICES, _Counted(self.notices.counts, self.metrics.notices))

    async def tidy(self) -> None:
        """Remove what is too old, until cancelled."""
        while True:
            await asyncio.sleep(_TIDY_EVERY)
            await _guarded("tidy what was told", lambda: tidy(self.desk))


def make_reporter(rules: ReportingRules) -> Reporter:
    """Return the listener that a server's runs are to have."""
    return Reporter(rules, lambda error: say("what a run tells is not written", logging.ERROR, error=error))


def make_reporting(desk: ReportingDesk, metrics: Metrics) -> Reporting:
    """Return the reporting of a server."""
    return Reporting(
        desk=desk,
        statuses=Statuses(desk),
        notices=Notices(desk),
        destinations=Destinations(desk),
        metrics=metrics,
    )


class _Counted:
    """Carries what a crew has counted to a metric."""

    def __init__(self, counts: Counter[str], metric: Any) -> None:
        self._counts = counts
        self._metric = metric
        self._carried: Counter[str] = Counter()

    def carry(self) -> None:
        for name, count in self._counts.items():
            self._metric.labels(name).inc(count - self._carried[name])
        self._carried = self._counts.copy()


async def _send(crew: Crew[Any, Any], waking: Waking, topic: str, counted: _Counted) -> None:
    """Have a crew send what is due: when it is told, when something was sent, and every second."""
    ear = waking.listen(topic)
    try:
        while True:
            begun = await _guarded("look for what is to be sent", crew.round)
            if not begun:
                waiting = asyncio.ensure_future(ear.wait(_LOOK_EVERY))
                try:
                    await asyncio.wait({waiting, *crew.tasks}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()
                    await asyncio.gather(waiting, return_exceptions=True)
            counted.carry()
            for fault in crew.faults:
                level = logging.WARNING if isinstance(fault, PawlError) else logging.ERROR
                say("sending failed", level, error=fault, detail=type(fault).__name__)
            crew.faults.clear()
    finally:
        waking.forget(ear)
        await crew.aclose()


async def _guarded(what: str, work: Callable[[], Awaitable[int]]) -> int:
    """Return what `work` returns; when it fails, say so and return 0 after a while."""
    try:
        return await work()
    except PawlError as error:
        say(f"failed: {what}", logging.WARNING, detail=error.message)
    except Exception as error:  # noqa: BLE001 - a fence: the next round may well succeed
        say(f"failed: {what}", logging.ERROR, error=error, detail=type(error).__name__)
    await asyncio.sleep(_AFTER_A_FAULT)
    return 0
