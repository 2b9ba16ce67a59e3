"""`Control`: everything that a server does, apart from talking HTTP."""

from __future__ import annotations

from pawl.engine.control.artifacts import Artifacts
from pawl.engine.control.queue import Queue
from pawl.engine.control.requests import AuditEntry, SweepReport
from pawl.engine.control.rules import Rules
from pawl.engine.control.runs import Runs
from pawl.engine.control.tokens import Tokens
from pawl.engine.control.workers import Workers
from pawl.ports.blobs import Blobs
from pawl.ports.clock import Clock
from pawl.ports.log_bytes import LogBytes
from pawl.ports.randomness import Randomness
from pawl.ports.store import Store


class Control:
    """The control engine. It keeps nothing that matters in memory: any number may share a store."""

    def __init__(
        self,
        store: Store,
        logs: LogBytes,
        blobs: Blobs,
        clock: Clock,
        randomness: Randomness,
        rules: Rules,
    ) -> None:
        self.store = store
        self.logs = logs
        self.blobs = blobs
        self.clock = clock
        self.randomness = randomness
        self.rules = rules
        self.runs = Runs()
        self.queue = Queue()
        self.workers = Workers()
        self.artifacts = Artifacts()
        self.tokens = Tokens()

    async def recover(self) -> int:
        """Give live leases as much longer as no server was there, and return how many; for the start."""
        raise NotImplementedError

    async def sweep(self) -> SweepReport:
        """Do what time alone asks for; to be called every few seconds. Several at once do no harm."""
        raise NotImplementedError

    async def audit(self, after: int = 0, limit: int = 1000) -> tuple[AuditEntry, ...]:
        """Return who did what, from the entry after that number on, in order."""
        raise NotImplementedError
