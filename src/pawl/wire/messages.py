"""The JSON bodies of the worker's routes, request and answer, in the order of a job's life.

`hello` takes `WorkerHello` and answers `Welcome`, `begin` answers `Begun` (core/model/work.py).

| route | request | answer |
| --- | --- | --- |
| `POST lease` | `LeaseRequest` | `LeaseAnswer` |
| `POST renew` | `RenewRequest` | `RenewAnswer` |
| `POST begin` | `BeginRequest` | `Begun` |
| `POST report` | `ReportRequest`, bytes behind it (wire/reports.py) | `ReportAnswer` |
| `PUT blob` | bytes; `BlobPlace` in the query | `BlobAnswer` |
| `POST artifacts` | `ArtifactsRequest` | `ArtifactsAnswer` |
| `POST source` | `SourceRequest` | bytes |
| `POST finish` | `FinishRequest`, bytes behind it (wire/reports.py) | `Done` |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar

from pawl.core.model.errors import UsageError
from pawl.core.model.plain import from_plain, to_plain
from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.work import Lease, Renewal, Work

M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It is done, or was before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRequest:
    """Asks for at most `slots` attempts, waiting up to `wait` seconds.

    Asked again with the same `request`, the server answers the same.
    """

    request: str
    slots: int
    wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAnswer:
    """What the worker is to work on; empty when there is nothing for it."""

    work: tuple[Work, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewRequest:
    """Renews leases; `health` is "" for a worker that is well."""

    leases: tuple[Lease, ...]
    health: str = ""
    draining: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewAnswer:
    """One renewal for each lease asked for, in that order."""

    renewals: tuple[Renewal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRequest:
    """Says that the attempt's first process is about to start."""

    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobAnswer:
    """Whether the server has the blob now."""

    stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactsRequest:
    """Makes an artifact of blobs that the server has, where `name` is given, and asks for the run's."""

    lease: Lease
    name: str | None = None
    files: tuple[ArtifactEntry, ...] = ()
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactsAnswer:
    """The run's artifacts, a list of mappings."""

    artifacts: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """Asks for the files of the repository at the run's commit, or for one `file` of the run's `artifact`."""

    lease: Lease
    artifact: str | None = None
    file: str = ""


def write_message(message: object) -> bytes:
    """Return the body of a message, a dataclass of this package or of core/model/work.py."""
    return json.dumps(to_plain(message), separators=(",", ":")).encode()


def read_message(kind: type[M], body: bytes) -> M:
    """Return the message that a body holds; fields that `kind` lacks are left out.

    Raises:
        UsageError: the body is no such message.
    """
    try:
        data: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON: {error}") from error
    return from_plain(kind, data, kind.__name__, strict=False)
