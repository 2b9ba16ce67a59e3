"""What workers report: bytes of logs, then what is told of them, then perhaps the end of the attempt.

The bytes are stored first, outside any transaction, then one transaction has all the rest. What a server that
dies in between has stored is compared when the worker sends it again (architecture.md M7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256

from pawl.core.lifecycle.state import group_of
from pawl.core.model.errors import OffsetConflict, TooLarge
from pawl.core.model.ids import WorkerId
from pawl.core.model.reports import Piece, Report, Reported, Taken
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Lease, LogEnd, Result
from pawl.engine.control import leases, results, telling
from pawl.engine.control.desk import Desk
from pawl.engine.control.marks import mark
from pawl.engine.control.tripwire import WITHHELD, Tripwire
from pawl.ports.log_bytes import LogName
from pawl.ports.store import Transaction

MAX_SEARCHED = 1_048_576
"""Bytes at the end of each log that `retry.log` is looked for in."""

_QUICKLY_HASHED = 65_536


class Reports:
    """The reports of running attempts. All methods raise `StaleLease` when the lease is gone."""

    def __init__(self, desk: Desk, tripwire: Tripwire) -> None:
        """Keep them with the ports of `desk`."""
        self._desk = desk
        self._tripwire = tripwire

    async def take(self, worker: WorkerId, lease: Lease, report: Report) -> Reported:
        """Store a report; as `Workers.report`."""
        telling.check_report(report, self._desk.rules.quotas)
        await self._desk.read(lambda tx: leases.held_running(tx, worker, lease, lock=False))
        report = await self._tripwire.report(lease.ref, report)
        taken = await self._store(lease, report.pieces)
        whole = all(_is_stored(piece, each) for piece, each in zip(report.pieces, taken, strict=True))
        # The lease may have ended meanwhile: what came too late is not acknowledged, and not counted to the
        # log, whose size was settled with the attempt.
        if report.events or any(piece.offset == 0 for piece in report.pieces):
            told = await self._desk.write(
                lambda tx, moment: telling.take(tx, worker, lease, report, moment, whole=whole)
            )
        else:
            told = await self._desk.read(lambda tx: _look(tx, worker, lease))
        return Reported(told=told, pieces=taken)

    async def finish(self, worker: WorkerId, lease: Lease, result: Result, report: Report) -> None:
        """End an attempt after its last report; as `Workers.finish`."""
        quotas = self._desk.rules.quotas
        ending = results.bounded(result, quotas)
        telling.check_report(report, quotas)
        if await self._desk.read(lambda tx: results.is_finished(tx, worker, lease, ending)):
            return
        if report.pieces:
            await self._desk.read(lambda tx: leases.held_running(tx, worker, lease, lock=False))
        report = await self._tripwire.report(lease.ref, report)
        ending = await self._tripwire.result(lease.ref, ending)
        taken = await self._store(lease, report.pieces)
        for piece, each in zip(report.pieces, taken, strict=True):
            if not _is_stored(piece, each):
                mark("finish.report_refused")
                raise OffsetConflict(
                    f"a piece of the log of step {piece.index} of {lease.ref} is not taken",
                    hint="report the rest first",
                    size=each.size,
                )
        notes = await self._notes(lease, ending, _small_logs(report.pieces))
        found = results.LogFacts(notes=notes, texts=await self._log_texts(lease, ending))
        await self._desk.write(
            lambda tx, moment: results.finish(tx, worker, lease, (ending, report), found, moment)
        )

    async def _store(self, lease: Lease, pieces: Sequence[Piece]) -> tuple[Taken, ...]:
        """Store pieces: those of one log in their order, those of several side by side."""
        by_step: dict[int, list[int]] = {}
        for number, piece in enumerate(pieces):
            by_step.setdefault(piece.index, []).append(number)
        taken: dict[int, Taken] = {}

        async def store(numbers: Sequence[int]) -> None:
            goes_on = True
            for number in numbers:
                piece = pieces[number]
                taken[number] = await (self._append(lease, piece) if goes_on else self._skip(lease, piece))
                goes_on = goes_on and _is_stored(piece, taken[number])

        if len(by_step) == 1:
            await store(range(len(pieces)))
        else:
            # All of them have come to an end before one's fault is told.
            ends = await asyncio.gather(*map(store, by_step.values()), return_exceptions=True)
            for end in ends:
                if isinstance(end, BaseException):
                    raise end
        return tuple(taken[number] for number in range(len(pieces)))

    async def _append(self, lease: Lease, piece: Piece) -> Taken:
        name = LogName(attempt=lease.ref, index=piece.index)
        try:
            telling.check_piece(piece, self._desk.rules.quotas)
            return Taken(size=await self._desk.logs.append(name, piece.part, piece.offset, piece.data))
        except OffsetConflict as error:
            known = error.size - piece.offset
            if known > 0 and await self._tripwire.is_withheld(lease.ref, piece.index):
                # What is stored differs from what the worker has, on purpose.
                rest = piece.data[known:]
                return Taken(size=await self._desk.logs.append(name, piece.part, error.size, rest))
            mark("log.gap_refused")
            return Taken(size=error.size, conflict=True)
        except TooLarge as error:
            return Taken(size=piece.offset, refused=error.message)

    async def _skip(self, lease: Lease, piece: Piece) -> Taken:
        """Leave out a piece: an index must not tell of lines that are not stored."""
        name = LogName(attempt=lease.ref, index=piece.index)
        return Taken(size=await self._desk.logs.size(name, piece.part))

    async def _notes(self, lease: Lease, result: Result, stored: Mapping[int, bytes]) -> dict[int, str]:
        """Return why logs are not whole, by step.

        Raises:
            OffsetConflict: one is not, and the worker does not say why.
        """
        notes: dict[int, str] = {}
        for end in result.logs:
            note = await self._check_log(lease, end, stored.get(end.index, b""))
            if note:
                notes[end.index] = note
        return notes

    async def _check_log(self, lease: Lease, end: LogEnd, stored: bytes) -> str:
        """Return why a log is not whole, "" when it is (I19).

        Args:
            lease: of its attempt.
            end: how it ended, as the worker says.
            stored: bytes that begin it, where it is known that these are stored: nobody need read them back.

        Raises:
            OffsetConflict: it is not, and the worker does not say why.
        """
        name = LogName(attempt=lease.ref, index=end.index)
        size = await self._desk.logs.size(name, "data")
        if size == end.size:
            known = stored if len(stored) == size else None
            digest = await self._desk.logs.digest(name) if known is None else sha256(known).hexdigest()
            if size == 0 or digest == end.sha256:
                return end.note
        if end.note:
            mark("finish.log_truncated")
            return end.note
        if size == end.size and await self._tripwire.is_withheld(lease.ref, end.index):
            return WITHHELD
        mark("finish.log_incomplete")
        message = f"the log of step {end.index} of {lease.ref} has {end.size} bytes, and {size} are stored"
        if size == end.size:
            message = f"the log of step {end.index} of {lease.ref} is stored with another content"
        raise OffsetConflict(message, hint="send the rest first", size=size)

    async def _log_texts(self, lease: Lease, result: Result) -> frozenset[str]:
        """Return which texts of `retry.log` the ends of a failed attempt's logs hold."""

        def wanted(tx: Transaction) -> tuple[str, ...]:
            record = tx.runs.get(lease.ref.run)
            plan = self._desk.plans.get(tx, record) if record is not None else None
            retry = plan.job(group_of(lease.ref.job)).retry if plan is not None else None
            return retry.log if retry is not None else ()

        if result.conclusion is Conclusion.SUCCESS:
            return frozenset()
        texts, found = await self._desk.read(wanted), set[str]()
        for end in result.logs if texts else ():
            name = LogName(attempt=lease.ref, index=end.index)
            tail = await self._desk.logs.read(name, "data", start=max(0, end.size - MAX_SEARCHED))
            found |= {text for text in texts if text.encode("utf-8", "surrogatepass") in tail}
        return frozenset(found)


def _look(tx: Transaction, worker: WorkerId, lease: Lease) -> int:
    leases.held_running(tx, worker, lease, lock=False)
    return telling.told(tx, lease)


def _is_stored(piece: Piece, taken: Taken) -> bool:
    return not (taken.conflict or taken.refused) and taken.size >= piece.offset + len(piece.data)


def _small_logs(pieces: Sequence[Piece]) -> dict[int, bytes]:
    """Return what was just stored as the beginning of small logs, by step."""
    return {
        piece.index: piece.data
        for piece in pieces
        if piece.part == "data" and piece.offset == 0 and len(piece.data) <= _QUICKLY_HASHED
    }
