"""The port `Forge` for any sender: docs/reference/webhooks.md says how it signs and what it sends."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from pawl.adapters.forge_generic.reading import read_hook, repository_in
from pawl.core.forges.members import read_members
from pawl.core.forges.signing import check_hex_signature, check_time, missing, wrong
from pawl.core.model.errors import UsageError
from pawl.core.model.forge import CommitStatus, ForgeAccess, ForgeKind, ForgeToken, Hook, Received

_SIGNATURE = "x-ci-signature"
_MOST_PARTS = 5


class GenericForge:
    """Any sender (ports.forge). It has no API, so that nothing is reported to it."""

    @property
    def kind(self) -> ForgeKind:
        """Return which."""
        return ForgeKind.GENERIC

    def verify(self, received: Received, secret: str, now: float) -> None:
        """Return when `X-CI-Signature: t=UNIX,v1=HEX` fits, and its time is near enough."""
        told = received.headers.get(_SIGNATURE, "")
        if not told:
            raise missing(_SIGNATURE)
        parts = [part.strip().partition("=") for part in told.split(",", _MOST_PARTS)[:_MOST_PARTS]]
        times = [value for name, _, value in parts if name == "t"]
        signatures = [value for name, _, value in parts if name == "v1"]
        if len(times) != 1 or len(signatures) != 1:
            raise wrong(_SIGNATURE)
        check_time(times[0], now, name=_SIGNATURE)
        check_hex_signature(signatures[0], secret, f"{times[0]}.".encode() + received.body, name=_SIGNATURE)

    def repository(self, received: Received) -> str:
        """Return `repository`."""
        return repository_in(read_members(received))

    def read(self, received: Received) -> Hook:
        """Return what it says."""
        return read_hook(received)

    async def report(self, access: ForgeAccess, status: CommitStatus) -> None:  # noqa: ARG002 - the port's
        """Refuse: there is no API to call."""
        raise UsageError(
            f"{access.repository} has a generic webhook, which takes no commit statuses",
            hint="register the repository with the forge that it lies at",
        )

    async def token(
        self,
        access: ForgeAccess,  # noqa: ARG002 - the port's
        permissions: Mapping[str, str],  # noqa: ARG002 - the port's
        now: float,  # noqa: ARG002 - the port's
    ) -> ForgeToken | None:
        """Return None: there is nobody to ask for one."""
        return None


def sign(secret: str, body: bytes, now: float) -> str:
    """Return the `X-CI-Signature` of a body: what a sender has to do."""
    time = str(int(now))
    digest = hmac.digest(secret.encode(), f"{time}.".encode() + body, "sha256").hex()
    return f"t={time},v1={digest}"
