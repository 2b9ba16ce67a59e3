"""Tokens: made once, shown once, kept as a digest."""

from __future__ import annotations

from pawl.core.model.records import TokenRecord

SCOPES = ("admin", "user", "read", "worker")


class Tokens:
    """The tokens of a server."""

    async def create(
        self, name: str, scope: str, *, by: TokenRecord | None, expires_at: float | None = None
    ) -> str:
        """Make a token and return it: the only time that it can be seen.

        Args:
            name: what people call it.
            scope: one of `SCOPES`.
            by: the token of who asks; None for the server itself.
            expires_at: when it stops being good.

        Raises:
            Denied: `by` is no `admin`.
            UsageError: there is no such scope, or the name is empty or too long.
        """
        raise NotImplementedError

    async def first(self) -> str | None:
        """Make the first token, an `admin`'s, and return it; None where there are tokens already."""
        raise NotImplementedError

    async def check(self, secret: str) -> TokenRecord:
        """Return the token's record.

        Raises:
            Denied: it is not known, revoked or expired.
        """
        raise NotImplementedError

    async def revoke(self, digest: str, *, by: TokenRecord | None) -> None:
        """Make a token good for nothing; again is no error.

        Args:
            digest: of the token, or a beginning of it that only one has.
            by: as in `create`.

        Raises:
            Denied: `by` is no `admin`.
            NotFound: there is none, or several.
        """
        raise NotImplementedError

    async def all(self) -> tuple[TokenRecord, ...]:
        """Return all tokens, oldest first."""
        raise NotImplementedError
