"""A real mail server for tests: aiosmtpd, with and without TLS, that keeps what it takes."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

USER, PASSWORD = "pawl", "the password of the account"


@dataclass
class MailServer:
    """The server.

    Attributes:
        taken: envelopes of what was taken.
        answer: what it says to each message; `receiver` to each receiver.
        logins: who logged in, over TLS or not.
    """

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answer: str = "250 taken"
    receiver: Callable[[str], str] = lambda _: "250 well"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        told = self.receiver(address)
        if told.startswith("250"):
            envelope.rcpt_tos.append(address)
        return told

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            self.taken.append(envelope)
        return self.answer

    def authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        if good:
            self.logins.append(data.login.decode())
        return AuthResult(success=good, handled=False)

    def message(self) -> EmailMessage:
        """Return the only message, as a mail reader would read it."""
        (envelope,) = self.taken
        assert isinstance(envelope.content, bytes)
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        return read


@asynccontextmanager
async def mail_server(
    *, tls: ssl.SSLContext | None = None, at_once: bool = False
) -> AsyncIterator[MailServer]:
    """Run one on a free port of this machine.

    Args:
        tls: its certificate; none without TLS.
        at_once: TLS from the start instead of STARTTLS.
    """
    server = MailServer()
    options: dict[str, Any] = {}
    if tls is not None and not at_once:
        options = {"tls_context": tls, "require_starttls": True}
    if tls is not None:
        options |= {"authenticator": server.authenticate, "auth_require_tls": not at_once}
    listening = await asyncio.get_running_loop().create_server(
        lambda: SMTP(server, hostname="mail.example", **options),
        "127.0.0.1",
        0,
        ssl=tls if at_once else None,
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()
