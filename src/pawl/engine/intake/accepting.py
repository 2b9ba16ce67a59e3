"""What is kept of a webhook request, and by which key it is known again. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pawl.core.model.forge import Received

_LONGEST_KEY = 200
_LONGEST_HEADER = 2000
_SECRET_WORDS = ("signature", "token", "authorization", "cookie", "secret", "key-id")
_NEEDED = ("x-", "webhook-")
_OF_PROXIES = ("x-forwarded-", "x-real-", "x-request-start", "x-amzn-", "x-cloud-")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are needed to read a request again: none that is a secret or speaks of one."""
    return {
        name: value[:_LONGEST_HEADER]
        for name, value in headers.items()
        if (name == "content-type" or name.startswith(_NEEDED))
        and not name.startswith(_OF_PROXIES)
        and not any(word in name for word in _SECRET_WORDS)
    }


def key_of(delivery: str, received: Received) -> str:
    """Return the key of a delivery: the forge's id, or a digest where that is none that can be kept."""
    if delivery and len(delivery) <= _LONGEST_KEY and delivery.isprintable():
        return delivery
    # Without an id the same bytes are the same delivery.
    return "sha256:" + hashlib.sha256(delivery.encode("utf-8", "replace") or received.body).hexdigest()
