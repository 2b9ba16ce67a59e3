"""The judge: looks at every commit, compares it with the one before, and with what the world saw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptRef, AttemptState, StoredEvent
from pawl.engine.control.rules import Rules
from pawl.ports.store import Transaction
from tests.simulation import audit, steps
from tests.simulation.gates import Gates
from tests.simulation.history import History
from tests.simulation.views import RunView, read_view

_LIVE = frozenset({AttemptState.LEASED, AttemptState.RUNNING})


class Oracle:
    """Keeps the last view of each run.

    `slots` and `labels` of each worker are told by whoever makes the world.
    """

    def __init__(self, history: History, rules: Rules) -> None:
        self.history = history
        self.rules = rules
        self.views: dict[RunId, RunView] = {}
        self.events: dict[RunId, list[StoredEvent]] = {}
        self.slots: dict[str, int] = {}
        self.labels: dict[str, frozenset[str]] = {}
        self.gates: Gates | None = None
        self.commits = 0
        self._earliest: dict[AttemptRef, float] = {}
        self._remaining: dict[AttemptRef, float] | None = None

    # What the world says.

    def server_died(self, now: float) -> None:
        """Note how much was left of each lease: a lease must not run while no server is there (F4)."""
        if self._remaining is None:
            self._remaining = {ref: end - now for ref, end in self._earliest.items()}

    def server_lives(self, now: float) -> None:
        """Note that there is a server again."""
        for ref, left in (self._remaining or {}).items():
            if ref in self._earliest:
                self._earliest[ref] = now + left
        self._remaining = None

    # What the store says.

    def look(self, transaction: Transaction, touched: Iterable[RunId]) -> list[tuple[RunId, RunView | None]]:
        """Return what a transaction makes of the runs that it changed."""
        touched = list(touched)
        for run in touched if self.gates is not None else ():
            self.gates.learn(transaction, run)
        return [
            (
                run,
                read_view(
                    transaction,
                    run,
                    after=len(self.events.get(run, ())),
                    known=self.views.get(run),
                    with_logs=False,
                ),
            )
            for run in touched
        ]

    def committed(self, seen: list[tuple[RunId, RunView | None]], wall: float, now: float) -> None:
        """Judge a commit.

        Args:
            seen: what `look` returned.
            wall: the server's time.
            now: virtual seconds.
        """
        self.commits += 1
        for run, view in seen:
            before = self.views.get(run)
            if view is None:
                self.history.violated("I4", f"run {run} is gone")
                continue
            for message in self._judge(before, view, wall, now):
                self.history.note(message)
            self.views[run] = view
        if seen:
            rows = [row for view in self.views.values() for row in view.attempts.values()]
            members = [member for view in self.views.values() for member in view.groups]
            for message in (*audit.audit_groups(members), *audit.audit_workers(rows, self.slots)):
                self.history.note(message)

    def _judge(self, before: RunView | None, view: RunView, wall: float, now: float) -> Iterator[str]:
        events = self.events.setdefault(view.id, [])
        events.extend(view.events)
        yield from audit.audit_run(view)
        if view.events or before is None or view.state is not before.state:
            yield from audit.audit_events(view, events)
        yield from steps.compare(before, view, self.rules, self.labels)
        if self.gates is not None:
            yield from self.gates.check(before, view, wall)
        yield from self._leases(before, view, wall, now)

    def _leases(self, before: RunView | None, view: RunView, wall: float, now: float) -> Iterator[str]:
        """Check that no lease ended before its time by the server's clock (I15)."""
        for ref, row in view.attempts.items():
            old = before.attempts.get(ref) if before else None
            if old is not None and steps.lapsed(old, row):
                earliest = self._earliest.get(ref, -math.inf)
                if now < earliest - 0.001:
                    yield f"I15: the lease of {ref} was ended {earliest - now:.1f} seconds before its time"
            if row.state not in _LIVE:
                self._earliest.pop(ref, None)
            elif (
                self._remaining is None
                and row.deadline is not None
                and (
                    old is None
                    or (old.deadline, old.epoch, old.state) != (row.deadline, row.epoch, row.state)
                )
            ):
                self._earliest[ref] = now + row.deadline - wall
