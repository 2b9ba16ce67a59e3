"""What a forge's answer to a call means: done, ask again later, or something to mend."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from pawl.core.model.errors import Unavailable, UsageError

LONGEST_WAIT = 3600.0
"""Seconds after which a forge is asked again at the latest, whatever it says."""

_FIRST_WAIT = 5.0
_SECONDARY_WAIT = 60.0
"""GitHub: wait at least a minute after a secondary rate limit that names no time."""
_LIMITED = re.compile(r"rate limit|abuse detection|too many requests", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_HINTS = {
    401: "give the project a token that is good",
    403: "give the project's token the right to write commit statuses of this repository",
    404: "check the repository's name, the API's URL, and that the token may see the repository",
    422: "check that the commit is in this repository",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of a forge.

    Attributes:
        status: of HTTP.
        headers: by lower-case name.
        body: as it came.
        secrets: what was sent along and must not come back in a message.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = ()

    def json(self) -> object:
        """Return what the body holds, None for no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def member(self, name: str) -> object:
        """Return a member of the object in the body, None when there is none."""
        told = self.json()
        return told.get(name) if isinstance(told, dict) else None

    def message(self) -> str:
        """Return what the forge says about an error, short and in one line."""
        told = self.member("message") or self.member("error") or self.member("error_description")
        if isinstance(told, dict):
            told = told.get("message")
        text = " ".join(_UNSEEN.sub(" ", str(told or "")).split())
        for secret in self.secrets:
            text = text.replace(secret, "***") if secret else text
        return text if len(text) <= 200 else f"{text[:199]}…"


def check_reply(reply: Reply, what: str, now: float) -> None:
    """Return when the forge did what it was asked.

    Args:
        reply: its answer.
        what: was asked, for messages: `setting a status of acme/app at GitHub`.
        now: seconds since 1970.

    Raises:
        Unavailable: it is away or asks to be asked later.
        UsageError: it refuses; the hint says what to mend.
    """
    if 200 <= reply.status < 300:
        return
    said = reply.message()
    told = f"{what} was answered with {reply.status}{': ' if said else ''}{said}"
    if reply.status >= 500 or reply.status in {408, 425, 429} or _is_limited(reply):
        raise Unavailable(told, retry_after=retry_after(reply, now))
    if 300 <= reply.status < 400:
        raise UsageError(told, hint="give the API's own URL: redirects are not followed")
    raise UsageError(told, hint=_HINTS.get(reply.status))


def retry_after(reply: Reply, now: float) -> float:
    """Return seconds to wait, from the headers that forges use, between 1 and `LONGEST_WAIT`."""
    wait = _seconds(reply.headers.get("retry-after", ""), now)
    if wait is None and reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        wait = int(reset) - now if reset.isdecimal() and len(reset) < 13 else None
    if wait is None:
        reset = reply.headers.get("ratelimit-reset", "")
        wait = int(reset) - now if reset.isdecimal() and 9 < len(reset) < 13 else None
    if wait is None:
        wait = _SECONDARY_WAIT if _is_limited(reply) else _FIRST_WAIT
    return min(max(wait, 1.0), LONGEST_WAIT)


def _is_limited(reply: Reply) -> bool:
    """Return whether a refusal is a limit of rate: GitHub answers 403 to those, too."""
    if reply.status not in {403, 429}:
        return False
    if reply.status == 429 or "retry-after" in reply.headers:
        return True
    return reply.headers.get("x-ratelimit-remaining") == "0" or bool(_LIMITED.search(reply.message()))


def _seconds(text: str, now: float) -> float | None:
    """Return the seconds of a `Retry-After`: a number, or a date."""
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None


def shortened(text: str, most: int) -> str:
    """Return the text in one line of at most `most` characters."""
    plain = " ".join(_UNSEEN.sub(" ", text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"
