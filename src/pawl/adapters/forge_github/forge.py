"""The port `Forge` for GitHub and GitHub Enterprise Server."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.adapters.forge_github.api import Api
from pawl.adapters.forge_github.apps import Apps
from pawl.adapters.forge_github.checks import report_check
from pawl.adapters.forge_github.reading import read_hook
from pawl.adapters.forge_github.statuses import report_status
from pawl.core.forges.github_shape import repository_in
from pawl.core.forges.members import read_members
from pawl.core.forges.signing import check_hex_signature, prefixed
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import CommitStatus, ForgeAccess, ForgeKind, ForgeToken, Hook, Received
from pawl.ports.clock import Clock
from pawl.ports.outgoing import Sender

_SIGNATURE = "x-hub-signature-256"


class GitHubForge:
    """GitHub (ports.forge). The SHA-1 signature that it sends as well is not looked at."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        """Take what sends requests, and the clock that tokens end by."""
        self._api = Api(sender, clock)
        self._apps = Apps(self._api)

    @property
    def kind(self) -> ForgeKind:
        """Return which."""
        return ForgeKind.GITHUB

    def verify(self, received: Received, secret: str, now: float) -> None:  # noqa: ARG002 - the port's
        """Return when `X-Hub-Signature-256` fits."""
        told = prefixed(received, _SIGNATURE, "sha256=")
        check_hex_signature(told, secret, received.body, name=_SIGNATURE)

    def repository(self, received: Received) -> str:
        """Return `repository.full_name`."""
        return repository_in(read_members(received, forms=True))

    def read(self, received: Received) -> Hook:
        """Return what it says."""
        return read_hook(received)

    async def report(self, access: ForgeAccess, status: CommitStatus) -> None:
        """Set a check run where a GitHub App is configured, else a commit status."""
        if access.app_id and access.app_key:
            token = await self._apps.own_token(access)
            try:
                await report_check(self._api, access, token, status)
            except UsageError:
                # It may have been the token that was refused: the App was installed anew, or suspended.
                self._apps.forget(access)
                raise
        else:
            await report_status(self._api, access, status)

    async def token(
        self, access: ForgeAccess, permissions: Mapping[str, str], now: float
    ) -> ForgeToken | None:
        """Return an installation's token for this repository alone; None without a GitHub App."""
        if not (access.app_id and access.app_key):
            return None
        return await self._apps.job_token(access, permissions, now)
