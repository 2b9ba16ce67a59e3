"""The port `Postman` by SMTP: the standard library's client in a thread, a connection for each mail.

Source: RFC 5321 (answers of 4xx may be tried again, of 5xx not), RFC 3834 (`Auto-Submitted`).
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from pawl.adapters.mail.account import Account
from pawl.core.forges.answers import shortened
from pawl.core.model.errors import TransientError, UsageError
from pawl.ports.mail import Mail

_SECONDS = 10.0
"""For a connection, and for each answer."""
_LONGEST = 300


class SmtpPostman:
    """Hands mail to the mail server of an account."""

    def __init__(self, account: Account | None) -> None:
        """Take the account; None where the server sends no mail."""
        self._account = account

    async def send(self, mail: Mail) -> str:
        """Hand it over; see the port."""
        if self._account is None:
            raise UsageError(
                "this server sends no mail",
                hint="set `server.mail_server` and `server.mail_from` in pawl.toml",
            )
        return await asyncio.to_thread(_hand_over, self._account, mail)


def _hand_over(account: Account, mail: Mail) -> str:
    try:
        with _connect(account) as server:
            refused = server.send_message(message_of(mail, account.sender))
    except smtplib.SMTPRecipientsRefused as error:
        raise _told(*next(iter(error.recipients.values()), (550, b""))) from None
    except smtplib.SMTPResponseException as error:
        raise _told(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPNotSupportedError as error:
        raise UsageError(f"{account.host} cannot do what is asked of it: {error}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise TransientError(f"{account.host} cannot be reached: {_why(error)}") from None
    # Some were taken: sent again, they would get it twice.
    return f"taken, but not for {', '.join(refused)}" if refused else "taken"


def _connect(account: Account) -> smtplib.SMTP:
    """Return a connection that is encrypted, and logged in, as the account says.

    Raises:
        smtplib.SMTPException, OSError: it cannot be had.
    """
    if account.kind == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            account.host, account.port, timeout=_SECONDS, context=_trust(account)
        )
    else:
        server = smtplib.SMTP(account.host, account.port, timeout=_SECONDS)
    try:
        if account.kind == "smtp":
            server.starttls(context=_trust(account))
        if account.user and account.password:
            server.login(account.user, account.password)
    except BaseException:
        server.close()
        raise
    return server


def _trust(account: Account) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(account.ca_file) if account.ca_file else None)


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """Return a mail as it is sent: text and HTML, and headers that tell machines not to answer."""
    message = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2]
    message["From"] = f"Pawl <{sender}>"
    message["To"] = ", ".join(mail.to)
    message["Subject"] = shortened(mail.subject, _LONGEST).encode("utf-8", "replace").decode()
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.time, UTC))
    message["Message-ID"] = f"<{mail.identity}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text.encode("utf-8", "replace").decode(), cte="quoted-printable")
    message.add_alternative(
        mail.html.encode("utf-8", "replace").decode(), subtype="html", cte="quoted-printable"
    )
    return message


def _told(code: int, said: bytes | str) -> TransientError | UsageError:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    told = f"the mail server answered {code}: {shortened(text, _LONGEST)}"
    return TransientError(told) if 400 <= code < 500 or code < 0 else UsageError(told)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shortened(str(error), _LONGEST) or type(error).__name__
