"""The log of a run: per step, append-only bytes with a line index (architecture.md M7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pawl.core.model.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """What a finished log holds.

    Attributes:
        size: bytes stored.
        lines: lines stored; a last one without newline counts.
        sha256: of the bytes stored, in hex.
        dropped: bytes that the cap refused; 0 for a complete log.
    """

    size: int
    lines: int
    sha256: str
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line: its number from 1, seconds since 1970, `out` or `err`, and its bytes without the newline."""

    number: int
    time: float
    stream: str
    text: bytes


class LogWriter(Protocol):
    """Appends to the log of one step. One writer a log; readers never slow it."""

    def append(self, data: bytes, *, stream: str, time: float) -> tuple[int, int]:
        """Store masked bytes and return (offset, number of the first line) of what was stored.

        Blocks of whole lines; a part of a line is continued by the next block of the same stream. Over the
        cap a marker line is stored once, and everything after it is counted and dropped.
        """

    def finish(self) -> LogSummary:
        """Make everything durable and return what there is; idempotent."""


class LogStore(Protocol):
    """The logs of one run."""

    def writer(self, job: JobId, attempt: int, index: int, name: str) -> LogWriter:
        """Return the writer of a step's log, which must not exist yet."""

    def read(self, job: JobId, attempt: int, index: int, *, first_line: int = 1) -> Iterator[LogLine]:
        """Yield the lines stored so far from `first_line` on; one seek, then forward.

        Raises:
            KeyError: when there is no such log.
        """
