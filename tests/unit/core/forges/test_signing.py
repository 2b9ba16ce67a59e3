from __future__ import annotations

import base64
import hmac

import pytest

from pawl.adapters.forge_generic import GenericForge, sign
from pawl.core.forges.signing import SIGNATURE_WINDOW, check_standard
from pawl.core.model.errors import Denied
from pawl.core.model.forge import Received

NOW = 1_750_000_000.0
BODY = b'{"event":"ping"}'
KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def standard(time: str, key: bytes = KEY, body: bytes = BODY, **more: str) -> Received:
    digest = hmac.digest(key, b"id-1." + time.encode() + b"." + body, "sha256")
    signature = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": "id-1", "webhook-timestamp": time, "webhook-signature": signature, **more}
    return Received(headers=headers, body=body)


@pytest.mark.parametrize("away", [-SIGNATURE_WINDOW, 0, SIGNATURE_WINDOW])
def test_a_signed_time_within_the_window_is_taken(away: float) -> None:
    check_standard(standard(f"{NOW + away:.0f}"), SECRET, NOW)
    signed = Received(headers={"x-ci-signature": sign("s", BODY, NOW + away)}, body=BODY)
    GenericForge().verify(signed, "s", NOW)


@pytest.mark.parametrize("away", [-SIGNATURE_WINDOW - 1, SIGNATURE_WINDOW + 1, 1e9])
def test_a_signed_time_outside_the_window_is_a_replay(away: float) -> None:
    with pytest.raises(Denied, match="time"):
        check_standard(standard(f"{NOW + away:.0f}"), SECRET, NOW)
    signed = Received(headers={"x-ci-signature": sign("s", BODY, NOW + away)}, body=BODY)
    with pytest.raises(Denied, match="time"):
        GenericForge().verify(signed, "s", NOW)


@pytest.mark.parametrize("time", ["", "x", "-5", "1e9", "9" * 13, "1750000000.0", "٣"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with pytest.raises(Denied):
        check_standard(standard(time), SECRET, NOW)


def test_one_of_several_signatures_suffices() -> None:
    good = standard(f"{NOW:.0f}")
    several = f"v1,AAAA v1a,x {good.headers['webhook-signature']}"
    check_standard(standard(f"{NOW:.0f}", **{"webhook-signature": several}), SECRET, NOW)


@pytest.mark.parametrize(
    ("received", "secret"),
    [
        (standard(f"{NOW:.0f}", key=b"other"), SECRET),
        (standard(f"{NOW:.0f}", **{"webhook-signature": ""}), SECRET),
        (standard(f"{NOW:.0f}", **{"webhook-signature": "\udcff"}), SECRET),
        (standard(f"{NOW:.0f}", **{"webhook-id": "id-2"}), SECRET),
        (standard(f"{NOW:.0f}"), "whsec_***"),
        (Received(headers=standard(f"{NOW:.0f}").headers, body=BODY + b" "), SECRET),
    ],
    ids=["key", "none", "bytes", "id", "secret", "body"],
)
def test_anything_else_is_refused(received: Received, secret: str) -> None:
    with pytest.raises(Denied):
        check_standard(received, secret, NOW)


@pytest.mark.parametrize(
    "told",
    [
        "t=1750000000",
        "v1=" + "0" * 64,
        "t=1750000000,t=1750000000,v1=" + "0" * 64,
        "v1=,t=1750000000",
        ",,,",
        "t=1750000000,v1=é",
    ],
)
def test_a_generic_signature_has_one_time_and_one_digest(told: str) -> None:
    with pytest.raises(Denied):
        GenericForge().verify(Received(headers={"x-ci-signature": told}, body=BODY), "s", NOW)
