"""Whether a webhook was signed with a project's secret: over its raw bytes, compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

from pawl.core.model.errors import Denied
from pawl.core.model.forge import Received

SIGNATURE_WINDOW = 300.0
"""Seconds that a signed time may be away from ours."""

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")


def header(received: Received, *names: str) -> str:
    """Return the first of these headers that the request has, "" for none."""
    return next((received.headers[name] for name in names if received.headers.get(name)), "")


def check_hex_signature(told: str, secret: str, signed: bytes, *, name: str) -> None:
    """Return when `told` is the HMAC-SHA256 of `signed` in hexadecimal digits.

    Args:
        told: the digits, without what stands before them.
        secret: the key.
        signed: the bytes.
        name: of the header, for the message.

    Raises:
        Denied: it is not.
    """
    expected = hmac.digest(_key(secret), signed, "sha256")
    if _HEX.fullmatch(told) is None or not hmac.compare_digest(expected, bytes.fromhex(told)):
        raise wrong(name)


def prefixed(received: Received, name: str, prefix: str) -> str:
    """Return what follows `prefix` in a header.

    Raises:
        Denied: there is no such header, or it begins otherwise.
    """
    told = received.headers.get(name, "")
    if not told:
        raise missing(name)
    if not told.startswith(prefix):
        raise wrong(name)
    return told.removeprefix(prefix)


def check_token(told: str, secret: str, *, name: str) -> None:
    """Return when a header holds the secret itself.

    Raises:
        Denied: it does not.
    """
    if not told:
        raise missing(name)
    if not hmac.compare_digest(_key(told), _key(secret)):
        raise wrong(name)


def check_time(told: str, now: float, *, name: str) -> None:
    """Return when a signed time, in seconds since 1970, is near enough.

    Raises:
        Denied: it is not.
    """
    if _SECONDS.fullmatch(told) is None or abs(int(told) - now) > SIGNATURE_WINDOW:
        raise Denied(
            f"the time in `{name}` is not within {SIGNATURE_WINDOW:.0f} seconds of the server's",
            hint="set the clocks right, or send it anew",
        )


def check_standard(received: Received, secret: str, now: float) -> None:
    """Return when the request is signed as Standard Webhooks says, with a secret that begins with `whsec_`.

    Raises:
        Denied: it is not.
    """
    headers: Mapping[str, str] = received.headers
    delivery, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not headers.get("webhook-signature"):
        raise missing("webhook-signature")
    check_time(time, now, name="webhook-timestamp")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise Denied("the project's webhook secret begins with whsec_ but is not base64 after it") from None
    signed = f"{delivery}.{time}.".encode() + received.body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
    told = headers["webhook-signature"].split(" ")[:8]
    if not any(hmac.compare_digest(expected, _key(each)) for each in told):
        raise wrong("webhook-signature")


def missing(name: str) -> Denied:
    """Return the refusal of a request without a signature."""
    return Denied(f"the request has no `{name}`", hint="give the forge's webhook the project's secret")


def wrong(name: str) -> Denied:
    """Return the refusal of a request with a wrong signature."""
    return Denied(f"`{name}` does not fit the request", hint="give the forge's webhook the project's secret")


def _key(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
