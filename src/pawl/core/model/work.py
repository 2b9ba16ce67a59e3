"""What passes between a server and a worker about an attempt: plain values that survive JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pawl.core.model.clones import Clone
from pawl.core.model.ids import Epoch, JobKey, WorkerId
from pawl.core.model.needs import NeedResult
from pawl.core.model.plan import Combination, Json
from pawl.core.model.records import AttemptRef
from pawl.core.model.status import Conclusion, FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What an attempt needs besides its run's plan; kept with its row as plain data (core/model/plain.py)."""

    key: JobKey
    combination: Combination
    fail_fast: bool
    max_parallel: int | None
    needs: Mapping[JobKey, NeedResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on an attempt.

    Attributes:
        epoch: compared by the server in every write.
        seconds: how long it is good for, from when the worker *asked* for it, by the worker's own clock.
    """

    ref: AttemptRef
    epoch: Epoch
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A leased attempt with all that its worker needs.

    Attributes:
        plan: as `plan_to_json` wrote it.
        source: digest of the blob with the files that the job needs, None when it needs none. Where those of
            a forge's run are is told when it begins (`Begun.clone`).
        images: image by label of `runs-on`, as the server is told to.
    """

    lease: Lease
    number: int
    run_attempt: int
    correlation: str
    plan: Json
    payload: Payload
    source: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a job is given as it begins. It is told to its process alone, in memory, and stored nowhere.

    Attributes:
        secrets: by name; only those that the job names and may have.
        variables: those of its environment, over the plan's.
        clone: where the files of a forge's run come from; None where the job needs none, or `Work.source` has
            them.
        notes: what is different from what the job asks for, a sentence each.
        refused: why it cannot start, "" when it can.
    """

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    clone: Clone | None = None
    notes: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHello:
    """A worker says who it is.

    Attributes:
        name: unique among the workers with the same token; the host's name by default.
        protocol: version of the messages it speaks; see `pawl.wire`.
        running: attempts it still has from before a restart, with their epochs.
    """

    name: str
    labels: tuple[str, ...]
    slots: int
    protocol: int
    version: str
    facts: Mapping[str, str] = field(default_factory=dict)
    running: tuple[Lease, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The server's answer to hello.

    Attributes:
        renew_every: seconds between renewals.
        lease_seconds: how long a renewed lease is good for.
        poll_seconds: how long a request for work may wait at the server.
        stale: those of `running` that are the worker's no longer.
    """

    worker: WorkerId
    protocol: int
    version: str
    renew_every: float
    lease_seconds: float
    poll_seconds: float
    stale: tuple[AttemptRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The answer to the renewal of one lease.

    Attributes:
        alive: False when the lease is gone: the worker must stop the job and forget it.
        seconds: how long it is good for from when the worker asked.
        cancel: why the job is to stop, when it is.
    """

    ref: AttemptRef
    alive: bool
    seconds: float = 0.0
    cancel: str | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd:
    """How a step's log ended on the worker: the server finishes the attempt only when it has as much.

    Attributes:
        note: why the worker could not keep it whole; "" for a complete one.
    """

    index: int
    name: str
    size: int
    lines: int
    sha256: str
    dropped: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an attempt ended, as its worker says.

    Attributes:
        key: made by the worker once, so that the same result can be told again.
        signal: the signal that ended the failing step's process, where one did.
        logs: of all its steps.
    """

    key: str
    conclusion: Conclusion
    duration: float
    outputs: Mapping[str, str] = field(default_factory=dict)
    untrusted: frozenset[str] = frozenset()
    failure_class: FailureClass | None = None
    exit_code: int | None = None
    reason: str = ""
    summary: str = ""
    logs: tuple[LogEnd, ...] = ()
