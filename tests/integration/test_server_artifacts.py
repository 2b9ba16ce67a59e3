"""Artifacts and sources over HTTP: stored piece by piece, seen when whole, downloaded with a range."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pawl.core.model.errors import Conflict, PawlError, StaleLease, TooLarge
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import Report
from pawl.core.model.work import Lease
from pawl.engine.control import Quotas, Rules
from tests.integration.serving import ONE_STEP, Serving, moved, serving

DATA = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(DATA).hexdigest()
ENTRY = ArtifactEntry(name="out/a file.bin", size=len(DATA), sha256=DIGEST, content_type="text/html")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(tmp_path) as made:
        yield made


async def _chunks(data: bytes = DATA) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 70_000):
        yield data[start : start + 70_000]


async def test_an_artifact_is_seen_when_it_is_made_and_comes_in_ranges(server: Serving) -> None:
    link, lease = await server.begun()
    path = f"/api/runs/{lease.ref.run}/artifacts"
    await link.put_blob(lease, _chunks(), digest=DIGEST, size=len(DATA))
    assert (await server.ask("GET", path, by="read")).json["artifacts"] == []
    (told,) = await link.artifacts(lease, "build", [ENTRY], replace=False)
    assert isinstance(told, dict)
    assert told["name"] == "build"
    file = f"{path}/build/out/a%20file.bin"
    whole = await server.ask("GET", file, by="read")
    assert whole.body == DATA
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    part = await server.ask("GET", file, by="read", headers={"Range": "bytes=100-1099"})
    assert (part.status, part.body) == (206, DATA[100:1100])
    assert part.headers["Content-Range"] == f"bytes 100-1099/{len(DATA)}"
    assert (await server.ask("GET", file, headers={"Range": f"bytes={len(DATA)}-"})).status == 416
    assert (await server.ask("GET", file, headers={"If-None-Match": whole.headers["ETag"]})).status == 304
    for wrong in ("nothing", "out/%2e%2e/x", "%2e%2e/pawl.db", "out"):
        assert (await server.ask("GET", f"{path}/build/{wrong}")).status == 404


async def test_what_is_not_the_workers_or_not_the_bytes_is_not_stored(server: Serving) -> None:
    link, lease = await server.begun()
    with pytest.raises(StaleLease):
        await link.put_blob(moved(lease, epoch=9), _chunks(), digest=DIGEST, size=len(DATA))
    with pytest.raises(Conflict):
        await link.put_blob(lease, _chunks(), digest="0" * 64, size=len(DATA))
    with pytest.raises(PawlError):
        await link.put_blob(lease, _chunks(), digest=DIGEST, size=10)
    with pytest.raises(Conflict):
        await link.artifacts(lease, "build", [ENTRY], replace=False)
    assert [facts async for facts in server.services.blobs.all()] == []


async def test_a_source_goes_to_the_worker_of_its_run(server: Serving) -> None:
    stored = await server.ask("POST", "/api/sources", by="user", data=_chunks())
    assert (stored.status, stored.json) == (201, {"digest": DIGEST, "size": len(DATA)})
    await server.trigger(ONE_STEP.replace("run: make", "uses: actions/checkout@v4"), source=DIGEST)
    link = await server.worker()
    (work,) = await link.lease("request-1", 1, 10)
    assert work.source == DIGEST
    assert b"".join([chunk async for chunk in link.source(work.lease)]) == DATA
    with pytest.raises(StaleLease):
        async for _ in link.source(moved(work.lease, epoch=9)):
            pass
    body = {"path": ".github/workflows/x.yml", "workflow": ONE_STEP, "source": "0" * 64}
    assert (await server.ask("POST", "/api/runs", json=body)).status == 404


def _told_artifact(lease: Lease) -> Report:
    told = {"type": "artifact_stored", "time": 1.0, "job": lease.ref.job, "name": "a", "files": 1, "size": 1}
    return Report(first=0, events=(told,))


async def _artifacts_told(server: Serving, lease: Lease) -> list[tuple[str, int]]:
    events = await server.services.control.runs.events(lease.ref.run, 0, 1000)
    told = [event.event for event in events]
    return [
        (each["name"], each["size"])
        for each in told
        if isinstance(each, dict) and each["type"] == "artifact_stored"
    ]


async def test_an_artifact_is_told_once_when_the_server_has_it(server: Serving) -> None:
    link, lease = await server.begun()
    assert (await link.report(lease, _told_artifact(lease))).told == 1
    assert await _artifacts_told(server, lease) == []
    await link.put_blob(lease, _chunks(), digest=DIGEST, size=len(DATA))
    for _ in range(2):
        await link.artifacts(lease, "build", [ENTRY], replace=False)
    assert await _artifacts_told(server, lease) == [("build", len(DATA))]


async def test_an_artifact_that_is_refused_is_not_told(tmp_path: Path) -> None:
    async with serving(tmp_path, rules=Rules(quotas=Quotas(run_artifacts=1000))) as server:
        link, lease = await server.begun()
        await link.report(lease, _told_artifact(lease))
        await link.put_blob(lease, _chunks(), digest=DIGEST, size=len(DATA))
        with pytest.raises(TooLarge, match="the artifacts of run"):
            await link.artifacts(lease, "build", [ENTRY], replace=False)
        assert await _artifacts_told(server, lease) == []
        assert (await server.ask("GET", f"/api/runs/{lease.ref.run}/artifacts")).json["artifacts"] == []
