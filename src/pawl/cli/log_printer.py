"""Printing stored logs: cursors into the logs of a run, so that following prints every line once."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pawl.cli.stored_runs import StepPlace
from pawl.cli.terminal.lines import Line, Piece, Style, line, to_text
from pawl.cli.terminal.screen import Screen
from pawl.cli.view.log_text import Marker, read_line
from pawl.cli.view.plain import draw_log_line
from pawl.ports.logs import LogLine, LogStore

_SEARCHED = 4096
"""Characters of a line that `--grep` looks at, so that a bad pattern cannot take for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWish:
    """How to print. `tail` counts lines of each step; `with_job` prefixes lines with their job."""

    timestamps: bool = False
    as_json: bool = False
    tail: int | None = None
    pattern: re.Pattern[str] | None = None
    with_job: bool = False
    with_heads: bool = True


class LineDrawer:
    """Turns log lines into text, whatever they come from; remembers which step is inside a group."""

    def __init__(self, screen: Screen, wish: LogWish) -> None:
        self._screen = screen
        self._wish = wish
        self._in_group: set[tuple[str, int, int]] = set()

    def head(self, place: StepPlace) -> str:
        """Return the line above a step's log."""
        arrow = f" {self._screen.glyphs.arrow} "
        name = arrow.join((place.job.name, place.step.name)) if self._wish.with_job else place.step.name
        return to_text(line(Piece(f"== {name}", Style.STRONG)), colour=self._screen.colour)

    def is_wanted(self, each: LogLine) -> bool:
        """Return whether a line matches the pattern, where there is one."""
        pattern = self._wish.pattern
        return pattern is None or bool(pattern.search(each.text.decode("utf-8", "replace")[:_SEARCHED]))

    def draw(self, place: StepPlace, each: LogLine) -> Iterator[str]:
        """Yield a line as text; nothing for the end of a group."""
        key = key_of(place)
        if self._wish.as_json:
            yield _to_json(place, each)
            return
        shown = read_line(each.text, colour=self._screen.colour)
        # Among lines picked by a pattern, the ends of groups are missing.
        indent = key in self._in_group and self._wish.pattern is None
        drawn = draw_log_line(shown, indent=indent, screen=self._screen)
        if shown.marker is Marker.GROUP:
            self._in_group.add(key)
        elif shown.marker is Marker.END_GROUP:
            self._in_group.discard(key)
        if drawn is not None:
            yield to_text((*self._prefix(place, each), *drawn), colour=self._screen.colour)

    def _prefix(self, place: StepPlace, each: LogLine) -> Line:
        pieces = []
        if self._wish.timestamps:
            pieces.append(Piece(f"{_iso(each.time)} ", Style.FAINT))
        if self._wish.with_job:
            pieces.append(Piece(f"[{place.job.name}] ", Style.NOTE))
        return tuple(pieces)


def key_of(place: StepPlace) -> tuple[str, int, int]:
    """Return what tells the log of a step from all others of its run."""
    return (place.job_id, place.job.attempt, place.index)


class LogPrinter:
    """Turns stored log lines into text; remembers for each step how far it got."""

    def __init__(self, logs: LogStore, screen: Screen, wish: LogWish) -> None:
        self._logs = logs
        self._wish = wish
        self._drawer = LineDrawer(screen, wish)
        self._next: dict[tuple[str, int, int], int] = {}

    def new_lines(self, place: StepPlace, *, is_over: bool) -> Iterator[str]:
        """Yield the lines of a step's log not yielded before; a line still being written waits for its end.

        Without `tail`, what a large log holds is never in memory at once.
        """
        key = key_of(place)
        first = self._next.get(key, 1)
        if first == 1:
            first = self._skip_to_tail(place)
        try:
            stored = self._logs.read(place.job_id, place.job.attempt, place.index, first_line=first)
        except KeyError:
            return
        lines: Iterator[LogLine] = filter(self._drawer.is_wanted, self._count(key, stored, is_over=is_over))
        if self._wish.tail is not None and key not in self._next:
            lines = iter(deque(lines, maxlen=self._wish.tail))
        had_head = key in self._next
        self._next.setdefault(key, first)
        for each in lines:
            if not had_head and self._wish.with_heads and not self._wish.as_json:
                yield self._drawer.head(place)
            had_head = True
            yield from self._drawer.draw(place, each)

    def _skip_to_tail(self, place: StepPlace) -> int:
        if self._wish.tail is None or self._wish.pattern is not None:
            return 1
        try:
            summary = self._logs.summary(place.job_id, place.job.attempt, place.index)
        except KeyError:
            return 1
        return max(1, summary.lines - self._wish.tail + 1) if summary else 1

    def _count(
        self, key: tuple[str, int, int], lines: Iterable[LogLine], *, is_over: bool
    ) -> Iterator[LogLine]:
        for each in lines:
            if not each.ended and not is_over:
                return
            yield each
            self._next[key] = each.number + 1


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _to_json(place: StepPlace, each: LogLine) -> str:
    return json.dumps(
        {
            "job": place.job_id,
            "attempt": place.job.attempt,
            "index": place.index,
            "step": place.step.name,
            "number": each.number,
            "time": each.time,
            "stream": each.stream,
            "text": each.text.decode("utf-8", "replace"),
        }
    )
