"""The version of the messages, the headers' names, and how large anything may be."""

from __future__ import annotations

from dataclasses import dataclass

from pawl.core.model.errors import UsageError

PROTOCOL = 3
"""The version that this Pawl speaks."""

PROTOCOLS = range(3, 4)
"""The versions that this server accepts. An older worker is told to be updated."""

WORKER_ROUTES = "/worker/v1"
"""What the paths of all routes for workers begin with. It is not the version of the protocol: a worker of any
version is to find `hello` here, and to hear which side is to be updated."""

PROTOCOL_HEADER = "Pawl-Protocol"
"""Of every request of a worker: the version it speaks."""

WORKER_HEADER = "Pawl-Worker"
"""Of every request of a worker: its name. With the token's digest it is who asks; alone it is nothing."""

CORRELATION_HEADER = "Pawl-Correlation"
"""Of requests about an attempt: the id that every log line about its run carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Sizes in bytes; a server refuses what is larger, a worker never sends it.

    Attributes:
        message: of a JSON body from a worker, or of the head of a report.
        report: of the body of a report, its pieces with it.
        answer: of a JSON body from a server: a lease brings a whole plan with it.
        log: of one piece of a log; `pieces`: of all those of one report.
        events: how many events are told at once; `event_bytes`: about how large they are together.
        wait: seconds that a request for work may wait at the server.
    """

    message: int = 16_777_216
    report: int = 20_971_520
    answer: int = 67_108_864
    log: int = 1_048_576
    pieces: int = 2_097_152
    events: int = 500
    event_bytes: int = 4_194_304
    wait: float = 60


def agree(protocol: int) -> int:
    """Return the version that a server and a worker that speaks `protocol` use with each other.

    Raises:
        UsageError: they have none in common.
    """
    if protocol in PROTOCOLS:
        return protocol
    spoken = f"{PROTOCOLS[0]}" if len(PROTOCOLS) == 1 else f"{PROTOCOLS[0]} to {PROTOCOLS[-1]}"
    older = "worker" if protocol < PROTOCOLS[0] else "server"
    raise UsageError(
        f"this server speaks version {spoken} of the worker protocol, the worker speaks {protocol}",
        hint=f"update the {older}",
    )
