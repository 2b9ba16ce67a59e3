"""The parts of a worker that only compute."""

from __future__ import annotations

from pawl.core.model.errors import Unavailable
from pawl.core.model.ids import Epoch, JobId, RunId
from pawl.core.model.line_index import RECORD_SIZE, line_records
from pawl.core.model.records import AttemptRef
from pawl.core.model.work import Lease
from pawl.testing.clock import FakeClock
from pawl.worker.back_off import FIRST, MOST, pause, pause_after
from pawl.worker.fence import Fence
from pawl.worker.growing import records_before
from pawl.worker.spool import spool_name


def test_pauses_grow_up_to_a_most_and_are_never_the_same_for_all() -> None:
    longest = [pause(tries, 1.0) for tries in range(1, 40)]
    assert longest == sorted(longest)
    assert (longest[0], longest[-1]) == (FIRST, MOST)
    assert [pause(tries, 0.0) * 2 for tries in range(1, 40)] == longest


def test_a_full_server_says_how_long_to_wait() -> None:
    assert pause_after(Unavailable("full", full=True, retry_after=9.0), 1, 0.5) == 9.0
    assert pause_after(Unavailable("full", full=True, retry_after=9999.0), 1, 0.5) == MOST
    assert pause_after(Unavailable("away"), 1, 1.0) == FIRST


async def test_a_lease_is_counted_from_when_it_was_asked_for() -> None:
    clock = FakeClock()
    fence = Fence(clock, asked=clock.monotonic() - 12.0, seconds=30.0)
    assert fence.left == 15.0  # a tenth is kept back for stopping
    fence.renew(asked=clock.monotonic() - 20.0, seconds=30.0)
    assert fence.left == 15.0  # an answer that was late does not shorten it
    fence.renew(asked=clock.monotonic(), seconds=30.0)
    assert fence.left == 27.0


async def test_a_lost_or_lapsed_lease_says_why() -> None:
    clock = FakeClock()
    lost = Fence(clock, asked=clock.monotonic(), seconds=30.0)
    lost.lose("the server said so")
    lost.lose("and again")
    assert await lost.passed() == "the server said so"
    lapsed = Fence(clock, asked=clock.monotonic() - 30.0, seconds=30.0)
    assert await lapsed.passed() == "the server did not renew the lease for 30 s"


def test_the_index_is_cut_where_the_bytes_end() -> None:
    data = b"".join(b"line %d\n" % number for number in range(100))
    records = line_records(data, offset=0, stream="out", time=1.0, continued=False)
    assert records_before(records, 0, len(data)) == records
    assert records_before(records, 0, 0) == b""
    assert len(records_before(records, 0, 7)) == RECORD_SIZE
    assert len(records_before(records, 0, 8)) == 2 * RECORD_SIZE
    # The rest of a record that was begun comes along.
    assert len(records_before(records[5:], 5, 7)) == RECORD_SIZE - 5
    assert records_before(b"", 0, 10) == b""


def test_each_lease_of_an_attempt_has_a_folder_of_its_own() -> None:
    ref = AttemptRef(run=RunId(7), job=JobId("../test#1"), attempt=2)
    names = {spool_name(Lease(ref=ref, epoch=Epoch(epoch), seconds=1)) for epoch in (1, 2)}
    assert len(names) == 2
    assert all("/" not in name and name.startswith("7-") for name in names)
