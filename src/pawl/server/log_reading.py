"""Reading a step's log while it grows: whole lines, with their stream and time from the index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from pawl.core.model.line_index import RECORD_SIZE, parse_records
from pawl.ports.log_bytes import LogBytes, LogName
from pawl.server.log_cursor import Place

BLOCK = 65_536
"""About how many bytes one event of a log holds."""
_RECORDS = 4096
_NEWLINE = 0x0A


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Lines of one stream that were written at once, and where the reader is after them."""

    offset: int
    first_line: int
    time: float
    stream: str
    data: bytes
    after: Place


async def read_pieces(logs: LogBytes, name: LogName, place: Place, *, ended: bool) -> AsyncIterator[Piece]:
    """Yield what is stored of a log from a place on, as far as it can be told whose it is.

    The index comes from the worker apart from the bytes. Bytes whose line the index does not tell yet are
    left for the next call, unless the log has ended.

    Args:
        logs: where it is.
        name: of the log.
        place: where the reader is.
        ended: whether the log will not grow any more.
    """
    while True:
        # The line that the reader may be in the middle of is the last of those it has had.
        first = max(0, place.lines - 1)
        before = min(1, place.offset)
        size = await logs.size(name, "data")
        index = await logs.read(name, "index", start=first * RECORD_SIZE, size=_RECORDS * RECORD_SIZE)
        data = await logs.read(name, "data", start=place.offset - before, size=4 * BLOCK)
        if len(data) <= before:
            return
        block = _Block(
            base=place.offset,
            data=data[before:],
            in_line=before == 1 and data[0] != _NEWLINE,
            last=ended and place.offset + len(data) - before >= size,
        )
        found = _pieces(block, parse_records(index), first, place)
        if not found:
            return
        for piece in found:
            yield piece
        place = found[-1].after


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Bytes of a log from `base` on: in the middle of a line or not, the last of an ended log or not."""

    base: int
    data: bytes
    in_line: bool
    last: bool

    @property
    def end(self) -> int:
        return self.base + len(self.data)

    def line_end(self, begin: int) -> int:
        """Return up to where the line that goes on at `begin` can be told; `begin` when not at all."""
        if self.last:
            return self.end
        newline = self.data.find(b"\n", begin - self.base)
        if newline >= 0:
            return self.base + newline + 1
        # Of a very long line a part is told early.
        return self.base + _whole_characters(self.data) if self.end - begin >= BLOCK else begin


def _pieces(block: _Block, records: list[tuple[int, float, str]], first: int, place: Place) -> list[Piece]:
    """Return the pieces of a block; `records` begin with that of the line of number `first`, from 0."""
    if block.last and not records:
        records = [(0, 0.0, "out")]  # an index that was lost: the bytes count for more
    # The end of the last record of a full page is known only with the next page.
    usable = len(records) - 1 if len(records) == _RECORDS else len(records)
    pieces: list[Piece] = []
    for number in range(usable):
        start, time, stream = records[number]
        following = records[number + 1][0] if number + 1 < len(records) else None
        if following is not None and following <= place.offset:
            continue
        begin = max(start, place.offset)
        if following is not None and following <= block.end:
            stop = following
        elif following is None and begin > start and not (block.in_line or pieces or block.last):
            break  # a line begins here whose record has not come yet
        else:
            stop = block.line_end(begin)
        if stop <= begin:
            break
        place = Place(offset=stop, lines=first + number + 1)
        _add(
            pieces,
            Piece(
                offset=begin,
                first_line=place.lines,
                time=time,
                stream=stream,
                data=block.data[begin - block.base : stop - block.base],
                after=place,
            ),
        )
        if stop != following:
            break
    return pieces


def _add(pieces: list[Piece], piece: Piece) -> None:
    """Add a piece, to the last one where both were written at once and that is not large yet."""
    last = pieces[-1] if pieces else None
    if last is None or (last.time, last.stream) != (piece.time, piece.stream) or len(last.data) >= BLOCK:
        pieces.append(piece)
    else:
        pieces[-1] = replace(last, data=last.data + piece.data, after=piece.after)


def _whole_characters(data: bytes) -> int:
    """Return how many bytes of `data` there are without a character cut in two at its end."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:
            needs = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if needs > back else len(data)
        if byte < 0x80:
            break
    return len(data)
