"""What a broken or hostile worker asks about a lease that is its own: each of it must be refused."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import Any

from pawl.core.model.ids import Epoch, WorkerId
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import Piece, Report
from pawl.core.model.status import Conclusion
from pawl.core.model.work import LogEnd, Result
from tests.reporting import append_log, tell
from tests.simulation.history import digest
from tests.simulation.host import Spool

Probe = Callable[[Any, WorkerId], Awaitable[object]]


def draw_probe(draw: random.Random, spool: Spool, quota: int) -> tuple[str, Probe]:
    """Return a name for people and what to ask."""
    lease = spool.lease
    key = f"probe-{draw.getrandbits(32):x}"
    whole = Result(key=key, conclusion=Conclusion.SUCCESS, duration=1.0)
    far = LogEnd(index=0, name="step 0", size=100_000, lines=1, sha256=digest(b""))
    entry = ArtifactEntry(name="file", size=7, sha256=digest(key.encode()), content_type="text/plain")

    gap = Piece(index=0, name="step 0", part="data", offset=quota // 2, data=b"x")
    older = dataclasses.replace(lease, epoch=Epoch(lease.epoch - 1))

    def log(offset: int, data: bytes) -> Probe:
        return lambda front, me: append_log(
            front.workers, lease, 0, "data", offset, data, name="step 0", by=me
        )

    def finish(result: Result) -> Probe:
        return lambda front, me: front.workers.finish(me, lease, result)

    probes: dict[str, Probe] = {
        "a gap in a log": log(quota // 2, b"x"),
        "too much log": log(quota, b"x"),
        "an end with a gap in its report": lambda front, me: front.workers.finish(
            me, lease, whole, Report(pieces=(gap,))
        ),
        "a gap in the events": lambda front, me: tell(front.workers, lease, 10_000, [{}], by=me),
        "an artifact without bytes": lambda front, me: front.artifacts.make(
            me, lease, key, [entry], replace=True
        ),
        "an older epoch": lambda front, me: tell(front.workers, older, 0, [], by=me),
        "an end before the log's": finish(dataclasses.replace(whole, logs=(far,))),
        "an end that cannot be": finish(dataclasses.replace(whole, conclusion=Conclusion.SKIPPED)),
    }
    if spool.sent.get((0, "data")):
        probes["other bytes"] = log(0, b"\0\0\0")
    return draw.choice(list(probes.items()))
