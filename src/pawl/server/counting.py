"""Counting what this server brought about: runs, attempts and how long they took."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

from pawl.core.model.errors import PawlError
from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptRecord, AttemptRef, RunRecord
from pawl.core.model.status import FailureClass, Status
from pawl.engine.control import Control
from pawl.ports.store import Transaction
from pawl.server.log_lines import correlated, say
from pawl.server.metrics import Metrics

_REMEMBERED = 10_000
_LONGEST_REASON = 500
_LATER = 0.25
"""Seconds after which what changed is read back: what many requests changed, in one go."""


@dataclass(slots=True)
class _Changed:
    """What is to be read back; a dict where each stands once, in order."""

    begun: dict[AttemptRef, None] = field(default_factory=dict)
    finished: dict[AttemptRef, None] = field(default_factory=dict)
    runs: dict[RunId, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was read back of it."""

    begun: list[AttemptRecord]
    finished: list[AttemptRecord]
    runs: list[RunRecord]


class Counting:
    """Reads back what has just changed, counts it and logs it; a failure to do so is nobody's business."""

    def __init__(self, control: Control, metrics: Metrics) -> None:
        self._control = control
        self._metrics = metrics
        self._ended: dict[object, None] = {}
        self._changed = _Changed()
        self._timer: asyncio.TimerHandle | None = None
        self._settling: set[asyncio.Task[None]] = set()

    def begun(self, ref: AttemptRef) -> None:
        """Measure how long an attempt waited that was begun."""
        self._changed.begun[ref] = None
        self._soon()

    def finished(self, ref: AttemptRef) -> None:
        """Count an attempt that was finished, and its run if that ended with it."""
        self._changed.finished[ref] = None
        self.runs(ref.run)

    def runs(self, *runs: RunId) -> None:
        """Count those of these runs that have ended."""
        self._changed.runs.update(dict.fromkeys(runs))
        self._soon()

    async def settle(self) -> None:
        """Count what has changed so far."""
        changed, self._changed = self._changed, _Changed()
        if not (changed.begun or changed.finished or changed.runs):
            return
        try:
            found = await self._control.store.read(lambda transaction: _read(transaction, changed))
        except PawlError:
            return
        self._count(found)

    async def aclose(self) -> None:
        """Count what has changed so far; nothing may be told afterwards."""
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._settling, return_exceptions=True)
        await self.settle()

    def _soon(self) -> None:
        # Whoever caused it does not wait for it to be counted.
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LATER, self._begin_to_settle)

    def _begin_to_settle(self) -> None:
        self._timer = None
        task = asyncio.get_running_loop().create_task(self.settle())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    def _count(self, found: _Found) -> None:
        known = {run.id: run for run in found.runs}
        for attempt in found.begun:
            if attempt.leased_at is not None and self._first(("begun", attempt.ref)):
                self._metrics.queue_seconds.observe(max(0.0, attempt.leased_at - attempt.queued_at))
                _say_begun(attempt, known.get(attempt.ref.run))
        for attempt in found.finished:
            if self._first(("finished", attempt.ref)):
                self._metrics.attempt_ended(attempt)
                _say_ended(attempt, known.get(attempt.ref.run))
        for run in found.runs:
            if run.status is Status.COMPLETED and self._first((run.id, run.attempt)):
                self._metrics.run_ended(run)
                with correlated(run.correlation):
                    say("run ended", run=run.id, attempt=run.attempt, conclusion=run.conclusion)

    def _first(self, what: object) -> bool:
        """Return whether this has not been counted: calls may be repeated."""
        if what in self._ended:
            return False
        self._ended[what] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.pop(next(iter(self._ended)))
        return True


def _read(transaction: Transaction, changed: _Changed) -> _Found:
    """Return what is stored of what changed; runs may have been removed since."""
    attempts = {ref: transaction.attempts.get(ref) for ref in {**changed.begun, **changed.finished}}
    named = dict.fromkeys([*changed.runs, *(ref.run for ref in attempts)])
    runs = [transaction.runs.get(run) for run in named]
    return _Found(
        begun=[found for ref in changed.begun if (found := attempts[ref]) is not None],
        finished=[found for ref in changed.finished if (found := attempts[ref]) is not None],
        runs=[found for found in runs if found is not None],
    )


def _say_begun(attempt: AttemptRecord, run: RunRecord | None) -> None:
    ref = attempt.ref
    with correlated(run.correlation if run is not None else ""):
        say("job began", run=ref.run, job=ref.job, attempt=ref.attempt, worker=attempt.worker)


def _say_ended(attempt: AttemptRecord, run: RunRecord | None) -> None:
    """Log the end of an attempt; why, where it is not the user's fault: theirs is in the job's log."""
    ref, ours = attempt.ref, attempt.failure_class not in {None, FailureClass.USER}
    reason = "".join(letter if letter.isprintable() else " " for letter in attempt.reason)
    why: dict[str, Any] = {"class": attempt.failure_class, "reason": reason[:_LONGEST_REASON]} if ours else {}
    with correlated(run.correlation if run is not None else ""):
        say(
            "job ended",
            logging.WARNING if ours else logging.INFO,
            run=ref.run, job=ref.job, attempt=ref.attempt, worker=attempt.worker,
            conclusion=attempt.conclusion, **why,
        )  # fmt: skip
