"""The log of one step on its way to the server: two files that grow, and how much of them the server has."""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import InfrastructureError
from pawl.core.model.line_index import RECORD_SIZE
from pawl.core.model.reports import Part, Piece, Taken
from pawl.worker.spool import Spool

_MOST_CONFLICTS = 5
_FILES: dict[Part, str] = {"data": ".log", "index": ".idx"}


@dataclass(slots=True)
class _Growing:
    """One part of a step's log.

    `conflicts` counts answers in a row that say that the server's bytes end elsewhere.
    """

    path: Path
    part: Part
    offset: int = 0
    conflicts: int = 0


class GrowingLog:
    """The log of one step. The server owns its offsets: after each answer it goes on from there.

    Attributes:
        index: of the step.
        name: of the step.
        note: why the rest of it is not sent, "" as long as it is.
    """

    def __init__(self, spool: Spool, index: int, name: str) -> None:
        """Send what lies at the spool's `index`."""
        path = spool.log(index)
        self.index = index
        self.name = name
        self.note = ""
        self._parts: dict[Part, _Growing] = {
            part: _Growing(path.with_suffix(ending), part) for part, ending in _FILES.items()
        }

    def pieces(self, most: int, longest: int) -> tuple[list[Piece], bool]:
        """Return what is to be sent next, and whether that is all of a log that grows no more.

        Args:
            most: bytes of all pieces together.
            longest: bytes of one of them.

        Raises:
            InfrastructureError: a file cannot be read now.
        """
        if self.note:
            return [], True
        data, index = self._parts["data"], self._parts["index"]
        size = min(longest, most)
        content = read_from(data.path, data.offset, size)
        ends = len(content) < size
        size = min(longest, most - len(content))
        records = read_from(index.path, index.offset, size)
        ends = ends and len(records) < size
        # Only lines whose beginning is there: a reader finds bytes behind everything in the index.
        kept = records_before(records, index.offset, data.offset + len(content))
        found = [self._piece(part, each) for part, each in ((data, content), (index, kept)) if each]
        return found, ends

    def _piece(self, part: _Growing, data: bytes) -> Piece:
        return Piece(index=self.index, name=self.name, part=part.part, offset=part.offset, data=data)

    def take(self, part: Part, taken: Taken) -> None:
        """Go on as the server's answer to a piece says."""
        growing = self._parts[part]
        if taken.refused:
            self.note = f"the server refused it: {taken.refused}"
            return
        growing.offset = taken.size
        growing.conflicts = growing.conflicts + 1 if taken.conflict else 0
        if growing.conflicts >= _MOST_CONFLICTS:
            self.note = "the server's part of it differs from the worker's"

    def start_over(self) -> None:
        """Ask the server anew what it has."""
        for part in self._parts.values():
            part.offset = 0


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


def read_from(path: Path, offset: int, size: int) -> bytes:
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
