"""The rules of a server: every number that the queue, the leases and the retention go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.queue.places import HeadStarts
from pawl.engine.control.listening import Listener

_HOUR = 3600.0
_DAY = 24 * _HOUR
_MIB = 1 << 20
_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept how long; None is for ever or without limit.

    Attributes:
        runs: seconds after its end that a run is kept, with its logs and artifacts.
        logs: seconds after its end that a run's logs are kept.
        log_bytes: of the finished logs of all runs together; those of the runs that ended first go first.
        artifacts: seconds that an artifact is kept.
        artifact_bytes: of all artifacts together; the oldest go first.
        blob_grace: seconds for which a blob that nothing refers to is kept all the same.
        keys: seconds that answers to repeated requests are remembered.
        worker: seconds after which a worker that says nothing is forgotten.
        secret_uses: seconds for which it is known which job was given which secret.
        every: seconds between two looks at what is too old.
    """

    runs: float | None = 90 * _DAY
    logs: float | None = 90 * _DAY
    log_bytes: int | None = None
    artifacts: float | None = 90 * _DAY
    artifact_bytes: int | None = None
    blob_grace: float = _DAY
    keys: float = 7 * _DAY
    worker: float = 7 * _DAY
    secret_uses: float = 400 * _DAY
    every: float = _HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How much there may be of something; bytes where it is no count.

    Attributes:
        source: one packed source.
        log: the log of one step, each of its two parts.
        log_piece: one piece of a log.
        artifact_file: one file of an artifact.
        artifact_files: files of one artifact.
        run_artifacts: the artifacts of one run.
        event: one event of a worker as JSON; a larger one is left out, and that is told.
        events: events in one call of a worker.
        outputs: names and values of a job's outputs.
        summary: a job's summary; what is more is cut off.
    """

    source: int = 20 * _GIB
    log: int = 4 * _GIB
    log_piece: int = 8 * _MIB
    artifact_file: int = 10 * _GIB
    artifact_files: int = 50_000
    run_artifacts: int = 10 * _GIB
    event: int = 256 * 1024
    events: int = 10_000
    outputs: int = 1 * _MIB
    summary: int = 4 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a server decides. Times are seconds.

    Attributes:
        lease_seconds: how long the lease of a running attempt is good for after each renewal.
        begin_seconds: the same of one that was leased and has not begun.
        begin_limit: for how long renewals keep an attempt leased that does not begin.
        renew_every: how often a worker is to renew.
        silent_after: after how long without a word a worker counts as not connected.
        poll_seconds: how long a worker's request for work may wait at the server.
        queue_timeout: how long an attempt may wait for a worker.
        approval_timeout: how long a run or job may wait for approval.
        infrastructure_retries: further attempts after a fault of the infrastructure.
        lost_leases: after how many leases without a beginning an attempt is given up.
        rate: attempts a repository may queue in an hour on average; None for no limit.
        burst: how many of them may come at once.
        images: image by label of `runs-on`, told to workers.
        head_starts: the priorities (architecture.md M2).
        protocols: versions of the worker protocol that this server speaks.
        version: the server's own, told to workers.
        server_url: what `github.server_url` says.
        retention: what is kept how long.
        quotas: how much there may be of something.
        listeners: who is told of every change of a run inside its transaction.
    """

    lease_seconds: float = 30.0
    begin_seconds: float = 30.0
    begin_limit: float = 900.0
    renew_every: float = 8.0
    silent_after: float = 60.0
    poll_seconds: float = 25.0
    queue_timeout: float = _DAY
    approval_timeout: float = 30 * _DAY
    infrastructure_retries: int = 2
    lost_leases: int = 3
    rate: float | None = None
    burst: int = 100
    images: Mapping[str, str] = field(default_factory=dict)
    head_starts: HeadStarts = field(default_factory=HeadStarts)
    protocols: tuple[int, ...] = (1,)
    version: str = "0"
    server_url: str = "https://github.com"
    retention: Retention = field(default_factory=Retention)
    quotas: Quotas = field(default_factory=Quotas)
    listeners: tuple[Listener, ...] = ()
