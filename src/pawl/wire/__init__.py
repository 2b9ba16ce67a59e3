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
    LeaseAnswer,
    LeaseRequest,
    RenewAnswer,
    RenewRequest,
    SourceRequest,
    read_message,
    write_message,
)
from pawl.wire.places import BlobPlace
from pawl.wire.problems import PROBLEM_TYPE, error_of, is_problem, problem_of
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
from pawl.wire.reports import (
    FinishRequest,
    PieceHead,
    ReportAnswer,
    ReportHead,
    ReportRequest,
    framed,
    head_of,
    report_of,
    unframed,
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
    "PieceHead",
    "RenewAnswer",
    "RenewRequest",
    "ReportAnswer",
    "ReportHead",
    "ReportRequest",
    "SourceRequest",
    "WireLimits",
    "agree",
    "error_of",
    "framed",
    "head_of",
    "is_problem",
    "problem_of",
    "read_message",
    "report_of",
    "unframed",
    "write_message",
]
