"""Reading a step's log while it grows: whole lines, with their stream and time from the index."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pawl.core.model.line_index import RECORD_SIZE, read_stamp, split_records
from pawl.ports.log_bytes import LogBytes, LogName
from pawl.server.log_cursor import Place

BLOCK = 65_536
"""About how many bytes one event of a log holds."""
_RECORDS = 16_384
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
        found = _pieces(block, index, first, place)
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


def _pieces(block: _Block, index: bytes, first: int, place: Place) -> list[Piece]:
    """Return the pieces of a block; the index begins with the record of the line of number `first`, from 0.

    A piece is lines that were written at once: they have the same stamp. There may be thousands of them, so
    what is done for each line is next to nothing.
    """
    offsets, stamps = split_records(index)
    if block.last and not offsets:
        offsets, stamps = array("Q", [0]), array("Q", [0])  # an index that was lost: the bytes count for more
    # The end of the last record of a full page is known only with the next page.
    count = len(offsets) - 1 if len(offsets) == _RECORDS else len(offsets)
    there = bisect_left(offsets, block.end, 0, count)
    number = max(0, bisect_right(offsets, place.offset, 0, there) - 1)
    pieces: list[Piece] = []
    while number < there:
        last = number
        while last + 1 < there and stamps[last + 1] == stamps[number]:
            last += 1
        begin = max(offsets[number], place.offset)
        following = offsets[last + 1] if last + 1 < len(offsets) else None
        stop, last = _told(block, offsets, (number, last), begin, following, goes_on=bool(pieces))
        if stop <= begin:
            break
        place = Place(offset=stop, lines=first + last + 1)
        time, stream = read_stamp(stamps[number])
        data = block.data[begin - block.base : stop - block.base]
        pieces.append(
            Piece(
                offset=begin, first_line=first + number + 1, time=time, stream=stream, data=data, after=place
            )
        )
        if stop != following:
            break
        number = last + 1
    return pieces


def _told(
    block: _Block,
    offsets: array[int],
    lines: tuple[int, int],
    begin: int,
    following: int | None,
    *,
    goes_on: bool,
) -> tuple[int, int]:
    """Return up to where lines of one stamp can be told, and the last of them that is told of."""
    number, last = lines
    if following is not None and following <= block.end:
        return following, last
    start = offsets[last]
    is_new = following is None and begin > start and not (block.in_line or goes_on or block.last)
    if is_new:
        return begin, last  # a line begins here whose record has not come yet
    stop = block.line_end(max(start, begin))
    if stop > max(start, begin) or last == number:
        return stop, last
    return start, last - 1


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
