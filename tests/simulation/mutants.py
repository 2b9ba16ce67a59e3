"""Planted bugs: each must be found within 2,000 seeds, or finding nothing would be no evidence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias
from unittest import mock

from pawl.core.approvals.forks import commit_of
from pawl.core.lifecycle import JobAdmitted
from pawl.core.lifecycle.draft import Draft
from pawl.core.lifecycle.retry import retry_delay
from pawl.core.model import run_events
from pawl.core.model.records import AttemptState
from pawl.core.model.status import FailureClass, Status
from pawl.engine.control import attempts, gates, groups, leases, results, sweeping, telling, triggering
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.engine.control.reports import Reports
from pawl.ports.store import Transaction
from tests.simulation.world import Options, run_seed

Patch: TypeAlias = tuple[Any, str, Any]


class _Deferring:
    """A transaction one method of which is done later, in a transaction of its own."""

    def __init__(self, transaction: Any, table: str, method: str, later: list[Any]) -> None:
        self._transaction = transaction
        self._table = table
        self._method = method
        self._later = later

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._transaction, name)
        return _DeferringTable(found, self._method, self._later) if name == self._table else found


class _DeferringTable:
    def __init__(self, table: Any, method: str, later: list[Any]) -> None:
        self._table = table
        self._method = method
        self._later = later

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._table, name)
        return lambda *arguments: self._later.append(arguments)


def _everywhere(real: Callable[..., Any], bug: Any) -> list[Patch]:
    """Return patches of a function in all modules that know it, by whatever name."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("pawl.")]
    return [
        (module, name, bug)
        for module in modules
        for name, value in list(vars(module).items())
        if value is real
    ]


def _outside(table: str, method: str) -> Patch:
    """Return a patch that does `table.method` after the transaction instead of in it."""

    async def write(self: Desk, work: Callable[[Any, Moment], Any]) -> Any:
        moment = self.moment()
        later: list[Any] = []

        def first(transaction: Transaction) -> Any:
            later.clear()
            return work(_Deferring(transaction, table, method, later), moment)

        def second(transaction: Transaction) -> None:
            for arguments in later:
                getattr(getattr(transaction, table), method)(*arguments)

        result = await self.store.write(first)
        if later:
            await self.store.write(second)
        return result

    return Desk, "write", write


def _held_by_anybody(row: Any, worker: Any, epoch: Any) -> bool:
    return row.state in leases.LIVE and row.epoch == epoch


def _held_in_any_epoch(row: Any, worker: Any, epoch: Any) -> bool:
    return row.state in leases.LIVE and row.worker == worker


def _held_though_finished(transaction: Any, worker: Any, lease: Any, *, lock: bool = True) -> Any:
    row = transaction.attempts.get(lease.ref)
    return replace(row, state=AttemptState.RUNNING)


def _lease_each_time(
    real: Callable[..., Any],
) -> Callable[[Any, Any, str, int, Moment], Any]:
    count = iter(range(10**9))
    return lambda transaction, worker, request, slots, moment: real(
        transaction, worker, f"{request}-{next(count)}", slots, moment
    )


def _tell_all(real: Callable[..., int]) -> Callable[..., int]:
    def tell(transaction: Any, lease: Any, first: int, events: Any, moment: Any) -> int:
        key = f"told:{lease.ref.run}:{lease.ref.job}:{lease.ref.attempt}"
        transaction.keys.put(key, first, time=moment.now)
        return real(transaction, lease, first, events, moment)

    return tell


def _keep_queued(real: Callable[..., None]) -> Callable[..., None]:
    return lambda change, effect: real(change, effect) if effect.running else None


def _give_back_the_epoch(real: Callable[..., None]) -> Callable[..., None]:
    return lambda change, row, moment: real(change, replace(row, epoch=row.epoch - 1), moment)


def _fast_clock(real: Callable[..., Any]) -> Callable[..., Any]:
    def early(transaction: Any, *arguments: Any) -> Any:
        sooner = [
            replace(each, now=each.now + 20) if isinstance(each, Moment) else each for each in arguments
        ]
        return real(transaction, *sooner)

    return early


def _start_all(self: Draft, group: Any) -> None:
    for job in group.jobs or ():
        if job.status is Status.WAITING:
            self.start_job(group.key, job)


def _retry_for_ever(real: Callable[..., float | None]) -> Callable[..., float | None]:
    def delay(run: Any, group: Any, job: Any, end: Any) -> float | None:
        again = end.failure_class is FailureClass.INFRASTRUCTURE and not end.final
        return 1.0 if again and not job.cancelling and not run.cancellation else real(run, group, job, end)

    return delay


async def _no_look_at_the_log(self: Reports, lease: Any, end: Any, stored: bytes) -> str:
    return str(end.note)


def _without_outputs(real: Callable[..., Mapping[Any, Any]]) -> Callable[..., Mapping[Any, Any]]:
    return lambda run, key: {need: replace(each, outputs={}) for need, each in real(run, key).items()}


def _never_give_up(change: Any, row: Any, moment: Any, swept: Any) -> None:
    sweeping.give_back(change, row, moment)


def _more_slots(real: Callable[..., Any]) -> Callable[..., Any]:
    def known(transaction: Any, worker: Any) -> Any:
        record = real(transaction, worker)
        return replace(record, slots=record.slots + 100)

    return known


def _of_any_start(change: Any, environment: str) -> Any:
    found = [each for each in change.tx.approvals.of_run(change.record.id) if each.environment]
    return next((each for each in found if each.environment.lower() == environment.lower()), None)


def _nothing(*_: Any) -> None:
    return None


def _wrapped(real: Callable[..., Any], wrap: Callable[[Any], Any]) -> list[Patch]:
    return _everywhere(real, wrap(real))


MUTANTS: Mapping[str, Callable[[], list[Patch]]] = MappingProxyType(
    {
        "approval holds for later starts": lambda: _everywhere(gates.current, _of_any_start),
        "approval holds for other commits": lambda: _everywhere(commit_of, lambda _: "f" * 40),
        "cancel leaves it in the queue": lambda: _wrapped(attempts.stop_attempt, _keep_queued),
        "capacity ignored": lambda: _wrapped(leases.known_worker, _more_slots),
        "environment lets everybody in": lambda: _everywhere(
            gates.ask, lambda change, effect: change.feed(JobAdmitted(id=effect.id))
        ),
        "epoch given back": lambda: _wrapped(results.give_back, _give_back_the_epoch),
        "epoch not compared": lambda: [(leases, "_is_held", _held_in_any_epoch)],
        "events outside the transaction": lambda: [_outside("events", "append")],
        "events told twice": lambda: _wrapped(telling.tell, _tell_all),
        "finish twice": lambda: [
            (results, "is_finished", lambda *_: False),
            (results, "held", _held_though_finished),
        ],
        "fork starts at once": lambda: _everywhere(gates.may_begin, lambda _: True),
        "forged events": lambda: [
            (telling, "WORKERS_EVENTS", (*telling.WORKERS_EVENTS, run_events.JobFinished))
        ],
        "grace not applied": lambda: _everywhere(sweeping.extend_leases, lambda *_: 0),
        "group not released": lambda: _everywhere(groups.leave_group, _nothing),
        "lapse by another clock": lambda: [
            *_wrapped(sweeping.lapsed, _fast_clock),
            *_wrapped(sweeping.end_lapsed, _fast_clock),
        ],
        "lease not repeatable": lambda: _wrapped(leases.lease_work, _lease_each_time),
        "log not looked at": lambda: [(Reports, "_check_log", _no_look_at_the_log)],
        "lost leases without end": lambda: _everywhere(sweeping._end_leased, _never_give_up),
        "max-parallel ignored": lambda: [(Draft, "_start_waiting", _start_all)],
        "outputs lost": lambda: [(attempts, "need_results", _without_outputs(attempts.need_results))],
        "queue timeout ignored": lambda: _everywhere(sweeping._end_waiting, _nothing),
        "retry without end": lambda: _wrapped(retry_delay, _retry_for_ever),
        "status outside the transaction": lambda: [_outside("runs", "save")],
        "trigger not repeatable": lambda: _everywhere(triggering._made_before, _nothing),
        "worker not compared": lambda: [(leases, "_is_held", _held_by_anybody)],
    }
)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Have the engine work with a bug while this is open."""
    patches = [mock.patch.object(place, what, bug) for place, what, bug in MUTANTS[name]()]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def find(name: str, within: int) -> tuple[int, str] | None:
    """Return the first seed that shows a bug, and how; None when no seed below `within` does."""
    with planted(name):
        for seed in range(within):
            found = run_seed(seed, Options(first_only=True)).violations
            if found:
                return seed, found[0]
    return None
