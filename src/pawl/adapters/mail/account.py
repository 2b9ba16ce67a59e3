"""How a mail server is reached: its URL, the sender, the password."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pawl.core.model.errors import UsageError

_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mail server and who sends by it.

    Attributes:
        kind: `smtps` (TLS from the start), `smtp` (STARTTLS, which is insisted on), `smtp+plain` (no TLS).
        sender: the address that mail comes from.
        user, password: "" for none. Never shown: `repr` leaves the password out.
        ca_file: certificates to trust instead of the machine's.
    """

    kind: str
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None


def read_account(url: str, sender: str, user: str = "", password_file: str = "") -> Account:
    """Return the account that settings describe.

    Raises:
        UsageError: the URL is none, the sender is no address, or the password cannot be read or used.
    """
    hint = "write smtp://HOST:587, smtps://HOST:465, or smtp+plain://HOST:25 without TLS"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in _PORTS or not host or parts.path.strip("/") or "@" in parts.netloc:
        raise UsageError("`server.mail_server` names no mail server", hint=hint)
    if sender.count("@") != 1 or not (sender.isascii() and sender.isprintable()) or " " in sender:
        raise UsageError("`server.mail_from` is no address", hint="write it as pawl@example.org")
    password = _password(Path(password_file)) if password_file else ""
    if password and (parts.scheme == "smtp+plain" or not user):
        raise UsageError(
            "a password of the mail server needs a user, and TLS to travel in",
            hint="set `server.mail_user`, and write smtp:// or smtps://",
        )
    return Account(
        kind=parts.scheme,
        host=host,
        port=port or _PORTS[parts.scheme],
        sender=sender,
        user=user,
        password=password,
    )


def _password(file: Path) -> str:
    try:
        return file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"`server.mail_password_file` cannot be read: {error}") from error
