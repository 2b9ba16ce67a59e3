"""The port `ServerLink` over HTTP: each call is one request of `pawl.wire`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar

from pawl.adapters.server_http.calls import Address, Calls
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.core.model.plan import Json
from pawl.core.model.records import ArtifactEntry
from pawl.core.model.reports import NOTHING, Report, Reported
from pawl.core.model.work import Begun, Lease, Renewal, Result, Welcome, Work, WorkerHello
from pawl.wire import (
    ArtifactsAnswer,
    ArtifactsRequest,
    BeginRequest,
    BlobAnswer,
    BlobPlace,
    Done,
    FinishRequest,
    LeaseAnswer,
    LeaseRequest,
    RenewAnswer,
    RenewRequest,
    ReportAnswer,
    ReportRequest,
    SourceRequest,
    framed,
    head_of,
    read_message,
    write_message,
)

M = TypeVar("M")
_SMALL = 65_536
"""Bytes of a blob below which asking first whether the server has it costs more than sending it."""


class HttpServerLink:
    """A worker's connection to a server (ports.server_link). Every call has time-outs."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        unix_socket: Path | None = None,
        ca_file: Path | None = None,
        name: str = "",
    ) -> None:
        """Take where the server is; nothing is sent yet.

        Args:
            url: as in `https://ci.example.org`; with a socket, any host will do.
            token: of a worker.
            unix_socket: a socket to use instead of the network.
            ca_file: certificates to trust instead of the machine's.
            name: the worker's.
        """
        self._calls = Calls(Address(url=url, unix_socket=unix_socket, ca_file=ca_file), token, name=name)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._calls.aclose()

    async def hello(self, hello: WorkerHello) -> Welcome:
        """Say who this is, as the port says."""
        return await self._post("hello", hello, Welcome)

    async def lease(self, request: str, slots: int, wait: float) -> tuple[Work, ...]:
        """Ask for work, as the port says."""
        asked = LeaseRequest(request=request, slots=slots, wait=wait)
        return (await self._post("lease", asked, LeaseAnswer, wait=wait)).work

    async def renew(self, leases: Sequence[Lease], *, health: str, draining: bool) -> tuple[Renewal, ...]:
        """Renew leases, as the port says."""
        asked = RenewRequest(leases=tuple(leases), health=health, draining=draining)
        return (await self._post("renew", asked, RenewAnswer)).renewals

    async def begin(self, lease: Lease) -> Begun:
        """Say that the job begins, as the port says."""
        return await self._post("begin", BeginRequest(lease=lease), Begun)

    async def report(self, lease: Lease, report: Report) -> Reported:
        """Report of the attempt, as the port says."""
        asked = ReportRequest(lease=lease, report=head_of(report))
        answer = _read(ReportAnswer, await self._calls.send("POST", "report", _framed(asked, report)))
        if len(answer.pieces) != len(report.pieces):
            raise InfrastructureError("the server's answer makes no sense: it is about other pieces")
        return Reported(told=answer.told, pieces=answer.pieces)

    async def finish(self, lease: Lease, result: Result, report: Report = NOTHING) -> None:
        """End the attempt, as the port says."""
        asked = FinishRequest(lease=lease, result=result, report=head_of(report))
        _read(Done, await self._calls.send("POST", "finish", _framed(asked, report)))

    def source(self, lease: Lease, *, artifact: tuple[str, str] | None = None) -> AsyncIterator[bytes]:
        """Yield the packed files, or a file of an artifact, as the port says."""
        name, file = artifact or (None, "")
        asked = SourceRequest(lease=lease, artifact=name, file=file)
        return self._calls.stream("source", write_message(asked))

    async def put_blob(self, lease: Lease, chunks: AsyncIterator[bytes], *, digest: str, size: int) -> None:
        """Store a file of an artifact, as the port says."""
        if size > _SMALL:
            asked = BlobPlace(lease=lease, digest=digest, size=size, ask=True)
            if _read(BlobAnswer, await self._calls.send("PUT", "blob", b"", query=asked.query())).stored:
                return
        place = BlobPlace(lease=lease, digest=digest, size=size)
        _read(BlobAnswer, await self._calls.send("PUT", "blob", chunks, query=place.query()))

    async def artifacts(
        self, lease: Lease, name: str | None, files: Sequence[ArtifactEntry], *, replace: bool
    ) -> tuple[Json, ...]:
        """Make an artifact and list the run's, as the port says."""
        asked = ArtifactsRequest(lease=lease, name=name, files=tuple(files), replace=replace)
        told = (await self._post("artifacts", asked, ArtifactsAnswer)).artifacts
        return tuple(told) if isinstance(told, list) else ()

    async def _post(self, route: str, message: object, kind: type[M], *, wait: float = 0.0) -> M:
        return _read(kind, await self._calls.send("POST", route, write_message(message), wait=wait))


def _framed(message: object, report: Report) -> bytes:
    return framed(write_message(message), report)


def _read(kind: type[M], body: bytes) -> M:
    try:
        return read_message(kind, body)
    except UsageError as error:
        # Not the caller's fault: somebody else answers at this address, or a server that is broken.
        raise InfrastructureError(f"the server's answer makes no sense: {error.message}") from error
