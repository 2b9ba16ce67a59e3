"""Sending an attempt's spool to the server: events in order, and the bytes of logs at the server's offsets.

A step's log is sent before its last event, so that a reader never sees a step end before its output; the
events of a short job are told at once. The server owns the offsets (architecture.md M7): it answers every
piece with how much it has, and from there this goes on, also after a restart of either side. Memory used does
not grow with the output.
"""

from __future__ import annotations

import asyncio
import json
import os
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import Conflict, InfrastructureError, OffsetConflict, StaleLease, TooLarge
from pawl.core.model.ids import JobId
from pawl.core.model.line_index import RECORD_SIZE
from pawl.core.model.plan import Json
from pawl.core.model.work import Lease
from pawl.ports.log_bytes import Part
from pawl.ports.server_link import ServerLink
from pawl.wire import WireLimits
from pawl.worker.spool import Spool

LIMITS = WireLimits()
_READ = 1 << 20
_PIECES = 8
_MOST_CONFLICTS = 5
_FILES: dict[Part, str] = {"data": ".log", "index": ".idx"}


@dataclass(slots=True)
class _Growing:
    """One part of a step's log on its way.

    `conflicts` counts answers in a row that say that the server's bytes end elsewhere.
    """

    path: Path
    part: Part
    offset: int = 0
    conflicts: int = 0


class LogShipping:
    """The log of one step on its way to the server."""

    def __init__(self, spool: Spool, index: int, name: str) -> None:
        """Send what lies at the spool's `index`."""
        path = spool.log(index)
        self.index = index
        self.name = name
        self.note = ""
        self._parts = [_Growing(path.with_suffix(ending), part) for part, ending in _FILES.items()]

    async def ship(self, link: ServerLink, lease: Lease, *, whole: bool = False) -> bool:
        """Send what is there by now; return whether that was anything.

        Not more than some pieces, as a flood would never end; all of it where the log is `whole`.

        Raises:
            PawlError: as `ServerLink.append_log`, but for conflicts: after those it goes on elsewhere.
        """
        data, index = self._parts
        moved, pieces = False, 0
        while whole or pieces < _PIECES:
            pieces += 1
            sent = await self._ship(data, _read_from(data.path, data.offset), link, lease)
            # Only lines whose beginning is there: a reader finds bytes behind everything in the index.
            records = _read_from(index.path, index.offset)
            records = records_before(records, index.offset, data.offset)
            sent |= await self._ship(index, records, link, lease)
            moved |= sent
            if not sent:
                break
        return moved

    def start_over(self) -> None:
        """Ask the server anew what it has."""
        for part in self._parts:
            part.offset = 0

    async def _ship(self, part: _Growing, data: bytes, link: ServerLink, lease: Lease) -> bool:
        if not data or self.note:
            return False
        try:
            part.offset = await link.append_log(
                lease, self.index, part.part, part.offset, data, name=self.name
            )
            part.conflicts = 0
        except OffsetConflict as error:
            part.offset = error.size
            self._count_conflict(part)
        except StaleLease:
            raise
        except (Conflict, TooLarge) as error:
            self.note = f"the server refused it: {error.message}"
            return False
        return True

    def _count_conflict(self, part: _Growing) -> None:
        part.conflicts += 1
        if part.conflicts >= _MOST_CONFLICTS:
            self.note = "the server's part of it differs from the worker's"


class Shipper:
    """Sends one attempt's events and logs."""

    def __init__(self, spool: Spool, link: ServerLink) -> None:
        """Send what is in `spool`, from the beginning; what the server has already it takes once."""
        self._spool = spool
        self._link = link
        self._lease = spool.held.lease
        self._job: JobId = spool.held.lease.ref.job
        self._open: dict[int, LogShipping] = {}
        self._ended: dict[int, LogShipping] = {}
        self._read = 0
        self._told = 0
        self._waiting: list[Json] = []
        self.logs: dict[int, LogShipping] = {}

    async def ship(self) -> bool:
        """Send everything there is by now; return whether that was anything.

        Memory used is bounded. May be called again after it raised: what was not acknowledged is sent again.

        Raises:
            PawlError: as the link's methods.
        """
        try:
            moved = await self._ship_events()
        except OffsetConflict:
            self._rewind()
            moved = await self._ship_events()
        return await self._ship_logs(self._open.values()) or moved

    async def ship_all(self) -> None:
        """Send everything of a job that writes no more; raises as `ship`."""
        while await self.ship():
            pass

    async def _ship_logs(self, logs: Iterable[LogShipping], *, whole: bool = False) -> bool:
        sending = [log.ship(self._link, self._lease, whole=whole) for log in logs]
        # All of them have come to an end before one's fault is told.
        ends = await asyncio.gather(*sending, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return any(ends)

    async def _ship_events(self) -> bool:
        moved = False
        while True:
            await self._tell()
            events = self._next_events()
            if not events:
                return moved
            moved = True
            for event, end in events:
                self._note(event)
                self._waiting.append(event)
                self._read = end

    def start_over(self) -> None:
        """Send all logs again: the server said that it lacks some."""
        self._open = dict(self.logs)
        for log in self.logs.values():
            log.start_over()

    def _note(self, event: Json) -> None:
        """Note of an event that waits which log it begins or ends."""
        index = event.get("index") if isinstance(event, dict) else None
        if not isinstance(event, dict) or not isinstance(index, int):
            return
        if event.get("type") == "step_started":
            log = LogShipping(self._spool, index, str(event.get("name", "")))
            self.logs[index] = self._open[index] = log
        elif event.get("type") == "step_finished" and index in self._open:
            self._ended[index] = self._open.pop(index)

    async def _tell(self) -> None:
        """Tell the events that wait, all at once, when the logs are there that they say the end of."""
        if self._waiting:
            await self._ship_logs(self._ended.values(), whole=True)
            await self._link.tell(self._lease, self._told, self._waiting)
            self._told += len(self._waiting)
            self._waiting, self._ended = [], {}

    def _rewind(self) -> None:
        """Tell everything again, from the first event: the server lacks some that it had."""
        self._read = self._told = 0
        self._waiting = []
        self._open, self._ended, self.logs = {}, {}, {}

    def _next_events(self) -> list[tuple[Json, int]]:
        """Return whole events from where reading stands, each with where it ends in the file."""
        data = _read_from(self._spool.events, self._read, LIMITS.event_bytes)
        while data and b"\n" not in data and len(data) % LIMITS.event_bytes == 0:
            more = _read_from(self._spool.events, self._read + len(data), LIMITS.event_bytes)
            if not more:
                break
            data += more
        events: list[tuple[Json, int]] = []
        end = self._read
        for line in data.splitlines(keepends=True):
            if not line.endswith(b"\n") or len(events) >= LIMITS.events:
                break
            end += len(line)
            events.append((_parsed(line), end))
        return events


def records_before(data: bytes, offset: int, limit: int) -> bytes:
    """Return the beginning of `data` that tells of lines before `limit`.

    Args:
        data: bytes of a line index (core/model/line_index.py).
        offset: where they begin in it; the rest of a record that was begun comes along.
        limit: an offset in the log.
    """
    skip = -offset % RECORD_SIZE

    def start(number: int) -> int:
        at = skip + number * RECORD_SIZE
        return int.from_bytes(data[at : at + 8], "little")

    count = max(0, (len(data) - skip) // RECORD_SIZE)
    return data[: skip + bisect_left(range(count), limit, key=start) * RECORD_SIZE]


def _parsed(line: bytes) -> Json:
    try:
        told: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told


def _read_from(path: Path, offset: int, size: int = _READ) -> bytes:
    """Return bytes of a file from `offset`; none where there is no such file or nothing more in it.

    Raises:
        InfrastructureError: it cannot be read now.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InfrastructureError(f"Cannot read {path}: {error.strerror}") from error
