"""The port `Forge` for Bitbucket Cloud."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.adapters.forge_bitbucket.reading import read_hook, repository_in
from pawl.adapters.forge_bitbucket.statuses import report_status
from pawl.core.forges.members import read_members
from pawl.core.forges.signing import check_hex_signature, prefixed
from pawl.core.model.forge import CommitStatus, ForgeAccess, ForgeKind, ForgeToken, Hook, Received
from pawl.ports.clock import Clock
from pawl.ports.outgoing import Sender

_SIGNATURE = "x-hub-signature"


class BitbucketForge:
    """Bitbucket Cloud (ports.forge)."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Take what sends requests, and the clock."""
        self._sender = sender
        self._clock = clock

    @property
    def kind(self) -> ForgeKind:
        """Return which."""
        return ForgeKind.BITBUCKET

    def verify(self, received: Received, secret: str, now: float) -> None:  # noqa: ARG002 - the port's
        """Return when `X-Hub-Signature` fits."""
        told = prefixed(received, _SIGNATURE, "sha256=")
        check_hex_signature(told, secret, received.body, name=_SIGNATURE)

    def repository(self, received: Received) -> str:
        """Return `repository.full_name`."""
        return repository_in(read_members(received))

    def read(self, received: Received) -> Hook:
        """Return what it says."""
        return read_hook(received)

    async def report(self, access: ForgeAccess, status: CommitStatus) -> None:
        """Set the status of a commit."""
        await report_status(self._sender, access, status, self._clock.now())

    async def token(
        self,
        access: ForgeAccess,  # noqa: ARG002 - the port's
        permissions: Mapping[str, str],  # noqa: ARG002 - the port's
        now: float,  # noqa: ARG002 - the port's
    ) -> ForgeToken | None:
        """Return None: Bitbucket makes no tokens for a job."""
        return None
