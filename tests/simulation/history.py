"""What workers and users saw: the other half of the truth, which the database is compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pawl.core.model.ids import Epoch, JobId, RunId
from pawl.core.model.plan import Json
from pawl.core.model.records import AttemptRef
from pawl.core.model.work import Result
from pawl.ports.log_bytes import LogName

AttemptEpoch = tuple[AttemptRef, Epoch]


@dataclass(kw_only=True)
class Process:
    """User code that ran on a host."""

    ref: AttemptRef
    epoch: Epoch
    host: str
    started: float
    ended: float | None = None


@dataclass(kw_only=True)
class History:
    """Everything that was acknowledged or done outside the server.

    Attributes:
        accepted: run by request id, once a user was told.
        written: all bytes that a process wrote, by log and part, with its epoch.
        acknowledged: how many bytes of a log the server said it has.
        results: what workers told, by key; `finished`: keys that were acknowledged.
        artifacts: by run and name: digest by file, once acknowledged.
        cancelled_jobs, cancelled_runs: what users asked to stop (sent, whether or not it arrived).
        reran: runs that somebody asked to run again.
        leased: what the first answer with work to a request for it gave, by the request's id.
        told: the events of an attempt whose end was acknowledged, without those that are no worker's.
        violations: what must never be and was; `trace` is told of each, `found` called.
    """

    accepted: dict[str, RunId] = field(default_factory=dict)
    written: dict[tuple[LogName, str], tuple[Epoch, bytearray]] = field(default_factory=dict)
    acknowledged: dict[tuple[LogName, str], int] = field(default_factory=dict)
    results: dict[str, tuple[AttemptEpoch, Result]] = field(default_factory=dict)
    finished: dict[AttemptRef, str] = field(default_factory=dict)
    artifacts: dict[tuple[RunId, str], dict[str, str]] = field(default_factory=dict)
    cancelled_runs: set[RunId] = field(default_factory=set)
    cancelled_jobs: set[tuple[RunId, JobId]] = field(default_factory=set)
    reran: set[RunId] = field(default_factory=set)
    processes: list[Process] = field(default_factory=list)
    leased: dict[str, set[AttemptEpoch]] = field(default_factory=dict)
    told: dict[AttemptRef, list[Json]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    trace: Callable[[str], None] = field(default=lambda line: None)
    found: Callable[[], None] = field(default=lambda: None)

    def violated(self, invariant: str, what: str) -> None:
        """Note a violation."""
        self.note(f"{invariant}: {what}")

    def note(self, message: str) -> None:
        """Note a violation in words; the same one once."""
        if message not in self.violations:
            self.violations.append(message)
            self.trace(f"VIOLATION {message}")
            self.found()

    def accept(self, request: str, run: RunId) -> None:
        """Note that a user was told the id of a run."""
        known = self.accepted.setdefault(request, run)
        if known != run:
            self.violated("I21", f"request {request} made run {known} and run {run}")

    def lease(self, request: str, given: Iterable[AttemptEpoch]) -> None:
        """Note what a request for work was answered: the same request never gets anything else (F1)."""
        now = set(given)
        first = self.leased.setdefault(request, now)
        if not now <= first:
            self.violated("F1", f"request {request} got {sorted(first)}, and then {sorted(now)}")

    def acknowledge(self, name: LogName, part: str, epoch: Epoch, size: int) -> None:
        """Note how many bytes the server says it has of a log."""
        writer = self.written.get((name, part))
        if writer is None or writer[0] != epoch or size > len(writer[1]):
            self.violated("I18", f"{name} {part}: {size} bytes reported, more than were ever written")
        self.acknowledged[name, part] = max(size, self.acknowledged.get((name, part), 0))

    def started(self, process: Process) -> None:
        """Note that user code began."""
        if any((each.ref, each.epoch) == (process.ref, process.epoch) for each in self.processes):
            self.violated("I1", f"{process.ref} epoch {process.epoch} was started twice")
        self.processes.append(process)

    def tell(self, ref: AttemptRef, epoch: Epoch, result: Result) -> None:
        """Note that a worker is about to tell a result."""
        self.results[result.key] = ((ref, epoch), result)

    def finish(self, ref: AttemptRef, key: str) -> None:
        """Note that the server took a result."""
        known = self.finished.setdefault(ref, key)
        if known != key:
            self.violated("I3", f"{ref} was finished by {known} and by {key}")

    def check_log(self, name: LogName, part: str, stored: bytes) -> None:
        """Compare stored bytes with what was written and what was acknowledged."""
        if not stored and not self.acknowledged.get((name, part)):
            return
        writer = self.written.get((name, part))
        if writer is None or bytes(writer[1][: len(stored)]) != stored:
            self.violated("I17", f"{name} {part}: stored bytes are not what its process wrote")
        if len(stored) < self.acknowledged.get((name, part), 0):
            self.violated("I17", f"{name} {part}: acknowledged bytes are gone")


def digest(data: bytes) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
