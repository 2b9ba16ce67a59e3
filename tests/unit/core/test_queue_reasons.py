"""Why an attempt waits, in words."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pawl.core.model.ids import JobId, JobKey, RunId, WorkerId
from pawl.core.model.records import AttemptRecord, AttemptRef, AttemptState, WorkerRecord
from pawl.core.queue.reasons import why_waiting


def _attempt(
    *, requires: tuple[str, ...] = ("linux",), blocked: str = "", available_at: float = 0, attempt: int = 1
) -> AttemptRecord:
    return AttemptRecord(
        ref=AttemptRef(run=RunId(1), job=JobId("a"), attempt=attempt),
        key=JobKey("a"),
        name="a",
        repository="o/r",
        state=AttemptState.QUEUED,
        requires=requires,
        queue_key=0,
        queued_at=0,
        available_at=available_at,
        payload=None,
        blocked=blocked,
    )


def _worker(
    name: str, *labels: str, slots: int = 1, draining: bool = False, health: str = ""
) -> WorkerRecord:
    return WorkerRecord(
        id=WorkerId(name),
        name=name,
        token="",
        labels=labels,
        slots=slots,
        first_seen=0,
        last_seen=0,
        draining=draining,
        health=health,
    )


LINUX = _worker("w", "linux")
CASES: list[tuple[AttemptRecord, list[WorkerRecord], Mapping[str, int], int, str]] = [
    (_attempt(blocked="group held"), [], {}, 0, "group held"),
    (
        _attempt(available_at=40, attempt=2),
        [],
        {},
        0,
        "it is tried again after a failure, not before 30 more seconds have passed",
    ),
    (
        _attempt(available_at=40),
        [],
        {},
        0,
        "its repository queues more than its rate limit allows: 30 more seconds",
    ),
    (_attempt(), [], {}, 0, "no worker is connected; it asks for `linux`"),
    (_attempt(requires=()), [], {}, 0, "no worker is connected"),
    (
        _attempt(requires=("gpu", "linux")),
        [LINUX],
        {},
        0,
        "no worker has the label `gpu`; it asks for `gpu`, `linux`",
    ),
    (
        _attempt(requires=("gpu", "linux")),
        [LINUX, _worker("v", "gpu")],
        {},
        0,
        "no worker has all the labels `gpu`, `linux`",
    ),
    (
        _attempt(),
        [_worker("w", "linux", draining=True), _worker("v", "linux", health="full")],
        {},
        0,
        "the workers that could take it take nothing new: w, v",
    ),
    (_attempt(), [LINUX], {}, 0, "a worker is about to take it"),
    (_attempt(), [LINUX], {"w": 1}, 0, "the one slot of the workers that could take it is taken"),
    (
        _attempt(),
        [LINUX, _worker("v", "linux", slots=3)],
        {"w": 1, "v": 3},
        2,
        "all 4 slots of the workers that could take it are taken; 2 before it",
    ),
]


@pytest.mark.parametrize(("attempt", "workers", "busy", "ahead", "reason"), CASES)
def test_the_reason_names_what_holds_it_up(
    attempt: AttemptRecord, workers: list[WorkerRecord], busy: Mapping[str, int], ahead: int, reason: str
) -> None:
    taken = {WorkerId(name): count for name, count in busy.items()}
    assert why_waiting(attempt, now=10, workers=workers, busy=taken, ahead=ahead) == reason
