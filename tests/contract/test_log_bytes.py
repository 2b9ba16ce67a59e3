"""What every `LogBytes` promises (ports/log_bytes.py), asked of each adapter."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.storage_s3.logs import S3LogBytes
from pawl.core.model.errors import OffsetConflict
from pawl.core.model.ids import JobId, RunId
from pawl.core.model.records import AttemptRef
from pawl.ports.log_bytes import LogBytes, LogName

Make = Callable[[], LogBytes]
"""Makes one more adapter on the same storage: what a restarted server would have."""


@pytest.fixture(params=["folder", "s3"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "s3":
        url = request.getfixturevalue("bucket")
        return lambda: S3LogBytes(url)
    return lambda: FolderLogBytes(tmp_path / "logs")


@pytest.fixture
def logs(make: Make) -> LogBytes:
    return make()


def named(job: str = "build", *, run: int = 1, attempt: int = 1, index: int = 0) -> LogName:
    return LogName(attempt=AttemptRef(run=RunId(run), job=JobId(job), attempt=attempt), index=index)


LOG = named()


async def test_bytes_come_back_as_they_were_appended(logs: LogBytes) -> None:
    assert await logs.append(LOG, "data", 0, b"one\n") == 4
    assert await logs.append(LOG, "data", 4, b"two\n") == 8
    assert await logs.size(LOG, "data") == 8
    assert await logs.read(LOG, "data") == b"one\ntwo\n"


async def test_a_log_that_nobody_wrote_is_empty(logs: LogBytes) -> None:
    assert await logs.size(LOG, "data") == 0
    assert await logs.read(LOG, "data") == b""
    assert await logs.digest(LOG) == hashlib.sha256().hexdigest()


async def test_no_bytes_at_the_end_are_fine(logs: LogBytes) -> None:
    assert await logs.append(LOG, "data", 0, b"") == 0
    await logs.append(LOG, "data", 0, b"abc")
    assert await logs.append(LOG, "data", 3, b"") == 3


async def test_a_gap_is_refused_and_stores_nothing(logs: LogBytes) -> None:
    await logs.append(LOG, "data", 0, b"abc")
    for data in (b"x", b""):
        with pytest.raises(OffsetConflict) as conflict:
            await logs.append(LOG, "data", 4, data)
        assert conflict.value.size == 3
    assert await logs.read(LOG, "data") == b"abc"


async def test_an_offset_below_zero_is_refused(logs: LogBytes) -> None:
    with pytest.raises(OffsetConflict):
        await logs.append(LOG, "data", -1, b"x")
    assert await logs.size(LOG, "data") == 0


@pytest.mark.parametrize(
    ("offset", "data", "size"),
    [(0, b"abcdef", 6), (0, b"abc", 6), (2, b"cd", 6), (4, b"efgh", 8), (0, b"abcdefgh", 8), (5, b"fg", 7)],
)
async def test_an_equal_overlap_is_stored_once(logs: LogBytes, offset: int, data: bytes, size: int) -> None:
    await logs.append(LOG, "data", 0, b"abc")
    await logs.append(LOG, "data", 3, b"def")
    assert await logs.append(LOG, "data", offset, data) == size
    assert await logs.read(LOG, "data") == b"abcdefgh"[:size]


@pytest.mark.parametrize(
    ("offset", "data"), [(0, b"abX"), (2, b"cX"), (4, b"eXgh"), (0, b"abcdeXgh"), (5, b"X")]
)
async def test_an_overlap_that_differs_is_refused_whole(logs: LogBytes, offset: int, data: bytes) -> None:
    await logs.append(LOG, "data", 0, b"abc")
    await logs.append(LOG, "data", 3, b"def")
    with pytest.raises(OffsetConflict) as conflict:
        await logs.append(LOG, "data", offset, data)
    assert conflict.value.size == 6
    assert await logs.read(LOG, "data") == b"abcdef"


async def test_another_server_goes_on_where_the_first_ended(make: Make) -> None:
    first = make()
    await first.append(LOG, "data", 0, b"abc")
    second = make()
    assert await second.size(LOG, "data") == 3
    assert await second.read(LOG, "data") == b"abc"
    assert await second.append(LOG, "data", 1, b"bcd") == 4
    assert await second.digest(LOG) == hashlib.sha256(b"abcd").hexdigest()
    third = make()
    with pytest.raises(OffsetConflict) as conflict:
        await third.append(LOG, "data", 5, b"x")
    assert conflict.value.size == 4


async def test_what_many_senders_send_is_stored_once(logs: LogBytes) -> None:
    whole = bytes(range(100))

    async def send(start: int) -> None:
        while True:
            try:
                await logs.append(LOG, "data", start, whole[start : start + 10])
            except OffsetConflict:
                await asyncio.sleep(0)  # those before are not there yet
            else:
                return

    await asyncio.gather(*(send(start) for start in range(0, 100, 10) for _ in range(3)))
    assert await logs.read(LOG, "data") == whole


async def test_of_two_that_differ_at_one_place_one_is_stored(logs: LogBytes) -> None:
    results = await asyncio.gather(
        *(logs.append(LOG, "data", 0, letter * 100) for letter in (b"a", b"b", b"c")), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, OffsetConflict)]
    assert sorted(map(str, results)).count("100") == 1
    assert [conflict.size for conflict in refused] == [100, 100]
    assert await logs.read(LOG, "data") in (b"a" * 100, b"b" * 100, b"c" * 100)


async def test_many_logs_at_once(logs: LogBytes) -> None:
    names = [named(f"job#{job}", run=run) for run in (1, 2) for job in range(8)]

    async def fill(name: LogName) -> None:
        for number in range(5):
            await logs.append(name, "data", number * 3, b"%d,\n" % number)

    await asyncio.gather(*map(fill, names))
    assert {await logs.read(name, "data") for name in names} == {b"0,\n1,\n2,\n3,\n4,\n"}


async def test_a_reader_sees_a_beginning_while_it_grows(logs: LogBytes) -> None:
    whole = bytes(100) + bytes(range(100))

    async def read() -> None:
        seen = 0
        while seen < len(whole):
            told = await logs.read(LOG, "data")
            assert whole.startswith(told)
            assert len(told) >= seen
            seen = len(told)
            await asyncio.sleep(0)

    async def write() -> None:
        for start in range(0, len(whole), 20):
            await logs.append(LOG, "data", start, whole[start : start + 20])

    await asyncio.gather(read(), read(), write())


async def test_ranges(logs: LogBytes) -> None:
    await logs.append(LOG, "data", 0, b"abc")
    await logs.append(LOG, "data", 3, b"def")
    assert await logs.read(LOG, "data", start=2) == b"cdef"
    assert await logs.read(LOG, "data", start=2, size=2) == b"cd"
    assert await logs.read(LOG, "data", size=0) == b""
    assert await logs.read(LOG, "data", start=4, size=100) == b"ef"
    assert await logs.read(LOG, "data", start=6) == b""
    assert await logs.read(LOG, "data", start=1000, size=10) == b""


async def test_data_and_index_grow_apart(logs: LogBytes) -> None:
    await logs.append(LOG, "data", 0, b"line\n")
    assert await logs.size(LOG, "index") == 0
    await logs.append(LOG, "index", 0, bytes(16))
    assert (await logs.size(LOG, "data"), await logs.size(LOG, "index")) == (5, 16)
    assert await logs.digest(LOG) == hashlib.sha256(b"line\n").hexdigest()


async def test_steps_attempts_jobs_and_runs_have_logs_of_their_own(logs: LogBytes) -> None:
    names = [named(), named(index=1), named(attempt=2), named("test"), named(run=2), named("build#1")]
    for number, name in enumerate(names):
        await logs.append(name, "data", 0, b"%d" % number)
    assert [await logs.read(name, "data") for name in names] == [b"0", b"1", b"2", b"3", b"4", b"5"]


HOSTILE = [
    "../../up",
    "/etc/passwd",
    "a/b",
    ".",
    "..",
    "",
    "nul\0byte",
    "x" * 5000,
    "Ünïcode\n",
    "\udcff",
    "CON",
    "%2e",
]


async def test_a_job_s_name_may_be_anything(logs: LogBytes) -> None:
    for number, job in enumerate(HOSTILE):
        await logs.append(named(job), "data", 0, b"%d" % number)
    told = [await logs.read(named(job), "data") for job in HOSTILE]
    assert told == [b"%d" % number for number in range(len(HOSTILE))]


async def test_ten_megabytes_at_once(logs: LogBytes) -> None:
    data = b"".join(b"%09d\n" % number for number in range(1_000_000))
    assert await logs.append(LOG, "data", 0, data) == len(data)
    assert await logs.append(LOG, "data", 5_000_000, data[5_000_000:] + b"end") == len(data) + 3
    assert await logs.read(LOG, "data", start=9_999_990) == data[-10:] + b"end"
    assert await logs.digest(LOG) == hashlib.sha256(data + b"end").hexdigest()


async def test_a_run_s_logs_are_removed_together(logs: LogBytes, make: Make) -> None:
    await logs.append(LOG, "data", 0, b"abc")
    await logs.append(named("test", attempt=2, index=3), "index", 0, bytes(16))
    await logs.append(named(run=11), "data", 0, b"other")
    assert sorted([run async for run in logs.runs()]) == [1, 11]
    assert await logs.delete_run(RunId(1)) == 19
    assert await logs.delete_run(RunId(1)) == 0
    assert [run async for run in logs.runs()] == [11]
    assert (await logs.size(LOG, "data"), await logs.read(LOG, "data")) == (0, b"")
    assert await make().read(named(run=11), "data") == b"other"


async def test_a_run_may_have_logs_again_after_their_removal(logs: LogBytes) -> None:
    await logs.append(LOG, "data", 0, b"abc")
    await logs.delete_run(RunId(1))
    with pytest.raises(OffsetConflict) as conflict:
        await logs.append(LOG, "data", 3, b"def")
    assert conflict.value.size == 0
    assert await logs.append(LOG, "data", 0, b"new") == 3
    assert await logs.read(LOG, "data") == b"new"


async def test_a_caller_that_leaves_harms_nobody(logs: LogBytes) -> None:
    """A sender whose connection broke sends again, and finds its bytes stored or not."""
    data = b"x" * 300_000
    for number in range(10):
        sending = asyncio.create_task(logs.append(LOG, "data", number * len(data), data))
        await asyncio.sleep(0)
        sending.cancel()
        assert await logs.append(LOG, "data", number * len(data), data) == (number + 1) * len(data)
        await asyncio.gather(sending, return_exceptions=True)
    assert await logs.read(LOG, "data") == data * 10


async def test_there_is_room(logs: LogBytes) -> None:
    await logs.check()
    assert [run async for run in logs.runs()] == []
