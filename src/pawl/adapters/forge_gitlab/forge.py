"""The port `Forge` for GitLab."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.adapters.forge_gitlab.reading import read_hook, repository_in
from pawl.adapters.forge_gitlab.statuses import report_status
from pawl.core.forges.members import read_members
from pawl.core.forges.signing import check_standard, check_token
from pawl.core.model.forge import CommitStatus, ForgeAccess, ForgeKind, ForgeToken, Hook, Received
from pawl.ports.clock import Clock
from pawl.ports.outgoing import Sender

_TOKEN = "x-gitlab-token"  # noqa: S105 - the name of a header
_SIGNING = "whsec_"
"""What a signing token begins with (Standard Webhooks); any other secret comes as it is, in a header."""


class GitLabForge:
    """GitLab (ports.forge), its own instances too."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Take what sends requests, and the clock."""
        self._sender = sender
        self._clock = clock

    @property
    def kind(self) -> ForgeKind:
        """Return which."""
        return ForgeKind.GITLAB

    def verify(self, received: Received, secret: str, now: float) -> None:
        """Return when `X-Gitlab-Token` is the secret; with a signing token, when `webhook-signature` fits."""
        if secret.startswith(_SIGNING):
            check_standard(received, secret, now)
        else:
            check_token(received.headers.get(_TOKEN, ""), secret, name=_TOKEN)

    def repository(self, received: Received) -> str:
        """Return `project.path_with_namespace`."""
        return repository_in(read_members(received))

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
        """Return None: GitLab makes tokens for its own jobs only."""
        return None
