"""Why a queued attempt waits, in words (architecture.md M13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pawl.core.model.ids import WorkerId
from pawl.core.model.records import AttemptRecord, WorkerRecord


def why_waiting(
    attempt: AttemptRecord,
    *,
    now: float,
    workers: Sequence[WorkerRecord],
    busy: Mapping[WorkerId, int],
    ahead: int,
) -> str:
    """Return the reason, without a full stop.

    Args:
        attempt: a queued one.
        now: the time.
        workers: that say something of themselves.
        busy: how many slots of each are taken.
        ahead: how many are before it in the queue.
    """
    if attempt.blocked:
        return attempt.blocked
    if attempt.available_at > now:
        wait = f"{attempt.available_at - now:.0f} more seconds"
        if attempt.ref.attempt > 1:
            return f"it is tried again after a failure, not before {wait} have passed"
        return f"its repository queues more than its rate limit allows: {wait}"
    return _no_worker(attempt, workers) or _no_slot(attempt, workers, busy, ahead)


def _no_worker(attempt: AttemptRecord, workers: Sequence[WorkerRecord]) -> str:
    if not workers:
        wanted = f"; it asks for {_listed(attempt.requires)}" if attempt.requires else ""
        return f"no worker is connected{wanted}"
    fitting = [worker for worker in workers if _fits(attempt, worker)]
    if fitting:
        unfit = [worker.name for worker in fitting if worker.draining or worker.health]
        if len(unfit) < len(fitting):
            return ""
        return f"the workers that could take it take nothing new: {', '.join(unfit)}"
    offered = {label for worker in workers for label in worker.labels}
    missing = [label for label in attempt.requires if label not in offered]
    if missing:
        more = f"; it asks for {_listed(attempt.requires)}" if len(missing) < len(attempt.requires) else ""
        return f"no worker has the label {_listed(missing)}{more}"
    return f"no worker has all the labels {_listed(attempt.requires)}"


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels)


def _no_slot(
    attempt: AttemptRecord, workers: Sequence[WorkerRecord], busy: Mapping[WorkerId, int], ahead: int
) -> str:
    fitting = [worker for worker in workers if _fits(attempt, worker) and not worker.draining]
    free = sum(max(0, worker.slots - busy.get(worker.id, 0)) for worker in fitting)
    if free:
        return "a worker is about to take it"
    slots = sum(worker.slots for worker in fitting)
    taken = "the one slot" if slots == 1 else f"all {slots} slots"
    before = f"; {ahead} before it" if ahead else ""
    return f"{taken} of the workers that could take it {'is' if slots == 1 else 'are'} taken{before}"


def _fits(attempt: AttemptRecord, worker: WorkerRecord) -> bool:
    return set(attempt.requires) <= set(worker.labels)
