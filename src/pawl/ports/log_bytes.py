"""The bytes of logs: append-only files whose offsets the server owns (architecture.md M7).

A step's log has two parts, which grow apart: `data`, the masked bytes, and `index`, the fixed-width line
index (`core/model/line_index.py` has the format). Both come from the worker as it wrote them in its spool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from pawl.core.model.ids import RunId
from pawl.core.model.records import AttemptRef

Part = Literal["data", "index"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogName:
    """Names the log of one step of one attempt; `index` counts steps from 0."""

    attempt: AttemptRef
    index: int


class LogBytes(Protocol):
    """Keeps logs. Appends to one log come one after the other; readers never slow them."""

    async def append(self, name: LogName, part: Part, offset: int, data: bytes) -> int:
        """Store bytes that begin at `offset` of the log; return its size, once that is durable.

        What overlaps with stored bytes must be equal to them and is not stored again. After a failure
        either all of it or a beginning of it is stored; `size` tells.

        Raises:
            OffsetConflict: a gap, or an overlap that differs; it holds the stored size. Nothing is stored.
            Unavailable: no room, or the disk refused.
        """

    async def size(self, name: LogName, part: Part) -> int:
        """Return how many bytes are stored durably; 0 when there is no such log."""

    async def read(self, name: LogName, part: Part, *, start: int = 0, size: int = -1) -> bytes:
        """Return stored bytes from `start`, at most `size` of them (-1: all); empty past the end."""

    async def digest(self, name: LogName) -> str:
        """Return the SHA-256 of all data stored, in hex."""

    async def delete_run(self, run: RunId) -> int:
        """Remove all logs of a run and return how many bytes that were; idempotent."""

    def runs(self) -> AsyncIterator[RunId]:
        """Yield the runs that any bytes are kept of, in no order."""

    async def check(self) -> None:
        """Return when there is room and right to write.

        Raises:
            Unavailable: there is not.
        """
