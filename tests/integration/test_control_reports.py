"""Reports of workers: what is taken of one, what is refused, and that a last one goes with the end or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pawl.core.model.errors import OffsetConflict, StaleLease, TooLarge
from pawl.core.model.records import AttemptState
from pawl.core.model.reports import Part, Piece, Report, Reported, Taken
from pawl.core.model.status import Conclusion
from pawl.core.model.work import Lease, Result
from pawl.engine.control import Quotas, Rules
from pawl.ports.log_bytes import LogName
from tests.integration.controlling import Hand, Server, log_end, make_server

PROGRESS = {"type": "job_progress", "time": 1.0, "job": "build", "message": "m"}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = make_server(rules=Rules(quotas=Quotas(log=100, events=20)))
    yield made
    await made.store.aclose()


@pytest.fixture
async def hand(server: Server) -> Hand:
    await server.trigger()
    return await server.worker()


@pytest.fixture
async def lease(hand: Hand) -> Lease:
    lease = await hand.take_one()
    await hand.begin(lease)
    return lease


def piece(index: int, data: bytes, offset: int = 0, part: Part = "data") -> Piece:
    return Piece(index=index, name=f"step {index}", part=part, offset=offset, data=data)


def result(*logs: bytes, key: str = "k") -> Result:
    ends = tuple(log_end(index, data) for index, data in enumerate(logs))
    return Result(key=key, conclusion=Conclusion.SUCCESS, duration=1.0, logs=ends)


async def stored(server: Server, lease: Lease, index: int, part: Part = "data") -> bytes:
    return await server.control.logs.read(LogName(attempt=lease.ref, index=index), part)


async def messages(server: Server, lease: Lease) -> list[str]:
    told = [each.event for each in await server.control.runs.events(lease.ref.run)]
    return [str(e["message"]) for e in told if isinstance(e, dict) and e["type"] == "job_progress"]


async def test_a_report_of_several_steps_is_stored_at_once(server: Server, hand: Hand, lease: Lease) -> None:
    pieces = (piece(0, b"one\n"), piece(0, b"i", part="index"), piece(1, b"two\n"))
    report = Report(events=(PROGRESS, PROGRESS), pieces=pieces)
    whole = Reported(told=2, pieces=(Taken(size=4), Taken(size=1), Taken(size=4)))
    assert await server.control.workers.report(hand.id, lease, report) == whole
    assert await server.control.workers.report(hand.id, lease, report) == whole
    assert await messages(server, lease) == ["m", "m"]
    assert [(log.index, log.name) for log in await server.control.runs.logs(lease.ref.run)] == [
        (0, "step 0"),
        (1, "step 1"),
    ]


async def test_a_piece_that_cannot_be_taken_keeps_back_its_index_and_the_events(
    server: Server, hand: Hand, lease: Lease
) -> None:
    await server.control.workers.report(hand.id, lease, Report(pieces=(piece(0, b"one\n"),)))
    pieces = (piece(0, b"far\n", 9), piece(0, b"i", part="index"), piece(1, b"two\n"))
    reported = await server.control.workers.report(hand.id, lease, Report(events=(PROGRESS,), pieces=pieces))
    assert reported == Reported(told=0, pieces=(Taken(size=4, conflict=True), Taken(size=0), Taken(size=4)))
    assert await stored(server, lease, 0, "index") == b""
    assert await stored(server, lease, 1) == b"two\n"
    assert await messages(server, lease) == []
    differs = await server.control.workers.report(hand.id, lease, Report(pieces=(piece(0, b"ONE\n"),)))
    assert differs.pieces == (Taken(size=4, conflict=True),)


async def test_a_piece_over_the_quota_is_refused_for_good(server: Server, hand: Hand, lease: Lease) -> None:
    report = Report(events=(PROGRESS,), pieces=(piece(0, b"x" * 101), piece(1, b"two\n")))
    (large, small) = (await server.control.workers.report(hand.id, lease, report)).pieces
    assert "more than 100 bytes" in large.refused
    assert small == Taken(size=4)
    assert await stored(server, lease, 0) == b""


async def test_too_much_at_once_is_refused(server: Server, hand: Hand, lease: Lease) -> None:
    many = tuple(piece(index, b"x") for index in range(21))
    for report in (Report(events=(PROGRESS,) * 21), Report(pieces=many)):
        with pytest.raises(TooLarge):
            await server.control.workers.report(hand.id, lease, report)
        with pytest.raises(TooLarge):
            await server.control.workers.finish(hand.id, lease, result(), report)
    assert await stored(server, lease, 0) == b""


async def test_nothing_is_stored_for_who_has_no_lease(server: Server, hand: Hand, lease: Lease) -> None:
    other = await server.worker("other")
    report = Report(events=(PROGRESS,), pieces=(piece(0, b"one\n"),))
    for who, claim in ((other.id, lease), (hand.id, replace(lease, epoch=lease.epoch - 1))):
        with pytest.raises(StaleLease):
            await server.control.workers.report(who, claim, report)
        with pytest.raises(StaleLease):
            await server.control.workers.finish(who, claim, result(b"one\n"), report)
    assert await stored(server, lease, 0) == b""


@pytest.mark.parametrize("offset", [0, 4])
async def test_bytes_that_come_as_the_lease_ends_are_not_acknowledged(
    server: Server, hand: Hand, lease: Lease, monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    await server.control.workers.report(hand.id, lease, Report(pieces=(piece(0, b"one\n"[:offset]),)))
    append = server.control.logs.append

    async def end_meanwhile(name: LogName, part: Part, offset: int, data: bytes) -> int:
        server.clock.advance(1000)
        await server.control.sweep()
        return await append(name, part, offset, data)

    monkeypatch.setattr(server.control.logs, "append", end_meanwhile)
    with pytest.raises(StaleLease):
        await server.control.workers.report(hand.id, lease, Report(pieces=(piece(0, b"two\n", offset),)))
    (log,) = await server.control.runs.logs(lease.ref.run)
    assert (log.size, log.finished) == (offset, True)


async def test_the_last_report_and_the_end_are_one(server: Server, hand: Hand, lease: Lease) -> None:
    report = Report(events=(PROGRESS,), pieces=(piece(0, b"one\n"), piece(1, b"two\n")))
    for _ in range(2):
        await server.control.workers.finish(hand.id, lease, result(b"one\n", b"two\n"), report)
    assert await messages(server, lease) == ["m"]
    kinds = await server.kinds(lease.ref.run)
    assert kinds.index("job_progress build") < kinds.index("job_finished build")
    (row,) = await server.control.runs.attempts(lease.ref.run)
    assert row.state is AttemptState.FINISHED
    assert [log.finished for log in await server.control.runs.logs(lease.ref.run)] == [True, True]


@pytest.mark.parametrize(
    ("report", "logs"),
    [
        (Report(events=(PROGRESS,), pieces=(piece(0, b"one\n", 9),)), (b"one\n",)),
        (Report(events=(PROGRESS,), pieces=(piece(0, b"x" * 101),)), (b"x" * 101,)),
        (Report(events=(PROGRESS,), pieces=(piece(0, b"one\n"),)), (b"one\ntwo\n",)),
        (Report(events=(PROGRESS,), pieces=(piece(0, b"one\n"),)), (b"ONE\n",)),
        (Report(first=3, events=(PROGRESS,)), ()),
    ],
    ids=["a gap", "too large", "more to come", "another content", "events missing"],
)
async def test_an_attempt_does_not_end_while_its_last_report_is_not_whole(
    server: Server, hand: Hand, lease: Lease, report: Report, logs: tuple[bytes, ...]
) -> None:
    with pytest.raises(OffsetConflict):
        await server.control.workers.finish(hand.id, lease, result(*logs), report)
    (row,) = await server.control.runs.attempts(lease.ref.run)
    assert row.state is AttemptState.RUNNING
    assert await messages(server, lease) == []


async def test_a_log_that_has_more_than_its_last_piece_is_looked_at(
    server: Server, hand: Hand, lease: Lease
) -> None:
    await server.control.workers.report(hand.id, lease, Report(pieces=(piece(0, b"one\ntwo\n"),)))
    report = Report(pieces=(piece(0, b"one\n"),))  # the answer to the whole of it was lost
    with pytest.raises(OffsetConflict):
        await server.control.workers.finish(hand.id, lease, result(b"one\nTWO\n"), report)
    await server.control.workers.finish(hand.id, lease, result(b"one\ntwo\n"), report)
