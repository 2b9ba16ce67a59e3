"""What every `LogStore` promises (ports/logs.py), asked of each adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pawl.adapters.runs_folder import FolderLogs
from pawl.core.model.errors import InfrastructureError
from pawl.core.model.ids import JobId
from pawl.ports.logs import LogStore, LogWriter

JOB = JobId("build#3")

Make = Callable[..., LogStore]


@pytest.fixture(params=["folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return lambda cap=10_000: FolderLogs(tmp_path / "logs", cap=cap)


@pytest.fixture
def store(make: Make) -> LogStore:
    return make()


def writer(store: LogStore) -> LogWriter:
    return store.writer(JOB, 1, 0, "Run tests")


def texts(store: LogStore, first_line: int = 1) -> list[tuple[int, str, bytes]]:
    lines = store.read(JOB, 1, 0, first_line=first_line)
    return [(line.number, line.stream, line.text) for line in lines]


def test_lines_come_back_with_number_stream_and_time(store: LogStore) -> None:
    log = writer(store)
    log.append(b"one\ntwo\n", stream="out", time=1_700_000_000.25)
    log.append(b"three\n", stream="err", time=1_700_000_001.5)
    lines = list(store.read(JOB, 1, 0))
    assert [(x.number, x.time, x.stream, x.text, x.ended) for x in lines] == [
        (1, 1_700_000_000.25, "out", b"one", True),
        (2, 1_700_000_000.25, "out", b"two", True),
        (3, 1_700_000_001.5, "err", b"three", True),
    ]
    log.finish()


def test_append_says_where_it_stored(store: LogStore) -> None:
    log = writer(store)
    first = log.append(b"a\nb\n", stream="out", time=1)
    second = log.append(b"c\n", stream="out", time=1)
    assert first is not None
    assert second is not None
    assert (first.offset, first.first_line, first.data) == (0, 1, b"a\nb\n")
    assert (second.offset, second.first_line, second.data) == (4, 3, b"c\n")
    log.finish()


def test_reading_may_begin_at_any_line(store: LogStore) -> None:
    log = writer(store)
    for number in range(1, 101):
        log.append(b"line %d\n" % number, stream="out", time=number)
    assert texts(store, 99) == [(99, "out", b"line 99"), (100, "out", b"line 100")]
    assert texts(store, 101) == []
    log.finish()


def test_a_part_of_a_line_is_continued_by_the_next_block_of_its_stream(store: LogStore) -> None:
    log = writer(store)
    log.append(b"a long ", stream="out", time=1)
    assert [(line.text, line.ended) for line in store.read(JOB, 1, 0)] == [(b"a long ", False)]
    block = log.append(b"line\nnext\n", stream="out", time=2)
    assert block is not None
    assert block.first_line == 1
    assert texts(store) == [(1, "out", b"a long line"), (2, "out", b"next")]
    assert log.finish().lines == 2


def test_the_bytes_of_each_stream_survive_when_the_other_cuts_a_line(store: LogStore) -> None:
    log = writer(store)
    log.append(b"left", stream="out", time=1)
    log.append(b"warning\n", stream="err", time=1)
    log.append(b"right\n", stream="out", time=1)
    assert texts(store) == [(1, "out", b"left"), (2, "err", b"warning"), (3, "out", b"right")]
    log.finish()


def test_any_bytes_are_kept_as_they_are(store: LogStore) -> None:
    data = bytes(range(256)) + b"\r\n\n\xff\x00"
    log = writer(store)
    log.append(data, stream="out", time=1)
    summary = log.finish()
    assert b"\n".join(text for _, _, text in texts(store)) == data
    assert summary.sha256 == hashlib.sha256(data).hexdigest()
    assert (summary.size, summary.lines, summary.dropped) == (len(data), 4, 0)


def test_over_the_cap_one_marker_is_stored_and_the_rest_is_counted(make: Make) -> None:
    store = make(cap=100)
    log = writer(store)
    log.append(b"0123456789\n" * 5, stream="out", time=1)
    block = log.append(b"0123456789\n" * 5, stream="out", time=1)
    assert block is not None
    assert b"This log is longer than 100 bytes" in block.data
    assert log.append(b"more\n", stream="err", time=1) is None
    summary = log.finish()
    # 100 bytes allow 6 lines of index too, which come first here.
    assert [text for _, _, text in texts(store)][:6] == [b"0123456789"] * 6
    assert len(texts(store)) == 7
    assert summary.dropped == 4 * 11 + 5


def test_the_marker_stands_on_a_line_of_its_own_when_the_cap_cuts_a_long_line(make: Make) -> None:
    store = make(cap=32)
    log = writer(store)
    log.append(b"x" * 40 + b"\n", stream="out", time=1)
    assert log.finish().dropped == 9
    first, second = texts(store)
    assert first[2] == b"x" * 32
    assert second[2].startswith(b"##[warning]")


def test_many_empty_lines_cannot_make_the_index_larger_than_the_cap(make: Make) -> None:
    store = make(cap=16 * 50)
    log = writer(store)
    log.append(b"\n" * 700, stream="out", time=1)
    summary = log.finish()
    assert summary.lines == 51
    assert summary.dropped == 650


def test_finish_may_be_called_again_and_its_summary_is_kept(store: LogStore) -> None:
    log = writer(store)
    log.append(b"x\n", stream="out", time=1)
    assert store.summary(JOB, 1, 0) is None
    assert log.finish() == log.finish() == store.summary(JOB, 1, 0)


def test_what_comes_after_the_end_is_refused(store: LogStore) -> None:
    log = writer(store)
    log.finish()
    assert log.append(b"late\n", stream="out", time=1) is None
    assert texts(store) == []


def test_a_log_has_one_writer(store: LogStore) -> None:
    log = writer(store)
    with pytest.raises(InfrastructureError):
        writer(store)
    log.finish()


def test_logs_that_do_not_exist_are_told(store: LogStore) -> None:
    with pytest.raises(KeyError):
        store.read(JOB, 1, 7)
    with pytest.raises(KeyError):
        store.summary(JOB, 1, 7)


def test_jobs_attempts_and_steps_are_kept_apart(store: LogStore) -> None:
    places = [(JobId("a#1"), 1, 0), (JobId("a#2"), 1, 0), (JobId("a#1"), 2, 0), (JobId("a#1"), 1, 1)]
    for number, (job, attempt, index) in enumerate(places):
        log = store.writer(job, attempt, index, "x")
        log.append(b"%d\n" % number, stream="out", time=1)
        log.finish()
    found = [[line.text for line in store.read(*place)] for place in places]
    assert found == [[b"0"], [b"1"], [b"2"], [b"3"]]
