"""Artifacts, sources, tokens, and what is removed when."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pawl.core.model.errors import Conflict, Denied, NotFound, StaleLease, TooLarge, UsageError
from pawl.core.model.ids import Epoch, RunId
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.status import Conclusion, FailureClass
from pawl.core.model.work import Lease
from pawl.engine.control import Quotas, Retention, Rules
from pawl.ports.log_bytes import LogName
from tests.integration.controlling import Hand, Server, chunks, log_end, make_server
from tests.reporting import append_log

DAY = 86_400.0
RULES = Rules(
    quotas=Quotas(artifact_file=1000, run_artifacts=1000, artifact_files=3, source=1000),
    retention=Retention(artifacts=2 * DAY, logs=3 * DAY, runs=4 * DAY, artifact_bytes=900, log_bytes=100),
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = make_server(rules=RULES)
    yield made
    await made.store.aclose()


async def _running(server: Server) -> tuple[Hand, Lease]:
    await server.trigger()
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    return hand, lease


async def _file(server: Server, hand: Hand, lease: Lease, name: str, data: bytes) -> ArtifactEntry:
    digest = hashlib.sha256(data).hexdigest()
    await server.control.artifacts.put_blob(hand.id, lease, chunks(data), digest=digest, size=len(data))
    return ArtifactEntry(name=name, size=len(data), sha256=digest, content_type="text/plain")


async def test_an_artifact_is_seen_once_it_is_made(server: Server) -> None:
    hand, lease = await _running(server)
    artifacts, run = server.control.artifacts, lease.ref.run
    entry = await _file(server, hand, lease, "a/b.txt", b"hello")
    assert await artifacts.of_run(run) == ()
    made = await artifacts.make(hand.id, lease, "out", [entry], replace=False)
    assert await artifacts.make(hand.id, lease, "out", [entry], replace=False) == made
    assert await artifacts.of_run(run) == (made,)
    assert await artifacts.for_worker(hand.id, lease) == (made,)
    found, read = await artifacts.read(run, "out", "a/b.txt", 1, 3)
    assert (found, [part async for part in read]) == (entry, [b"el"])
    with pytest.raises(NotFound):
        await artifacts.get(run, "other")
    with pytest.raises(NotFound):
        await artifacts.read(run, "out", "other")
    with pytest.raises(NotFound):
        await artifacts.of_run(RunId(99))


async def test_a_taken_name_is_refused_unless_it_is_to_be_replaced(server: Server) -> None:
    hand, lease = await _running(server)
    make = server.control.artifacts.make
    first = await _file(server, hand, lease, "a", b"1")
    second = await _file(server, hand, lease, "a", b"2")
    await make(hand.id, lease, "out", [first], replace=False)
    with pytest.raises(Conflict):
        await make(hand.id, lease, "out", [second], replace=False)
    await make(hand.id, lease, "out", [second], replace=True)
    await hand.finish(lease, Conclusion.FAILURE, failure_class=FailureClass.INFRASTRUCTURE)
    server.clock.advance(60)
    later = await hand.take_one()
    await hand.begin(later)
    await make(hand.id, later, "out", [first], replace=False)
    with pytest.raises(StaleLease):
        await make(hand.id, lease, "out", [first], replace=True)


async def test_an_artifact_has_its_limits(server: Server) -> None:
    hand, lease = await _running(server)
    make = server.control.artifacts.make
    big = await _file(server, hand, lease, "a", b"x" * 600)
    await make(hand.id, lease, "one", [big], replace=False)
    with pytest.raises(TooLarge):
        await make(hand.id, lease, "two", [big], replace=False)
    with pytest.raises(TooLarge):
        await make(hand.id, lease, "many", [big] * 4, replace=False)
    with pytest.raises(TooLarge):
        await _file(server, hand, lease, "a", b"x" * 1001)
    missing = ArtifactEntry(name="a", size=1, sha256="0" * 64, content_type="")
    with pytest.raises(Conflict):
        await make(hand.id, lease, "none", [missing], replace=False)
    for name, file in (("a/b", "a"), ("..", "a"), ("a", "../a"), ("a", "/a"), ("a", ""), ("", "a")):
        entry = ArtifactEntry(name=file, size=1, sha256="0" * 64, content_type="")
        with pytest.raises(UsageError):
            await make(hand.id, lease, name, [entry], replace=False)


async def test_a_worker_gets_the_source_of_its_run(server: Server) -> None:
    facts = await server.control.artifacts.put_source(chunks(b"pack", b"ed"))
    await server.trigger(source=facts.digest)
    hand = await server.worker()
    lease = await hand.take_one()
    read = await server.control.artifacts.source(hand.id, lease)
    assert b"".join([part async for part in read]) == b"packed"
    with pytest.raises(TooLarge):
        await server.control.artifacts.put_source(chunks(b"x" * 1001))
    await server.control.runs.cancel(lease.ref.run, by="me")
    with pytest.raises(StaleLease):
        await server.control.artifacts.source(hand.id, lease)


async def test_what_is_old_goes_and_what_is_referred_to_stays(server: Server) -> None:
    facts = await server.control.artifacts.put_source(chunks(b"source"))
    left = await server.control.artifacts.put_source(chunks(b"left"))
    run = await server.trigger(source=facts.digest)
    hand = await server.worker()
    lease = await hand.take_one()
    await hand.begin(lease)
    entry = await _file(server, hand, lease, "a", b"artifact")
    await server.control.artifacts.make(hand.id, lease, "out", [entry], replace=False)
    await append_log(server.control.workers, lease, 0, "data", 0, b"log", by=hand.id)
    await hand.finish(lease, logs=(log_end(0, b"log"),))
    blobs, logs = server.control.blobs, server.control.logs
    assert (await server.control.sweep()).deleted_blobs == 0
    server.clock.advance(DAY + 1)
    report = await server.control.sweep()
    assert (report.deleted_blobs, await blobs.facts(left.digest)) == (1, None)
    server.clock.advance(DAY)
    report = await server.control.sweep()
    assert (report.deleted_artifacts, await blobs.facts(entry.sha256)) == (1, None)
    assert await blobs.facts(facts.digest) is not None
    server.clock.advance(DAY)
    assert (await server.control.sweep()).deleted_logs == 1
    assert await logs.size(LogName(attempt=lease.ref, index=0), "data") == 0
    (log,) = await server.control.runs.logs(run.id)
    assert log.note == "removed to save space"
    server.clock.advance(DAY)
    assert (await server.control.sweep()).deleted_runs == 1
    with pytest.raises(NotFound):
        await server.control.runs.get(run.id)
    assert await blobs.facts(facts.digest) is None


async def test_a_run_that_is_started_again_meanwhile_stays(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = await server.worker()
    first, second = await server.trigger(), await server.trigger()
    await hand.run_all()
    delete_run = server.control.logs.delete_run

    async def delete_slowly(run: RunId) -> int:
        if run == first.id:
            await server.control.runs.rerun(second.id, jobs="all", by="me")
        return await delete_run(run)

    monkeypatch.setattr(server.control.logs, "delete_run", delete_slowly)
    server.clock.advance(5 * DAY)
    assert (await server.control.sweep()).deleted_runs == 1
    assert (await server.control.runs.get(second.id)).attempt == 2


async def test_an_old_blob_is_sent_again_so_that_it_is_not_removed_before_it_is_used(server: Server) -> None:
    hand, lease = await _running(server)
    entry = await _file(server, hand, lease, "a", b"artifact")
    artifacts = server.control.artifacts
    assert await artifacts.has_blob(hand.id, lease, entry.sha256, entry.size)
    assert not await artifacts.has_blob(hand.id, lease, entry.sha256, entry.size + 1)
    server.clock.advance(DAY)
    assert not await artifacts.has_blob(hand.id, lease, entry.sha256, entry.size)
    with pytest.raises(StaleLease):
        await artifacts.has_blob(hand.id, replace(lease, epoch=Epoch(9)), entry.sha256, entry.size)


async def test_the_oldest_artifacts_go_when_there_are_too_many_bytes(server: Server) -> None:
    for number in range(3):
        hand, lease = await _running(server)
        entry = await _file(server, hand, lease, "a", bytes([number]) * 400)
        await server.control.artifacts.make(hand.id, lease, "out", [entry], replace=False)
        await hand.finish(lease)
        server.clock.advance(1)
    assert (await server.control.sweep()).deleted_artifacts == 1
    kept = [len(await server.control.artifacts.of_run(RunId(run))) for run in (1, 2, 3)]
    assert kept == [0, 1, 1]


async def test_the_logs_of_the_runs_that_ended_first_go_when_there_are_too_many_bytes(server: Server) -> None:
    data = b"x" * 40
    for number in range(4):
        hand, lease = await _running(server)
        await append_log(server.control.workers, lease, 0, "data", 0, data, by=hand.id)
        if number < 3:
            await hand.finish(lease, logs=(log_end(0, data),))
        server.clock.advance(1)
    assert (await server.control.sweep()).deleted_logs == 1
    sizes = [
        await server.control.logs.size(LogName(attempt=replace(lease.ref, run=RunId(run)), index=0), "data")
        for run in (1, 2, 3, 4)
    ]
    assert sizes == [0, 40, 40, 40]


async def test_the_first_token_is_made_once(server: Server) -> None:
    tokens = server.control.tokens
    secret = await tokens.first()
    assert secret is not None
    assert await tokens.first() is None
    record = await tokens.check(secret)
    assert (record.scope, record.name) == ("admin", "first")
    assert all(secret not in str(each) for each in await tokens.all())


async def test_only_an_administrator_makes_and_revokes_tokens(server: Server) -> None:
    tokens = server.control.tokens
    admin = await tokens.check(await tokens.first() or "")
    secret = await tokens.create("me", "user", by=admin)
    user = await tokens.check(secret)
    with pytest.raises(Denied) as caught:
        await tokens.create("more", "user", by=user)
    assert caught.value.known
    with pytest.raises(Denied):
        await tokens.revoke(user.digest, by=user)
    await tokens.revoke("me", by=admin)
    with pytest.raises(Denied, match="the token was revoked"):
        await tokens.check(secret)
    with pytest.raises(NotFound):
        await tokens.revoke("nobody", by=admin)
    actions = [(entry.by, entry.action) for entry in await server.control.audit()]
    assert actions == [("the server", "token.create"), ("first", "token.create"), ("first", "token.revoke")]


async def test_a_token_is_refused_when_it_is_unknown_or_over(server: Server) -> None:
    tokens, now = server.control.tokens, server.clock.now()
    for secret in ("", "pawl_", "pawl_" + "0" * 64, "\ud800"):
        with pytest.raises(Denied):
            await tokens.check(secret)
    secret = await tokens.create("short", "read", by=None, expires_at=now + 100)
    assert (await tokens.check(secret)).last_used == now
    server.clock.advance(30)
    assert (await tokens.check(secret)).last_used == now
    server.clock.advance(31)
    assert (await tokens.check(secret)).last_used == now + 61
    server.clock.advance(40)
    with pytest.raises(Denied):
        await tokens.check(secret)
    for name, scope in (("a", "god"), ("", "user"), ("x" * 101, "user"), ("a\n", "user")):
        with pytest.raises(UsageError):
            await tokens.create(name, scope, by=None)
