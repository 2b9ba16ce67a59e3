"""Mail that leaves a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message.

    Attributes:
        identity: by which a receiver knows what comes twice: letters, digits, dots and hyphens.
        to: addresses.
        subject: in one line; what no header can carry is left out of it.
        text: for readers of plain text.
        html: the same in HTML.
        time: of the message, seconds since 1970.
    """

    identity: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    time: float


class Postman(Protocol):
    """Hands mail to a mail server."""

    async def send(self, mail: Mail) -> str:
        """Hand it over, and return what the server said, in one line.

        Raises:
            TransientError: the server is away, or asks to be asked later.
            UsageError: it refuses the sender, the receivers or the message, or there is none.
        """
