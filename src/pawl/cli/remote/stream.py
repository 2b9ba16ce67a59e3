"""A server's log stream put together: blocks to lines, events to the picture of the run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pawl.cli.log_printer import LineDrawer, LogWish, key_of
from pawl.cli.stored_runs import FAILED, StepPlace, StepWish
from pawl.cli.terminal.screen import Screen
from pawl.cli.view.picture import RunPicture
from pawl.core.model.ids import JobId
from pawl.core.model.run_events import JobFinished, JobStarted, LogAppended, RunEvent, StepFinished
from pawl.ports.logs import LogLine


class LineFeed:
    """Puts the blocks of one step's log together to lines. A part of a line waits for the rest of it."""

    def __init__(self) -> None:
        self._held: dict[str, LogLine] = {}

    def feed(self, event: LogAppended) -> Iterator[LogLine]:
        """Yield the lines that a block completes."""
        number = event.first_line
        *whole, rest = event.data.split(b"\n")
        held = self._held.pop(event.stream, None)
        for text in whole:
            before = held.text if held else b""
            yield LogLine(
                number=held.number if held else number,
                time=event.time,
                stream=event.stream,
                text=before + text,
            )
            held = None
            number += 1
        if rest or held:
            begun = held or LogLine(
                number=number, time=event.time, stream=event.stream, text=b"", ended=False
            )
            self._held[event.stream] = LogLine(
                number=begun.number, time=begun.time, stream=event.stream, text=begun.text + rest, ended=False
            )

    def flush(self) -> Iterator[LogLine]:
        """Yield what never got its end."""
        yield from self._held.values()
        self._held.clear()


@dataclass(slots=True)
class _Log:
    feed: LineFeed = field(default_factory=LineFeed)
    kept: deque[LogLine] = field(default_factory=deque)


class StreamPrinter:
    """Turns a run's events into log text as `pawl logs` prints it; steps are told apart by a prefix."""

    def __init__(self, screen: Screen, print_wish: LogWish, steps: StepWish) -> None:
        self.picture = RunPicture()
        self._drawer = LineDrawer(screen, print_wish)
        self._steps = steps
        self._tail = print_wish.tail
        self._logs: dict[tuple[str, int, int], _Log] = {}

    def take(self, event: RunEvent) -> Iterator[str]:
        """Yield the text that an event makes fit to be shown."""
        match event:
            case LogAppended():
                place = self._place(event.job, event.index)
                if self._steps.has(place):
                    log = self._log(place)
                    yield from self._show(place, log, log.feed.feed(event))
                return
            case JobStarted():
                yield from self._end_job(event.job)
            case JobFinished():
                self.picture.apply(event)
                yield from self._end_job(event.job)
                return
            case StepFinished():
                self.picture.apply(event)
                yield from self._end_step(event)
                return
            case _:
                pass
        self.picture.apply(event)

    def finish(self) -> Iterator[str]:
        """Yield what is left when nothing more will come."""
        for job in list(self.picture.jobs):
            yield from self._end_job(JobId(job))

    def _place(self, job_id: JobId, index: int) -> StepPlace:
        job = self.picture.job(job_id)
        return StepPlace(job_id, job, index, job.step(index))

    def _log(self, place: StepPlace) -> _Log:
        key = key_of(place)
        if key not in self._logs:
            self._logs[key] = _Log(kept=deque(maxlen=self._tail))
        return self._logs[key]

    def _show(self, place: StepPlace, log: _Log, lines: Iterable[LogLine]) -> Iterator[str]:
        wanted = filter(self._drawer.is_wanted, lines)
        # What only the end of the step decides about is kept until then.
        if self._tail is not None or self._steps.failed:
            log.kept.extend(wanted)
            return
        for each in wanted:
            yield from self._drawer.draw(place, each)

    def _end_step(self, event: StepFinished) -> Iterator[str]:
        place = self._place(event.job, event.index)
        log = self._logs.pop(key_of(place), None)
        if log is None or (self._steps.failed and event.outcome not in FAILED):
            return
        yield from self._drain(place, log)

    def _end_job(self, job_id: JobId) -> Iterator[str]:
        job = self.picture.job(job_id)
        for index in sorted(job.steps):
            place = self._place(job_id, index)
            log = self._logs.pop(key_of(place), None)
            if log is not None and not self._steps.failed:
                yield from self._drain(place, log)

    def _drain(self, place: StepPlace, log: _Log) -> Iterator[str]:
        for each in [*log.kept, *filter(self._drawer.is_wanted, log.feed.flush())]:
            yield from self._drawer.draw(place, each)
