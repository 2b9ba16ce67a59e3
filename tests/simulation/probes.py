"""What a broken or hostile worker asks about a lease that is its own: each of it must be refused."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import Any

from pawl.core.model.ids import Epoch, WorkerId
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.status import Conclusion
from pawl.core.model.work import LogEnd, Result
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

    older = dataclasses.replace(lease, epoch=Epoch(lease.epoch - 1))

    def log(offset: int, data: bytes) -> Probe:
        return lambda front, me: front.workers.append_log(me, lease, 0, "data", offset, data, name="step 0")

    def finish(result: Result) -> Probe:
        return lambda front, me: front.workers.finish(me, lease, result)

    probes: dict[str, Probe] = {
        "a gap in a log": log(quota // 2, b"x"),
        "too much log": log(quota, b"x"),
        "a gap in the events": lambda front, me: front.workers.tell(me, lease, 10_000, [{}]),
        "an artifact without bytes": lambda front, me: front.artifacts.make(
            me, lease, key, [entry], replace=True
        ),
        "an older epoch": lambda front, me: front.workers.tell(me, older, 0, []),
        "an end before the log's": finish(dataclasses.replace(whole, logs=(far,))),
        "an end that cannot be": finish(dataclasses.replace(whole, conclusion=Conclusion.SKIPPED)),
    }
    if spool.sent.get((0, "data")):
        probes["other bytes"] = log(0, b"\0\0\0")
    return draw.choice(list(probes.items()))
