"""A forge: how its webhooks are checked and read, and how it is told what stands at a commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pawl.core.model.forge import CommitStatus, ForgeAccess, ForgeKind, ForgeToken, Hook, Received


class Forge(Protocol):
    """One kind of forge. `verify` and `read` are pure; the others call its API."""

    @property
    def kind(self) -> ForgeKind:
        """Return which."""

    def verify(self, received: Received, secret: str, now: float) -> None:
        """Return when the request was signed with `secret`, over its raw bytes, compared in constant time.

        Args:
            received: the request.
            secret: the project's; never empty.
            now: seconds since 1970, for forges that sign a time.

        Raises:
            Denied: it was not, the signature is missing, or its time is too far away.
        """

    def repository(self, received: Received) -> str:
        """Return the `owner/name` that an unverified body names, to find the secret by; "" for none.

        Raises:
            UsageError: the body cannot be read.
        """

    def read(self, received: Received) -> Hook:
        """Return what a verified request says.

        Raises:
            UsageError: the body is not what the forge sends; the message names the member.
        """

    async def report(self, access: ForgeAccess, status: CommitStatus) -> None:
        """Set a commit status; the same again changes nothing.

        Raises:
            TransientError: the forge is away, or asks to be asked later (`Unavailable.retry_after`).
            UsageError: it refuses this: the token, the repository or the commit is wrong.
        """

    async def token(
        self, access: ForgeAccess, permissions: Mapping[str, str], now: float
    ) -> ForgeToken | None:
        """Return a token of its own for one job, with at most these permissions where the forge can do that.

        None where the forge has none to give; raises as `report`.
        """
