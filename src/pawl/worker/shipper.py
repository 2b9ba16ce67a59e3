"""Sending an attempt's spool to the server: events in order, and the bytes of logs at the server's offsets.

Both go together in one report of bounded size, in which the last event of a step is only when the rest of its
log is, too: so a reader never sees a step end before its output. The server owns the offsets (architecture.md
M7): it answers every piece with how much it has, and from there this goes on, also after a restart of either
side. Memory used does not grow with the output.
"""

from __future__ import annotations

import json

from pawl.core.model.errors import OffsetConflict
from pawl.core.model.plan import Json
from pawl.core.model.reports import Piece, Report, Reported
from pawl.ports.server_link import ServerLink
from pawl.wire import WireLimits
from pawl.worker.growing import GrowingLog, read_from
from pawl.worker.spool import Spool

LIMITS = WireLimits()


class Shipper:
    """Sends one attempt's events and logs."""

    def __init__(self, spool: Spool, link: ServerLink) -> None:
        """Send what is in `spool`, from the beginning; what the server has already it takes once."""
        self._spool = spool
        self._link = link
        self._lease = spool.held.lease
        self._open: dict[int, GrowingLog] = {}
        self._read = 0
        self._told = 0
        self._waiting: list[Json] = []
        self.logs: dict[int, GrowingLog] = {}

    async def ship(self) -> bool:
        """Send what there is by now, at most one report of it; return whether there is more.

        May be called again after it raised: what was not acknowledged is sent again.

        Raises:
            PawlError: as `ServerLink.report`.
        """
        report, is_last = self._next()
        if report.is_empty:
            return False  # what a crash cut off is never sent
        try:
            reported = await self._link.report(self._lease, report)
        except OffsetConflict:
            self._rewind()
            return True
        return not self._take(report, reported) or not is_last

    async def ship_all(self) -> None:
        """Send everything of a job that writes no more; raises as `ship`."""
        while await self.ship():
            pass

    async def ship_but_last(self) -> Report:
        """Send everything of a job that writes no more but for a last report, which is returned.

        Raises:
            PawlError: as `ship`.
        """
        while True:
            report, is_last = self._next()
            if is_last or report.is_empty:
                return report
            await self.ship()

    def start_over(self) -> None:
        """Send all logs again: the server said that it lacks some."""
        self._open = dict(self.logs)
        for log in self.logs.values():
            log.start_over()

    def _next(self) -> tuple[Report, bool]:
        """Return the next report, and whether there is nothing behind it now."""
        if not self._waiting:
            self._read_events()
        pieces: list[Piece] = []
        room = LIMITS.pieces
        halted: set[int] = set()
        for log in self._open.values():
            is_full = room <= 0 or len(pieces) >= LIMITS.events
            found, ends = ([], False) if is_full else log.pieces(room, LIMITS.log)
            pieces += found
            room -= sum(len(piece.data) for piece in found)
            if not ends:
                halted.add(log.index)
        events = self._up_to(halted)
        is_last = not halted and len(events) == len(self._waiting) and self._has_read_all()
        return Report(first=self._told, events=tuple(events), pieces=tuple(pieces)), is_last

    def _up_to(self, halted: set[int]) -> list[Json]:
        """Return the events before the end of a step some of whose log is to be sent later."""
        for number, event in enumerate(self._waiting):
            if _is(event, "step_finished") and _step(event) in halted:
                return self._waiting[:number]
        return self._waiting

    def _take(self, report: Report, reported: Reported) -> bool:
        """Go on from where the server says it is; return whether that is behind all of the report."""
        for piece, taken in zip(report.pieces, reported.pieces, strict=True):
            self.logs[piece.index].take(piece.part, taken)
        new = min(max(0, reported.told - self._told), len(report.events))
        for event in self._waiting[:new]:
            if _is(event, "step_finished"):
                self._open.pop(_step(event), None)
        self._told += new
        self._waiting = self._waiting[new:]
        return new == len(report.events) and not any(taken.conflict for taken in reported.pieces)

    def _rewind(self) -> None:
        """Tell everything again, from the first event: the server lacks some that it had."""
        self._read = self._told = 0
        self._waiting = []
        self._open, self.logs = {}, {}

    def _has_read_all(self) -> bool:
        return not read_from(self._spool.events, self._read, 1)

    def _read_events(self) -> None:
        """Take the next events from the file."""
        data = read_from(self._spool.events, self._read, LIMITS.event_bytes)
        while data and b"\n" not in data and len(data) % LIMITS.event_bytes == 0:
            more = read_from(self._spool.events, self._read + len(data), LIMITS.event_bytes)
            if not more:
                break
            data += more
        for line in data.splitlines(keepends=True):
            if not line.endswith(b"\n") or len(self._waiting) >= LIMITS.events:
                break
            self._read += len(line)
            event = _parsed(line)
            self._waiting.append(event)
            self._note(event)

    def _note(self, event: Json) -> None:
        """Note of an event that waits which log it begins."""
        index = _step(event)
        if index >= 0 and isinstance(event, dict) and _is(event, "step_started"):
            log = GrowingLog(self._spool, index, str(event.get("name", "")))
            self.logs[index] = self._open[index] = log


def _is(event: Json, kind: str) -> bool:
    return isinstance(event, dict) and event.get("type") == kind


def _step(event: Json) -> int:
    """Return the index of the step that an event is about, -1 for none."""
    index = event.get("index") if isinstance(event, dict) else None
    return index if isinstance(index, int) else -1


def _parsed(line: bytes) -> Json:
    try:
        told: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told
