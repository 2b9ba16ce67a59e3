"""Where connections may go: every address of a name is checked, and only those checked are connected to."""

from __future__ import annotations

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from pawl.adapters.http_out.addresses import Allowed, address_fault, parsed
from pawl.core.model.errors import UsageError


class Gate(AbstractResolver):
    """Resolves names for one connector, and refuses addresses inside.

    Without TLS everything is refused but what the operator allows: credentials would travel in the clear.
    """

    def __init__(self, allowed: Allowed, *, tls: bool) -> None:
        """Take what the operator allows, and whether connections have TLS."""
        self._allowed = allowed
        self._tls = tls

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the host's addresses, which are all allowed.

        Raises:
            OSError: the name has none, or nobody could be asked.
            UsageError: one of them is not allowed.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for _, _, _, _, told in found:
            self.check(host, str(told[0]))
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host, host=str(told[0]), port=port, family=kind, proto=proto, flags=numeric
            )
            for kind, _, proto, _, told in found
        ]

    async def close(self) -> None:
        """Let go of nothing: the loop does the asking."""

    def check(self, host: str, told: str) -> None:
        """Return when an address of the host may be called.

        Args:
            host: as in the URL.
            told: one of its addresses, or the host itself where that is one.

        Raises:
            UsageError: it may not.
        """
        address = parsed(told)
        if address is None:
            raise UsageError(f"the host `{host[:100]}` is neither a name nor an address as one writes them")
        if self._allowed.host(host) or self._allowed.address(address):
            return
        where = host if host == told else f"{host} ({told})"
        if not self._tls:
            raise UsageError(
                f"{where} may not be called without TLS",
                hint="use https, or allow the host or its network in the server's settings",
            )
        if fault := address_fault(address):
            raise UsageError(
                f"{where} may not be called: {fault}",
                hint="allow the host or its network in the server's settings if it is meant",
            )
