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
    """One line as stored.

    Attributes:
        number: counts from 1.
        time: seconds since 1970.
        stream: `out` or `err`.
        text: its bytes without the newline.
        ended: False for a last line that has no newline (yet): a running step may still add to it.
    """

    number: int
    time: float
    stream: str
    text: bytes
    ended: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """What one `append` really stored: where it stands, its first line's number from 1, and the bytes."""

    offset: int
    first_line: int
    data: bytes


class LogWriter(Protocol):
    """Appends to the log of one step. One writer a log; readers never slow it."""

    def append(self, data: bytes, *, stream: str, time: float) -> StoredBlock | None:
        """Store masked bytes and return what was stored, None when it was nothing.

        Blocks of whole lines; a part of a line is continued by the next block of the same stream. Over the
        cap a marker line is stored once, and everything after it is counted and dropped.

        Raises:
            InfrastructureError: the disk refused.
        """

    def finish(self) -> LogSummary:
        """Make everything durable and return what there is; idempotent.

        Raises:
            InfrastructureError: the disk refused.
        """


class LogStore(Protocol):
    """The logs of one run."""

    def writer(self, job: JobId, attempt: int, index: int, name: str) -> LogWriter:
        """Return the writer of a step's log, which must not exist yet.

        Raises:
            InfrastructureError: it exists, or the disk refused.
        """

    def read(self, job: JobId, attempt: int, index: int, *, first_line: int = 1) -> Iterator[LogLine]:
        """Yield the lines stored so far from `first_line` on; one seek, then forward.

        Raises:
            KeyError: when there is no such log.
        """

    def summary(self, job: JobId, attempt: int, index: int) -> LogSummary | None:
        """Return what a finished log holds; None while it is written, or when its writer was killed.

        Raises:
            KeyError: when there is no such log.
        """
