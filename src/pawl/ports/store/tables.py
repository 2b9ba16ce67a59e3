"""The smaller tables: artifacts, workers, tokens, small named values."""

from __future__ import annotations

from typing import Protocol

from pawl.core.model.ids import RunId, WorkerId
from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactRecord, TokenRecord, WorkerRecord


class ArtifactTable(Protocol):
    """Artifacts, by run and name: the name of a run's artifact is taken once."""

    def put(self, artifact: ArtifactRecord) -> None:
        """Add or replace an artifact."""

    def get(self, run: RunId, name: str) -> ArtifactRecord | None:
        """Return an artifact, final or not."""

    def of_run(self, run: RunId) -> tuple[ArtifactRecord, ...]:
        """Return the final artifacts of a run, oldest first."""

    def remove(self, run: RunId, name: str) -> None:
        """Remove an artifact; none is no error."""

    def total_size(self, run: RunId | None = None) -> int:
        """Return the bytes of the final artifacts of a run, or of all."""

    def created_before(self, time: float, limit: int) -> tuple[ArtifactRecord, ...]:
        """Return artifacts made before `time`, final or not, oldest first."""

    def digests(self) -> frozenset[str]:
        """Return the blobs that any artifact or any run's source refers to."""


class WorkerTable(Protocol):
    """Workers that have said hello."""

    def put(self, worker: WorkerRecord) -> None:
        """Add or replace a worker."""

    def get(self, worker: WorkerId) -> WorkerRecord | None:
        """Return a worker."""

    def all(self) -> tuple[WorkerRecord, ...]:
        """Return all workers by name."""

    def remove(self, worker: WorkerId) -> None:
        """Remove a worker; none is no error."""


class TokenTable(Protocol):
    """Tokens by their digest."""

    def put(self, token: TokenRecord) -> None:
        """Add or replace a token."""

    def get(self, digest: str) -> TokenRecord | None:
        """Return a token, a revoked one too."""

    def all(self) -> tuple[TokenRecord, ...]:
        """Return all tokens, oldest first."""


class KeyTable(Protocol):
    """Small named values. A name is `<kind>:<rest>`."""

    def get(self, name: str) -> Json:
        """Return a value, None when there is none; nobody else can change it till the transaction's end."""

    def put(self, name: str, value: Json, *, time: float, lasting: bool = False) -> None:
        """Set a value. One that is not `lasting` goes with `purge`."""

    def purge(self, before: float) -> int:
        """Remove values put before that time, but for the lasting ones; return how many."""
