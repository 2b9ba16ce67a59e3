"""What servers and workers say to each other, as versioned messages; and errors as problem details.

A message is a frozen dataclass; `write_message` makes its JSON body and `read_message` reads it, leaving
out fields that it does not know, so that either side may be newer (docs/explanation/workers.md).
"""

from __future__ import annotations

from pawl.wire.messages import (
    ArtifactsAnswer,
    ArtifactsRequest,
    BeginRequest,
    BlobAnswer,
    Done,
    FinishRequest,
    LeaseAnswer,
    LeaseRequest,
    LogAnswer,
    RenewAnswer,
    RenewRequest,
    SourceRequest,
    TellRequest,
    read_message,
    write_message,
)
from pawl.wire.places import BlobPlace, LogPlace
from pawl.wire.problems import PROBLEM_TYPE, error_of, problem_of
from pawl.wire.protocol import (
    CORRELATION_HEADER,
    PROTOCOL,
    PROTOCOL_HEADER,
    PROTOCOLS,
    WORKER_HEADER,
    WORKER_ROUTES,
    WireLimits,
    agree,
)

__all__ = [
    "CORRELATION_HEADER",
    "PROBLEM_TYPE",
    "PROTOCOL",
    "PROTOCOLS",
    "PROTOCOL_HEADER",
    "WORKER_HEADER",
    "WORKER_ROUTES",
    "ArtifactsAnswer",
    "ArtifactsRequest",
    "BeginRequest",
    "BlobAnswer",
    "BlobPlace",
    "Done",
    "FinishRequest",
    "LeaseAnswer",
    "LeaseRequest",
    "LogAnswer",
    "LogPlace",
    "RenewAnswer",
    "RenewRequest",
    "SourceRequest",
    "TellRequest",
    "WireLimits",
    "agree",
    "error_of",
    "problem_of",
    "read_message",
    "write_message",
]
