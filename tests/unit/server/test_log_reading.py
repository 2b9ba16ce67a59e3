"""Lines of a growing log: whose they are, whatever part of bytes and index has come."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawl.core.model.errors import UsageError
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.line_index import line_records
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogName
from pawl.server.log_cursor import Cursor, Place, read_cursor
from pawl.server.log_reading import Piece, read_pieces
from pawl.testing.storage import MemoryLogs

NAME = LogName(attempt=AttemptRef(run=RunId(1), job=JobId("a"), attempt=1), index=0)
Line = tuple[str, bytes]


def _index(lines: list[Line]) -> bytes:
    index, offset = b"", 0
    for number, (stream, text) in enumerate(lines):
        index += line_records(text, offset=offset, stream=stream, time=float(number), continued=False)
        offset += len(text)
    return index


async def _read(logs: MemoryLogs, place: Place, *, ended: bool) -> list[Piece]:
    return [piece async for piece in read_pieces(logs, NAME, place, ended=ended)]


_LINES = st.lists(
    st.tuples(
        st.sampled_from(["out", "err"]), st.binary(max_size=12).map(lambda each: each.replace(b"\n", b""))
    ).map(lambda line: (line[0], line[1] + b"\n")),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(lines=_LINES, steps=st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=20))
async def test_however_the_parts_come_every_line_is_told_once_with_its_stream(
    lines: list[Line], steps: list[tuple[bool, int]]
) -> None:
    data, index = b"".join(text for _, text in lines), _index(lines)
    logs, place, told = MemoryLogs(), Place(), list[Piece]()
    sent = {"data": 0, "index": 0}
    for is_data, size in [*steps, (True, len(data) + 1), (False, len(index) + 1)]:
        part, whole = ("data", data) if is_data else ("index", index)
        piece = whole[sent[part] : sent[part] + size]
        sent[part] = await logs.append(NAME, "data" if is_data else "index", sent[part], piece)
        for each in await _read(logs, place, ended=False):
            told.append(each)
            place = each.after
    for each in await _read(logs, place, ended=True):
        told.append(each)
    assert b"".join(piece.data for piece in told) == data
    owners = [(stream, number) for number, (stream, text) in enumerate(lines, start=1) for _ in text]
    assert [(piece.stream, piece.first_line) for piece in told for _ in piece.data] == owners


async def test_an_index_that_was_lost_hides_no_bytes() -> None:
    logs = MemoryLogs()
    await logs.append(NAME, "data", 0, b"one\ntwo\n")
    assert await _read(logs, Place(), ended=False) == []
    (piece,) = await _read(logs, Place(), ended=True)
    assert piece.data == b"one\ntwo\n"


async def test_more_lines_than_one_page_of_the_index_are_told() -> None:
    lines: list[Line] = [("out", b"x\n")] * 40_000
    logs = MemoryLogs()
    await logs.append(NAME, "data", 0, b"".join(text for _, text in lines))
    await logs.append(NAME, "index", 0, _index(lines))
    pieces = await _read(logs, Place(), ended=False)
    assert b"".join(piece.data for piece in pieces) == b"x\n" * 40_000
    assert pieces[-1].after == Place(offset=80_000, lines=40_000)


def test_a_cursor_survives_being_written() -> None:
    cursor = Cursor(sequence=7).with_place((JobId("a#1"), 2, 3), Place(offset=10, lines=2))
    assert read_cursor(cursor.written()) == cursor
    assert read_cursor("7") == Cursor(sequence=7)
    assert cursor.without((JobId("a#1"), 2, 3)) == Cursor(sequence=7)


@given(st.text(max_size=40))
def test_a_text_that_is_no_cursor_is_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert read_cursor(text).sequence >= 0


@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_an_end_without_a_newline_is_told_when_the_log_has_ended(end: bytes) -> None:
    lines: list[Line] = [("out", b"one\n"), ("err", b"two" + end)]
    logs = MemoryLogs()
    await logs.append(NAME, "data", 0, b"".join(text for _, text in lines))
    await logs.append(NAME, "index", 0, _index(lines))
    growing = await _read(logs, Place(), ended=False)
    assert len(growing) == (2 if end else 1)
    assert [piece.stream for piece in await _read(logs, Place(), ended=True)] == ["out", "err"]
