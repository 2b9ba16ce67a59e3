"""A run's events with the lines of its logs between them, in the order that people read them.

Events and logs come from the worker apart from each other. A step's lines stand behind its `step_started`;
whatever is stored of them by then stands before its `step_finished`. Lines that come later follow later:
none is left out, and none comes twice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pawl.core.model.ids import JobId, RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef, LogRecord, StoredEvent
from pawl.core.model.status import Status
from pawl.ports.log_bytes import LogName
from pawl.server.log_cursor import Cursor, Place, StepKey
from pawl.server.log_reading import Piece, read_pieces
from pawl.server.services import Services

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reader wants of a run's log; None is all."""

    run: RunId
    job: str | None = None
    attempt: int | None = None
    step: str | None = None
    follow: bool = False


class LogStream:
    """One reader's way through a run's log. It holds one page of events and one block of bytes at most."""

    def __init__(self, services: Services, wanted: Wanted, cursor: Cursor) -> None:
        self._services = services
        self._wanted = wanted
        self._cursor = cursor
        self._attempts: dict[str, int] = {}
        """The attempt that each job is at, as the events told so far have it."""

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield JSON lines until the present end, or the run's where the reader follows it.

        An empty line is a sign of life.
        """
        run, services = self._wanted.run, self._services
        ear = services.waking.listen(f"run:{run}", f"log:{run}")
        quiet = 0.0
        try:
            await self._recall()
            while True:
                ended = (await services.control.runs.get(run)).status is Status.COMPLETED
                told = False
                async for line in self._news(ended=ended):
                    told = True
                    yield line
                if told:
                    quiet = 0.0
                    continue
                if ended or not self._wanted.follow or services.stopping.begun:
                    return
                if not await ear.wait(services.poll_seconds):
                    quiet += services.poll_seconds
                    if quiet >= services.heartbeat_seconds:
                        quiet = 0.0
                        yield b"\n"
        finally:
            services.waking.forget(ear)

    async def _recall(self) -> None:
        """Find out at which attempts the jobs are where the cursor stands."""
        after = 0
        while after < self._cursor.sequence:
            page = await self._services.control.runs.events(self._wanted.run, after, _PAGE)
            for event in page:
                if event.sequence <= self._cursor.sequence:
                    self._note(event.event)
            if not page:
                return
            after = page[-1].sequence

    async def _news(self, *, ended: bool) -> AsyncIterator[bytes]:
        """Yield what has come since."""
        page = await self._services.control.runs.events(self._wanted.run, self._cursor.sequence, _PAGE)
        for event in page:
            async for line in self._with_logs(event):
                yield line
        if len(page) < _PAGE:
            async for line in self._open_logs(None, ended=ended):
                yield line

    async def _with_logs(self, event: StoredEvent) -> AsyncIterator[bytes]:
        """Yield an event, and before the end of a step or job what is stored of its log."""
        told = event.event if isinstance(event.event, dict) else {}
        kind, job = told.get("type"), told.get("job")
        if kind in {"step_finished", "job_finished"} and isinstance(job, str):
            async for line in self._open_logs(job, ended=kind == "job_finished"):
                yield line
        self._note(told)
        self._cursor = self._cursor.at(event.sequence)
        if kind == "step_started" and (step := self._step(told)) is not None and self._wants(told, step):
            self._cursor = self._cursor.with_place(step, Place())
        if self._wants(told, self._step(told)):
            yield self._line(told)

    def _note(self, told: Json) -> None:
        if isinstance(told, dict) and told.get("type") == "job_started":
            attempt = told.get("attempt")
            self._attempts[str(told.get("job"))] = attempt if isinstance(attempt, int) else 1

    def _step(self, told: dict[str, Json]) -> StepKey | None:
        job, index = told.get("job"), told.get("index")
        if not isinstance(job, str) or not isinstance(index, int):
            return None
        return JobId(job), self._attempts.get(job, 1), index

    def _wants(self, told: dict[str, Json], step: StepKey | None) -> bool:
        wanted, job = self._wanted, told.get("job")
        if not isinstance(job, str):
            return True
        if wanted.job is not None and wanted.job not in (job, job.partition("#")[0]):
            return False
        if wanted.attempt is not None and wanted.attempt != self._attempts.get(job, 1):
            return False
        if wanted.step is None or step is None:
            return True
        return wanted.step in (str(step[2]), told.get("name")) or step in self._cursor.open

    async def _open_logs(self, job: str | None, *, ended: bool) -> AsyncIterator[bytes]:
        """Yield what is stored of the logs that the reader is in the middle of."""
        mine = [step for step in self._cursor.open if job is None or step[0] == job]
        if not mine:
            return
        records = await self._records(mine)
        for step in mine:
            record = records.get(step)
            over = ended or (record is not None and record.finished)
            name = LogName(attempt=self._ref(step), index=step[2])
            pieces = read_pieces(self._services.logs, name, self._cursor.open[step], ended=over)
            async for piece in pieces:
                self._cursor = self._cursor.with_place(step, piece.after)
                yield self._line(_appended(step, piece))
            if over and (record is None or self._cursor.open[step].offset >= record.size):
                self._cursor = self._cursor.without(step)

    async def _records(self, steps: list[StepKey]) -> dict[StepKey, LogRecord]:
        refs = {self._ref(step) for step in steps}
        found = await self._services.store.read(
            lambda transaction: [log for ref in sorted(refs) for log in transaction.logs.of_attempt(ref)]
        )
        return {(log.attempt.job, log.attempt.attempt, log.index): log for log in found}

    def _ref(self, step: StepKey) -> AttemptRef:
        return AttemptRef(run=self._wanted.run, job=step[0], attempt=step[1])

    def _line(self, told: dict[str, Json]) -> bytes:
        line = {**told, "cursor": self._cursor.written()}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _appended(step: StepKey, piece: Piece) -> dict[str, Json]:
    return {
        "type": "log_appended",
        "time": piece.time,
        "job": step[0],
        "attempt": step[1],
        "index": step[2],
        "offset": piece.offset,
        "first_line": piece.first_line,
        "stream": piece.stream,
        "data": piece.data.decode("utf-8", "replace"),
    }
