"""Whatever blocks come, the log gives back the bytes of each stream and counts their lines right."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pawl.adapters.runs_folder import FolderLogs
from pawl.core.model.ids import JobId
from pawl.core.model.line_index import RECORD_SIZE, line_records, parse_records

JOB = JobId("j")
pieces = st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\r", b"\x00\xff", b"\n\n"]), max_size=8)
blocks = st.lists(st.tuples(pieces.map(b"".join), st.sampled_from(["out", "err"])), max_size=12)


@settings(max_examples=50, deadline=None)
@given(blocks, st.integers(1, 20))
def test_reading_gives_back_what_was_appended(appended: list[tuple[bytes, str]], first: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderLogs(Path(folder))
        log = store.writer(JOB, 1, 0, "x")
        for data, stream in appended:
            log.append(data, stream=stream, time=3)
        summary = log.finish()
        lines = list(store.read(JOB, 1, 0))
        assert len(lines) == summary.lines
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        assert list(store.read(JOB, 1, 0, first_line=first)) == lines[first - 1 :]
        stored = (Path(folder) / "j/1/00.log").read_bytes()
        assert stored == b"".join(data for data, _ in appended)


@settings(max_examples=40, deadline=None)
@given(blocks, st.integers(0, 60), st.integers(0, 200))
@example([(b"\n\n\n\naa\n\n", "out"), (b"\n", "out")], 5, 112)
def test_files_that_a_crash_cut_short_give_a_prefix_of_the_lines(
    appended: list[tuple[bytes, str]], log_size: int, index_size: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderLogs(Path(folder))
        log = store.writer(JOB, 1, 0, "x")
        for data, stream in appended:
            log.append(data, stream=stream, time=3)
        log.finish()
        whole = [line.text for line in store.read(JOB, 1, 0)]
        for name, size in (("00.log", log_size), ("00.idx", index_size)):
            with (Path(folder) / "j/1" / name).open("r+b") as file:
                file.truncate(min(size, file.seek(0, 2)))
        cut = [line.text for line in store.read(JOB, 1, 0)]
        assert len(cut) <= len(whole)
        assert cut[:-1] == whole[: len(cut) - 1] if cut else True


@given(st.binary(max_size=50), st.integers(0, 2**40), st.floats(0, 4e9), st.booleans())
def test_records_survive_the_round_trip(data: bytes, offset: int, time: float, continued: bool) -> None:
    records = line_records(data, offset=offset, stream="err", time=time, continued=continued)
    assert len(records) % RECORD_SIZE == 0
    for start, when, stream in parse_records(records):
        assert offset <= start < offset + len(data)
        assert start == offset or data[start - offset - 1 : start - offset] == b"\n"
        assert abs(when - time) < 1e-5
        assert stream == "err"
