"""The events of a run as JSON lines: written as they happen, read back as the same values."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from pawl.core.model.run_events import LogAppended, RunEvent, to_json
from pawl.core.model.told_events import from_json

LONGEST_EVENT = 64 * 1024 * 1024
"""Bytes of one event's line; a longer one is not read back."""


class EventFile:
    """A reporter that appends every event but `LogAppended` (the logs hold those) to one file."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        """Create or continue the file; `durable` says whether `close` waits for the disk.

        Raises:
            OSError: the disk refused.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o644)
        self._durable = durable
        self.failure: OSError | None = None

    def report(self, event: RunEvent) -> None:
        """Append one line. What the disk refuses is lost, and `failure` says so: a reporter never raises."""
        if isinstance(event, LogAppended) or self.failure is not None:
            return
        line = json.dumps(to_json(event), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            self.failure = error

    def close(self) -> None:
        """Sync where that was asked for, and close; idempotent."""
        if self._file < 0:
            return
        if self._durable:
            with contextlib.suppress(OSError):
                os.fsync(self._file)
        os.close(self._file)
        self._file = -1
        self.failure = self.failure or OSError("closed")


def read_events(path: Path) -> Iterator[RunEvent]:
    """Yield the events stored so far; a line that a crash cut, or of a later version, is left out."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        while line := file.readline(LONGEST_EVENT):
            event = _parse(line)
            if event is not None:
                yield event


def _parse(line: bytes) -> RunEvent | None:
    try:
        return from_json(json.loads(line))
    except (ValueError, RecursionError):
        return None
