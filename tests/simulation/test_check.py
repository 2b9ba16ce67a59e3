"""The checks of a server's database and folder see what is wrong with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pawl.adapters.blobs_folder import FolderBlobs
from pawl.adapters.logs_folder import FolderLogBytes
from pawl.adapters.store_sql import open_store
from pawl.core.model.events import Event
from pawl.core.model.records import ArtifactEntry, AttemptState
from pawl.core.model.status import Conclusion
from pawl.core.model.work import LogEnd, Result, WorkerHello
from pawl.engine.control import Control, Rules, Trigger
from pawl.ports.store import RunFilter, Store, Transaction
from pawl.testing.clock import FakeClock
from tests.reporting import append_log
from tests.simulation.check import check_database, find_faults
from tests.simulation.draws import stream
from tests.simulation.history import digest
from tests.simulation.server import DrawnRandomness

TEXT = "on: push\njobs:\n  build:\n    runs-on: linux\n    steps: [{run: make}]\n"
LOG = b"one\ntwo\n"
FILE = b"bytes"
_ANY = RunFilter()


async def _file() -> AsyncIterator[bytes]:
    yield FILE


async def _run(control: Control) -> None:
    """Have one run with one job, one log and one artifact, from trigger to end."""
    wanted = Trigger(path=".github/workflows/ci.yml", text=TEXT, event=Event(name="push"))
    await control.runs.trigger(wanted)
    hello = WorkerHello(name="w", labels=("linux",), slots=1, protocol=1, version="0")
    worker = (await control.workers.hello("a" * 64, hello)).worker
    (work,) = await control.workers.lease(worker, "request", 1)
    await control.workers.begin(worker, work.lease)
    await append_log(control.workers, work.lease, 0, "data", 0, LOG, name="make", by=worker)
    entry = ArtifactEntry(name="f", size=len(FILE), sha256=digest(FILE), content_type="text/plain")
    await control.artifacts.put_blob(worker, work.lease, _file(), digest=entry.sha256, size=entry.size)
    await control.artifacts.make(worker, work.lease, "artifact", [entry], replace=False)
    end = LogEnd(index=0, name="make", size=len(LOG), lines=2, sha256=digest(LOG))
    result = Result(key="k", conclusion=Conclusion.SUCCESS, duration=1.0, logs=(end,))
    await control.workers.finish(worker, work.lease, result)


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    store, logs = open_store(f"sqlite:///{tmp_path / 'pawl.db'}"), FolderLogBytes(tmp_path / "logs")
    blobs = FolderBlobs(tmp_path / "blobs")
    try:
        await _run(Control(store, logs, blobs, FakeClock(), DrawnRandomness(stream(0, "ids")), Rules()))
    finally:
        await store.aclose()
        logs.close()
    return tmp_path


async def _change(data: Path, work: object) -> None:
    store: Store = open_store(f"sqlite:///{data / 'pawl.db'}")
    try:
        await store.write(work)  # type: ignore[arg-type] - a function over a transaction
    finally:
        await store.aclose()


async def test_a_server_that_lost_nothing_passes(data: Path) -> None:
    check_database(data)


async def test_a_log_that_lost_bytes_is_seen(data: Path) -> None:
    (log,) = (data / "logs").rglob("*.log")
    log.write_bytes(LOG[:-1])
    with pytest.raises(AssertionError, match="I19"):
        check_database(data)


async def test_another_artifact_than_was_stored_is_seen(data: Path) -> None:
    blobs = [path for path in (data / "blobs").rglob("*") if path.is_file() and digest(FILE) in path.name]
    assert blobs
    for blob in blobs:
        blob.chmod(0o600)
        blob.write_bytes(b"other")
    assert any("I28" in message or "I29" in message for message in find_faults(data))


async def test_an_attempt_that_is_not_what_its_job_says_is_seen(data: Path) -> None:
    def reopen(transaction: Transaction) -> None:
        (run,) = transaction.runs.find(_ANY, 1)
        (row,) = transaction.attempts.of_run(run.id)
        transaction.attempts.save(replace(row, state=AttemptState.QUEUED, conclusion=None, finished_at=None))

    await _change(data, reopen)
    assert any("I5" in message for message in find_faults(data))


async def test_a_run_that_is_told_to_end_twice_is_seen(data: Path) -> None:
    def again(transaction: Transaction) -> None:
        (run,) = transaction.runs.find(_ANY, 1)
        last = transaction.events.read(run.id)[-1].event
        transaction.events.append(run.id, [last], 1.0)

    await _change(data, again)
    assert any("I32" in message for message in find_faults(data))


async def test_a_run_that_has_not_ended_is_seen(tmp_path: Path) -> None:
    store, logs = open_store(f"sqlite:///{tmp_path / 'pawl.db'}"), FolderLogBytes(tmp_path / "logs")
    blobs = FolderBlobs(tmp_path / "blobs")
    control = Control(store, logs, blobs, FakeClock(), DrawnRandomness(stream(0, "ids")), Rules())
    await control.runs.trigger(Trigger(path="ci.yml", text=TEXT, event=Event(name="push")))
    await store.aclose()
    logs.close()
    assert find_faults(tmp_path, ended=False) == []
    assert any("I13" in message for message in find_faults(tmp_path))
