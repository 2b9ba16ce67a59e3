"""What the handlers of routes have to work with."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.engine.control import Control
from pawl.ports.blobs import Blobs
from pawl.ports.clock import Clock
from pawl.ports.log_bytes import LogBytes
from pawl.ports.randomness import Randomness
from pawl.ports.store.store import Store
from pawl.server.counting import Counting
from pawl.server.health import Readiness
from pawl.server.intake import Intake
from pawl.server.metrics import Metrics
from pawl.server.reporting import Reporting
from pawl.server.stopping import Stopping
from pawl.server.waking import Waking


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One server's parts.

    Attributes:
        stopping: set when the server ends: what waits ends at once.
        poll_seconds: how often what waits for news looks by itself, in case the news was lost.
    """

    control: Control
    intake: Intake
    reporting: Reporting
    store: Store
    logs: LogBytes
    blobs: Blobs
    clock: Clock
    randomness: Randomness
    waking: Waking
    stopping: Stopping
    metrics: Metrics
    counting: Counting
    readiness: Readiness
    poll_seconds: float = 2.0
    heartbeat_seconds: float = 15.0
