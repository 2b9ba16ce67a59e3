"""Requests that leave a server: to forges, webhooks of others, OIDC and the like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request. `repr` shows neither headers nor body: they may hold what is secret."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer: its status, headers by lower-case name, and a body of bounded size."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class Sender(Protocol):
    """Sends requests to where they may go (reliability.md R61: no address inside, unless it is allowed)."""

    async def send(self, request: Outgoing) -> Answered:
        """Send it once, follow no redirect, and return the answer, whatever its status.

        Raises:
            UsageError: the URL is none that may be called: its scheme, its host or the address of that.
            TransientError: it could not be reached, was too slow, or said more than may be read.
        """
