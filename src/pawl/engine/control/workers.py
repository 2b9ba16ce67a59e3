"""What workers ask and tell. A worker is who its token says: its id is an argument, never in a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pawl.core.model.errors import NotFound, UsageError
from pawl.core.model.ids import WorkerId
from pawl.core.model.records import AttemptRecord, WorkerRecord
from pawl.core.model.reports import NOTHING, Report, Reported
from pawl.core.model.work import Begun, Lease, Renewal, Result, Welcome, Work, WorkerHello
from pawl.core.queue.labels import MOST_LABELS, offered_labels
from pawl.engine.control import leases
from pawl.engine.control.audit import note
from pawl.engine.control.desk import Desk
from pawl.engine.control.giving import Giving
from pawl.engine.control.marks import mark
from pawl.engine.control.moment import Moment
from pawl.engine.control.reports import Reports
from pawl.engine.control.tripwire import Tripwire
from pawl.ports.store import Transaction

MAX_SLOTS = 1000
"""Jobs that one worker may take at once."""

_LONGEST_NAME = 200
_MOST_FACTS = 50


def worker_id(token_digest: str, name: str) -> WorkerId:
    """Return the id of the worker that came with that token and calls itself `name`."""
    return WorkerId(f"{token_digest[:16]}.{name}")


class Workers:
    """The workers of a server. All methods about a lease raise `StaleLease` when it is gone."""

    def __init__(self, desk: Desk, tripwire: Tripwire) -> None:
        self._desk = desk
        self._reports = Reports(desk, tripwire)
        self._giving = Giving(desk, tripwire)

    async def hello(self, token_digest: str, hello: WorkerHello) -> Welcome:
        """Get to know a worker, or again; tell which of its attempts are not its own any more.

        Raises:
            UsageError: no version of the protocol in common, or a name, label or number that cannot be.
        """
        _check_hello(hello)
        rules = self._desk.rules
        if hello.protocol < min(rules.protocols):
            known = ", ".join(str(each) for each in rules.protocols)
            raise UsageError(
                f"the worker speaks version {hello.protocol} of the protocol, the server {known}",
                hint=f"install version {rules.version} on the worker",
            )
        protocol = max(each for each in rules.protocols if each <= hello.protocol)
        worker = worker_id(token_digest, hello.name)
        stale = await self._desk.write(lambda tx, moment: _greet(tx, worker, token_digest, hello, moment))
        return Welcome(
            worker=worker,
            protocol=protocol,
            version=rules.version,
            renew_every=rules.renew_every,
            lease_seconds=rules.lease_seconds,
            poll_seconds=rules.poll_seconds,
            stale=tuple(lease.ref for lease in stale),
        )

    async def lease(self, worker: WorkerId, request: str, slots: int) -> tuple[Work, ...]:
        """Return at most `slots` attempts, leased; none where nothing fits. Never waits.

        Asked again with the same request id, those of the first answer that are still leased so are returned.

        Raises:
            NotFound: the worker has not said hello, or was removed.
            UsageError: a request id that cannot be.
        """
        if not 0 < len(request) <= _LONGEST_NAME:
            raise UsageError(f"a request id has 1 to {_LONGEST_NAME} characters")
        return await self._desk.write(
            lambda tx, moment: leases.lease_work(tx, worker, request, slots, moment)
        )

    async def renew(
        self, worker: WorkerId, held: Sequence[Lease], *, health: str = "", draining: bool = False
    ) -> tuple[Renewal, ...]:
        """Renew leases; the answers, in the same order, say which are gone and which jobs are to stop.

        Raises:
            NotFound: the worker has not said hello, or was removed.
        """

        def work(tx: Transaction, moment: Moment) -> tuple[Renewal, ...]:
            record = leases.known_worker(tx, worker)
            tx.workers.put(
                replace(record, last_seen=moment.now, health=health[:_LONGEST_NAME], draining=draining)
            )
            return leases.renew(tx, worker, held, moment)

        return await self._desk.write(work)

    async def begin(self, worker: WorkerId, lease: Lease) -> Begun:
        """Make a leased attempt a running one, and return what it is given; again is no error.

        Raises:
            StaleLease: it is not, or no longer, this worker's.
            Unavailable: the forge that makes its token cannot be reached: ask again.
        """
        return await self._giving.begin(worker, lease)

    async def report(self, worker: WorkerId, lease: Lease, report: Report) -> Reported:
        """Store what a worker reports of a running attempt, and return how much of it there is now.

        What was reported before is compared and not stored again. A piece of a log that cannot be stored
        keeps back the later pieces of that log and the events of this report, and nothing else.

        Args:
            worker: who reports.
            lease: of the attempt.
            report: events of kinds that are not a worker's are left out of it.

        Raises:
            StaleLease: it is not, or no longer, this worker's, or has not begun.
            OffsetConflict: events are missing in between; it holds how many were told.
            UsageError: there can be no such step.
            TooLarge: too much at once.
        """
        return await self._reports.take(worker, lease, report)

    async def finish(self, worker: WorkerId, lease: Lease, result: Result, report: Report = NOTHING) -> None:
        """End an attempt; again with the same key is no error.

        Args:
            worker: who says so.
            lease: of the attempt.
            result: how it ended.
            report: what is to be stored before; all of it is, or the attempt does not end.

        Raises:
            StaleLease: it is not, or no longer, this worker's.
            OffsetConflict: a log is not whole, or the report not taken; it holds how much of it is stored.
            Conflict: the attempt ended otherwise.
            UsageError: a running attempt cannot end so.
        """
        await self._reports.finish(worker, lease, result, report)

    async def all(self) -> tuple[WorkerRecord, ...]:
        """Return all workers by name."""
        return await self._desk.read(lambda tx: tx.workers.all())

    async def all_with_work(self) -> tuple[tuple[WorkerRecord, tuple[AttemptRecord, ...]], ...]:
        """Return all workers by name, each with what it has leased or is running, by run."""

        def look(tx: Transaction) -> tuple[tuple[WorkerRecord, tuple[AttemptRecord, ...]], ...]:
            held: dict[WorkerId | None, list[AttemptRecord]] = {}
            for row in sorted(tx.attempts.live(), key=lambda row: (row.ref.run, row.ref.job)):
                held.setdefault(row.worker, []).append(row)
            return tuple((worker, tuple(held.get(worker.id, ()))) for worker in tx.workers.all())

        return await self._desk.read(look)

    async def remove(self, worker: WorkerId, *, by: str = "") -> None:
        """Forget a worker; what it works on is given up when its leases end.

        Raises:
            NotFound: there is none.
        """

        def work(tx: Transaction, moment: Moment) -> None:
            if tx.workers.get(worker) is None:
                raise NotFound(f"there is no worker {worker}", hint="`pawl workers` lists them")
            tx.workers.remove(worker)
            note(tx, moment, by=by, action="worker.remove", target=str(worker))

        await self._desk.write(work)


def _check_hello(hello: WorkerHello) -> None:
    if not 0 < len(hello.name) <= _LONGEST_NAME or not hello.name.isprintable():
        raise UsageError(f"a worker's name has 1 to {_LONGEST_NAME} printable characters")
    if not 0 < hello.slots <= MAX_SLOTS:
        raise UsageError(f"a worker has 1 to {MAX_SLOTS} slots, not {hello.slots}")
    if len(hello.labels) > MOST_LABELS or any(len(label) > _LONGEST_NAME for label in hello.labels):
        raise UsageError(f"a worker has at most {MOST_LABELS} labels of {_LONGEST_NAME} characters")
    if len(hello.facts) > _MOST_FACTS:
        raise UsageError(f"a worker tells at most {_MOST_FACTS} facts")


def _greet(
    tx: Transaction, worker: WorkerId, token: str, hello: WorkerHello, moment: Moment
) -> tuple[Lease, ...]:
    """Store what a worker says of itself and return which of its leases are gone."""
    known = tx.workers.get(worker)
    tx.workers.put(
        WorkerRecord(
            id=worker,
            name=hello.name,
            token=token,
            labels=offered_labels(hello.labels),
            slots=hello.slots,
            first_seen=known.first_seen if known else moment.now,
            last_seen=moment.now,
            facts={**hello.facts, "version": hello.version},
        )
    )
    live = {(row.ref, row.epoch) for row in tx.attempts.of_worker(worker)}
    stale = tuple(lease for lease in hello.running if (lease.ref, lease.epoch) not in live)
    if stale:
        mark("hello.stale")
    return stale
