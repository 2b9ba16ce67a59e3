"""What a worker reports of a running attempt in one go: events, and pieces of its steps' logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pawl.core.model.plan import Json

Part = Literal["data", "index"]
"""The bytes of a log, or its line index (core/model/line_index.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes of a part of a step's log that begin at `offset`.

    Attributes:
        index: of the step, from 0.
        name: the step's, for a log that is new.
    """

    index: int
    name: str
    part: Part
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """News of an attempt. Its events are told after its pieces are stored, so a step's log is there first.

    Attributes:
        first: number of the first event, from 0 in the attempt.
        events: as `run_events.to_json` wrote them.
        pieces: those of one log in the order in which they are to be stored.
    """

    first: int = 0
    events: tuple[Json, ...] = ()
    pieces: tuple[Piece, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing in it."""
        return not (self.events or self.pieces)


NOTHING = Report()
"""The report that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a piece.

    Attributes:
        size: bytes that the server has of that part of the log: where the next piece is to begin.
        conflict: it does not go on where those end, or overlaps with other bytes; nothing of it is stored.
        refused: why it can never be stored, "" when it can.
    """

    size: int
    conflict: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The answer to a report.

    Attributes:
        told: how many events of the attempt the server has. Those of a report are not taken while one of its
            pieces is not.
        pieces: one for each, in their order.
    """

    told: int
    pieces: tuple[Taken, ...] = ()
