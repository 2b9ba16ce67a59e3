"""`Control`: everything that a server does, apart from talking HTTP."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pawl.core.model.approvals import Approval
from pawl.core.model.errors import InfrastructureError, InternalError, UsageError
from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptRef, LogRecord
from pawl.engine.control import approvals, audit, retention, sweeping
from pawl.engine.control.approvals import Approvals
from pawl.engine.control.artifacts import Artifacts
from pawl.engine.control.desk import Desk, Keeping, Offload, at_once
from pawl.engine.control.environments import Environments
from pawl.engine.control.moment import Moment
from pawl.engine.control.queue import Queue
from pawl.engine.control.requests import AuditEntry, SweepReport
from pawl.engine.control.resealing import Resealing
from pawl.engine.control.rules import Rules
from pawl.engine.control.runs import Runs
from pawl.engine.control.secrets import Secrets
from pawl.engine.control.tokens import Tokens
from pawl.engine.control.tripwire import Tripwire
from pawl.engine.control.workers import Workers
from pawl.ports.blobs import Blobs
from pawl.ports.clock import Clock
from pawl.ports.log_bytes import LogBytes, LogName
from pawl.ports.randomness import Randomness
from pawl.ports.store import Store, Transaction

_FAULTS = (InternalError, UsageError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a run whose rows make no sense raises. A store that cannot answer raises something else."""


class Control:
    """The control engine. It keeps nothing that matters in memory: any number may share a store."""

    def __init__(
        self,
        store: Store,
        logs: LogBytes,
        blobs: Blobs,
        clock: Clock,
        randomness: Randomness,
        rules: Rules,
        offload: Offload = at_once,
        keeping: Keeping | None = None,
    ) -> None:
        """Take the ports and the rules.

        Args:
            store: all that must not be lost.
            logs: the bytes of logs.
            blobs: artifacts and sources.
            clock: `now` must not jump while a server is there.
            randomness: for tokens and ids.
            rules: the numbers to go by.
            offload: how to run what takes long (parsing a file): a server gives `asyncio.to_thread`.
            keeping: what secrets take; without it there are none.
        """
        self._desk = Desk(
            store=store,
            logs=logs,
            blobs=blobs,
            clock=clock,
            randomness=randomness,
            rules=rules,
            offload=offload,
            keeping=keeping or Keeping(),
        )
        self.store = store
        self.logs = logs
        self.blobs = blobs
        self.clock = clock
        self.rules = rules
        self.runs = Runs(self._desk)
        self.queue = Queue(self._desk)
        self.tripwire = Tripwire(self._desk)
        self.workers = Workers(self._desk, self.tripwire)
        self.artifacts = Artifacts(self._desk, self.tripwire)
        self.secrets = Secrets(self._desk)
        self.resealing = Resealing(self._desk)
        self.tokens = Tokens(self._desk)
        self.approvals = Approvals(self._desk)
        self.environments = Environments(self._desk)

    async def recover(self) -> int:
        """Give live leases as much longer as no server was there, and return how many; for the start."""
        return await self._desk.write(sweeping.extend_leases)

    async def sweep(self) -> SweepReport:
        """Do what time alone asks for; to be called every few seconds. Several at once do no harm.

        A run that is broken stops nothing: the report says what about it could not be done.

        Raises:
            Unavailable: the store cannot answer.
        """
        desk, swept = self._desk, sweeping.Swept()
        await desk.write(sweeping.still_alive)
        broken = await self._end_all_lapsed(swept)
        decided = await self._settle_due(broken)
        unblocked = 0
        for run in await desk.read(sweeping.waiting_for_groups):
            try:
                unblocked += await desk.write(partial(_heal, run))
            except _FAULTS as error:
                broken[f"run {run}"] = error
        forgotten = await desk.write(sweeping.forget_workers)
        removed = await retention.remove_old(desk) or retention.Removed()
        return SweepReport(
            requeued=tuple(swept.requeued),
            lost=tuple(swept.lost),
            given_up=tuple(swept.given_up),
            timed_out=tuple(swept.timed_out),
            unblocked=unblocked,
            decided=decided,
            forgotten=forgotten,
            broken=broken,
            deleted_runs=removed.runs,
            deleted_logs=removed.logs,
            deleted_artifacts=removed.artifacts,
            deleted_blobs=removed.blobs,
            deleted_keys=removed.keys,
            deleted_bytes=removed.size,
        )

    async def _end_all_lapsed(self, swept: sweeping.Swept) -> dict[str, Exception]:
        """End what is past its time; return what cannot be ended, which stops nothing else."""
        desk, moment = self._desk, self._desk.moment()
        broken: dict[str, Exception] = {}
        seen: set[AttemptRef] = set()
        while refs := [
            ref for ref in await desk.read(lambda tx: sweeping.lapsed(tx, moment)) if ref not in seen
        ]:
            seen.update(refs)
            for ref in refs:
                try:
                    one = await desk.write(partial(_end_lapsed, ref))
                except _FAULTS as error:
                    broken[str(ref)] = error
                    continue
                for name in ("requeued", "lost", "given_up", "timed_out"):
                    getattr(swept, name).extend(getattr(one, name))
                for lost in one.lost:
                    await self._settle_logs(lost)
        return broken

    async def _settle_due(self, broken: dict[str, Exception]) -> int:
        """Let in or give up what waited long enough; return how many were."""
        desk, moment, decided = self._desk, self._desk.moment(), 0
        for each in await desk.read(lambda tx: approvals.due(tx, moment)):
            try:
                decided += await desk.write(partial(_settle_one, each))
            except _FAULTS as error:
                broken[f"approval of run {each.run}"] = error
        return decided

    async def _settle_logs(self, ref: AttemptRef) -> None:
        """Note how much there is of the logs of an attempt whose worker was lost: nothing more is taken."""
        for log in await self._desk.read(lambda tx: tx.logs.of_attempt(ref)):
            if not log.finished:
                try:
                    size = await self.logs.size(LogName(attempt=ref, index=log.index), "data")
                except InfrastructureError:
                    size = log.size  # trouble with the bytes of logs holds up no job's end
                ended = replace(log, size=size, note=sweeping.LOST, finished=True)
                await self._desk.write(partial(_put_log, ended))

    async def audit(self, after: int = 0, limit: int = 1000) -> tuple[AuditEntry, ...]:
        """Return who did what, from the entry after that number on, in order."""
        return await self._desk.read(lambda tx: audit.entries(tx, after, limit))


def _end_lapsed(ref: AttemptRef, tx: Transaction, moment: Moment) -> sweeping.Swept:
    # Made here and not outside: the transaction may be run again, and what it found must not count twice.
    swept = sweeping.Swept()
    sweeping.end_lapsed(tx, ref, moment, swept)
    return swept


def _put_log(log: LogRecord, tx: Transaction, _: Moment) -> None:
    tx.logs.put(log)


def _settle_one(approval: Approval, tx: Transaction, moment: Moment) -> bool:
    return approvals.settle_due(tx, approval, moment)


def _heal(run: RunId, tx: Transaction, moment: Moment) -> bool:
    return sweeping.heal_group(tx, run, moment)
