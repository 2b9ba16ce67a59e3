"""Messages that carry a report: a head in JSON, and behind it the bytes of all its pieces of logs, in order.

The body begins with four bytes, the length of the head with the most significant byte first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pawl.core.model.errors import UsageError
from pawl.core.model.plan import Json
from pawl.core.model.reports import Part, Piece, Report, Taken
from pawl.core.model.work import Lease, Result

_LENGTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceHead:
    """A piece of a log but for its bytes: there are `size` of them."""

    index: int
    name: str
    part: Part
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHead:
    """A report but for the bytes of its pieces: `events` is a list of what `run_events.to_json` wrote."""

    first: int
    events: Json
    pieces: tuple[PieceHead, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """Reports of an attempt."""

    lease: Lease
    report: ReportHead


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """How many events of the attempt the server has, and what became of each piece."""

    told: int
    pieces: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishRequest:
    """Ends an attempt, after a last report."""

    lease: Lease
    result: Result
    report: ReportHead


def head_of(report: Report) -> ReportHead:
    """Return a report without the bytes of its pieces."""
    return ReportHead(
        first=report.first,
        events=list(report.events),
        pieces=tuple(
            PieceHead(
                index=piece.index,
                name=piece.name,
                part=piece.part,
                offset=piece.offset,
                size=len(piece.data),
            )
            for piece in report.pieces
        ),
    )


def framed(head: bytes, report: Report) -> bytes:
    """Return the body of a message whose head is written, with the bytes of a report's pieces."""
    return b"".join((len(head).to_bytes(_LENGTH, "big"), head, *(piece.data for piece in report.pieces)))


def unframed(body: bytes, most: int) -> tuple[bytes, memoryview]:
    """Return the head of a body, at most `most` bytes, and the bytes behind it.

    Raises:
        UsageError: the body is cut, or its head is longer.
    """
    size = int.from_bytes(body[:_LENGTH], "big")
    if len(body) < _LENGTH or size > min(most, len(body) - _LENGTH):
        raise UsageError(f"the head of this message is not whole, or longer than {most:,} bytes")
    return body[_LENGTH : _LENGTH + size], memoryview(body)[_LENGTH + size :]


def report_of(head: ReportHead, data: memoryview) -> Report:
    """Return the report of a head and of the bytes behind it.

    Raises:
        UsageError: these are more or fewer than the head says, or its events are no list.
    """
    if not isinstance(head.events, list):
        raise UsageError("`events` of this message is not a list")
    if head.first < 0 or any(piece.size < 0 for piece in head.pieces):
        raise UsageError("a number of this message is below 0")
    if sum(piece.size for piece in head.pieces) != len(data):
        raise UsageError(f"{len(data):,} bytes follow the head of this message, and it names others")
    return Report(first=head.first, events=tuple(head.events), pieces=_pieces(head.pieces, data))


def _pieces(heads: Sequence[PieceHead], data: memoryview) -> tuple[Piece, ...]:
    pieces, start = [], 0
    for head in heads:
        end = start + head.size
        pieces.append(
            Piece(
                index=head.index,
                name=head.name,
                part=head.part,
                offset=head.offset,
                data=bytes(data[start:end]),
            )
        )
        start = end
    return tuple(pieces)
