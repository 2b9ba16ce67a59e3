"""Who calls: bearer tokens, looked up in the store and remembered for a second."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from pawl.core.model.errors import Denied
from pawl.core.model.records import TokenRecord
from pawl.ports.clock import Clock
from pawl.server.routes import SCOPES, Caller

_BEARER = re.compile(r"(?i:bearer) +(pawl_[0-9a-f]{64})")
_KEPT_SECONDS = 1.0
"""A revoked token is refused everywhere after that."""
_KEPT = 1024


class Tokens:
    """Checks tokens. Good ones are remembered by their digest for a second, bad ones never."""

    def __init__(self, check: Callable[[str], Awaitable[TokenRecord]], clock: Clock) -> None:
        """Take what looks a token up: it returns its record or raises `Denied`."""
        self._check = check
        self._clock = clock
        self._known: OrderedDict[str, tuple[TokenRecord, float]] = OrderedDict()

    async def admit(self, caller: Caller, header: str | None) -> TokenRecord | None:
        """Return the caller's token, None on a route for anybody, or for webhooks, which are signed.

        Raises:
            Denied: there is none, it is not good, or not good enough.
        """
        if caller in {Caller.NONE, Caller.WEBHOOK}:
            return None
        found = _BEARER.fullmatch(header) if header and len(header) < 200 else None
        if found is None:
            raise Denied(
                "what came as a token is none of Pawl's" if header else "this needs a token",
                hint="name one with --token-file, PAWL_TOKEN_FILE or PAWL_TOKEN; programs send it as"
                " `Authorization: Bearer pawl_...`",
            )
        token = await self._known_or_checked(found[1])
        if token.scope not in SCOPES[caller]:
            wanted = " or ".join(sorted(SCOPES[caller]))
            raise Denied(
                f"a token of scope `{token.scope}` may not do this",
                hint=f"use one of scope {wanted}",
                known=True,
            )
        return token

    def forget(self) -> None:
        """Forget what is remembered: a token was revoked."""
        self._known.clear()

    async def _known_or_checked(self, secret: str) -> TokenRecord:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        now = self._clock.monotonic()
        record, until = self._known.get(digest, (None, 0.0))
        if record is not None and now < until:
            return record
        record = await self._check(secret)
        self._known[digest] = (record, now + _KEPT_SECONDS)
        self._known.move_to_end(digest)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return record
