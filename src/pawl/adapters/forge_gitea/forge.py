"""The port `Forge` for Gitea and Forgejo."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.adapters.forge_gitea.reading import read_hook
from pawl.adapters.forge_gitea.statuses import report_status
from pawl.core.forges.github_shape import repository_in
from pawl.core.forges.members import read_members
from pawl.core.forges.signing import check_hex_signature, missing
from pawl.core.model.forge import CommitStatus, ForgeAccess, ForgeKind, ForgeToken, Hook, Received
from pawl.ports.clock import Clock
from pawl.ports.outgoing import Sender

_SIGNATURES = ("x-forgejo-signature", "x-gitea-signature")


class GiteaForge:
    """Gitea and Forgejo (ports.forge)."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Take what sends requests, and the clock."""
        self._sender = sender
        self._clock = clock

    @property
    def kind(self) -> ForgeKind:
        """Return which."""
        return ForgeKind.GITEA

    def verify(self, received: Received, secret: str, now: float) -> None:  # noqa: ARG002 - the port's
        """Return when the first of Forgejo's and Gitea's signature that is there fits."""
        name = next((each for each in _SIGNATURES if received.headers.get(each)), "")
        if not name:
            raise missing(_SIGNATURES[-1])
        check_hex_signature(received.headers[name], secret, received.body, name=name)

    def repository(self, received: Received) -> str:
        """Return `repository.full_name`."""
        return repository_in(read_members(received, forms=True))

    def read(self, received: Received) -> Hook:
        """Return what it says."""
        return read_hook(received)

    async def report(self, access: ForgeAccess, status: CommitStatus) -> None:
        """Set a commit status."""
        await report_status(self._sender, access, status, self._clock.now())

    async def token(
        self,
        access: ForgeAccess,  # noqa: ARG002 - the port's
        permissions: Mapping[str, str],  # noqa: ARG002 - the port's
        now: float,  # noqa: ARG002 - the port's
    ) -> ForgeToken | None:
        """Return None: Gitea makes tokens for its own jobs only."""
        return None
