"""Removing what is too old or too much: runs, logs, artifacts, blobs that nothing refers to, answers kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

from pawl.core.model.ids import RunId
from pawl.core.model.records import ArtifactRecord
from pawl.engine.control.desk import Desk
from pawl.engine.control.moment import Moment
from pawl.ports.store import Transaction

REMOVED = "removed to save space"
"""The note of a log whose bytes are not kept any more."""

_GOING_ON = math.inf
_AT_ONCE = 100
_LOOKED = "retention:looked"


@dataclass(slots=True)
class Removed:
    """What was removed; see `SweepReport`."""

    runs: int = 0
    logs: int = 0
    artifacts: int = 0
    blobs: int = 0
    keys: int = 0
    size: int = 0


async def remove_old(desk: Desk) -> Removed | None:
    """Remove what is to go, and return what that was; None when it is not yet time to look.

    What is removed in parts is removed so that a part that is left is found again: bytes after the rows that
    refer to them, and blobs only when nothing has referred to them for a while.
    """
    if not await desk.write(_is_time):
        return None
    removed = Removed()
    await _remove_runs(desk, removed)
    await _remove_logs(desk, removed)
    await _remove_artifacts(desk, removed)
    await _remove_blobs(desk, removed)
    before = desk.clock.now() - desk.rules.retention.keys
    removed.keys = await desk.write(lambda tx, _: tx.keys.purge(before))
    uses = desk.clock.now() - desk.rules.retention.secret_uses
    await desk.write(lambda tx, _: tx.secret_uses.purge(uses))
    return removed


def _is_time(tx: Transaction, moment: Moment) -> bool:
    """Return whether to look now; of several servers one does."""
    looked = tx.keys.get(_LOOKED)
    if isinstance(looked, int | float) and 0 <= moment.now - looked < moment.rules.retention.every:
        return False
    tx.keys.put(_LOOKED, moment.now, time=moment.now, lasting=True)
    return True


async def _remove_runs(desk: Desk, removed: Removed) -> None:
    keep = desk.rules.retention.runs
    if keep is None:
        return
    before = desk.clock.now() - keep
    while runs := await desk.read(lambda tx: tx.runs.completed_before(before, _AT_ONCE)):
        for run in runs:
            if await desk.write(partial(_delete_run, run, before)):
                removed.size += await desk.logs.delete_run(run)
                removed.runs += 1


def _delete_run(run: RunId, before: float, tx: Transaction, _: Moment) -> bool:
    """Delete a run, but not one that was started again since it was found."""
    locked = tx.runs.lock(run)
    if locked is None or locked[0].completed_at is None or locked[0].completed_at >= before:
        return False
    tx.runs.delete(run)
    return True


async def _remove_logs(desk: Desk, removed: Removed) -> None:
    """Remove the bytes of logs that are too old or too many, and those of runs that are gone."""
    retention = desk.rules.retention
    before = desk.clock.now() - retention.logs if retention.logs is not None else None
    kept: list[tuple[float, int, RunId]] = []
    for run in [run async for run in desk.logs.runs()]:
        facts = await desk.read(partial(_log_facts, run))
        if facts is None or (before is not None and facts[0] < before):
            await _drop_logs(desk, run, removed)
        else:
            kept.append((*facts, run))
    if retention.log_bytes is None:
        return
    over = sum(size for _, size, _ in kept) - retention.log_bytes
    for ended, size, run in sorted(kept):
        if over <= 0 or ended == _GOING_ON:
            return
        await _drop_logs(desk, run, removed)
        over -= size


def _log_facts(run: RunId, tx: Transaction) -> tuple[float, int] | None:
    """Return when a run ended and the bytes of its finished logs; None for a run that is gone."""
    record = tx.runs.get(run)
    if record is None:
        return None
    ended = record.completed_at if record.completed_at is not None else _GOING_ON
    return ended, sum(log.size for log in tx.logs.of_run(run) if log.note != REMOVED)


async def _drop_logs(desk: Desk, run: RunId, removed: Removed) -> None:
    if not await desk.write(partial(_note_removed, run)):
        return
    removed.size += await desk.logs.delete_run(run)
    removed.logs += 1


def _note_removed(run: RunId, tx: Transaction, _: Moment) -> bool:
    """Say of a run's logs why they are empty; return False when it was started again meanwhile."""
    record = tx.runs.get(run)
    if record is not None and record.completed_at is None:
        return False
    for log in tx.logs.of_run(run):
        tx.logs.put(replace(log, note=REMOVED, finished=True))
    return True


async def _remove_artifacts(desk: Desk, removed: Removed) -> None:
    retention, now = desk.rules.retention, desk.clock.now()
    if retention.artifacts is not None:
        before = now - retention.artifacts
        while old := await desk.read(lambda tx: tx.artifacts.created_before(before, _AT_ONCE)):
            removed.artifacts += await _drop(desk, old)
    if retention.artifact_bytes is not None:
        over = await desk.read(lambda tx: tx.artifacts.total_size()) - retention.artifact_bytes
        while over > 0:
            old = await desk.read(lambda tx: tx.artifacts.created_before(now + 1, _AT_ONCE))
            chosen = _oldest(old, over)
            if not chosen:
                return
            over -= sum(each.size for each in chosen)
            removed.artifacts += await _drop(desk, chosen)


def _oldest(artifacts: tuple[ArtifactRecord, ...], size: int) -> tuple[ArtifactRecord, ...]:
    chosen = []
    for each in artifacts:
        if size <= 0:
            break
        chosen.append(each)
        size -= each.size
    return tuple(chosen)


async def _drop(desk: Desk, artifacts: tuple[ArtifactRecord, ...]) -> int:
    def work(tx: Transaction, _: Moment) -> int:
        for each in artifacts:
            tx.artifacts.remove(each.run, each.name)
        return len(artifacts)

    return await desk.write(work)


async def _remove_blobs(desk: Desk, removed: Removed) -> None:
    """Remove blobs that nothing refers to and that were not stored lately: one may be referred to soon."""
    since = desk.clock.now() - desk.rules.retention.blob_grace
    old = [facts async for facts in desk.blobs.all() if facts.stored_at < since]
    if not old:
        return
    # Read after the list of blobs: what was referred to meanwhile is seen.
    kept = await desk.read(lambda tx: tx.artifacts.digests())
    for facts in old:
        if facts.digest not in kept and await desk.blobs.delete(facts.digest, unless_stored_since=since):
            removed.blobs += 1
            removed.size += facts.size
