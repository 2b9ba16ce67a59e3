"""Masking: every form of a secret, in any cut of the stream."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from pawl.core.steps.masking import Masker, SecretSet, TooManySecrets
from pawl.core.steps.needles import MAX_NEEDLE, needles_of

SECRET = "p@ss'w0rd\"/1234"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        quote(SECRET, safe=""),
        SECRET.replace("'", "''"),
        SECRET.replace("'", "'\\''"),
        SECRET.replace('"', '\\"'),
        SECRET.replace('"', "&quot;").replace("'", "&apos;"),
        SECRET.encode().hex(),
        b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_each_form_is_hidden(form: str) -> None:
    assert SecretSet([SECRET]).mask_text(f"<{form}>") == "<***>"


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", "\n", "@h", "@host"])
def test_base64_of_a_text_around_a_secret_is_hidden(before: str, after: str) -> None:
    encoded = b64encode(f"{before}{SECRET}{after}".encode())

    shown = Masker([SECRET]).mask_text(encoded.decode())

    assert "***" in shown
    assert len(shown) <= len(encoded) - 14


def test_a_secret_cut_between_blocks_is_hidden() -> None:
    masker = Masker(["top-secret"])

    shown = [masker.feed(block) for block in (b"a top-", b"sec", b"ret b top-", b"x")]

    assert b"".join([*shown, masker.flush()]) == b"a *** b top-x"


def test_only_what_may_become_a_secret_is_held_back() -> None:
    masker = Masker(["top-secret"])

    assert masker.feed(b"the top-") == b"the "
    assert masker.feed(b"hat\n") == b"top-hat\n"


def test_a_value_added_while_streaming_is_hidden_from_then_on() -> None:
    masker = Masker()
    first = masker.feed(b"hunter2 ")
    masker.add("hunter2")

    assert first + masker.feed(b"hunter2") + masker.flush() == b"hunter2 ***"


def test_maskers_of_one_job_share_their_secrets() -> None:
    secrets = SecretSet()
    out, err = Masker(secrets), Masker(secrets)
    out.add("hunter2")

    assert err.feed(b"hunter2.") == b"***."


def test_lines_of_a_secret_are_hidden_each() -> None:
    assert SecretSet(["first-line\r\n\n  \nsecond-line"]).mask_text("second-line\nfirst-line") == "***\n***"


def test_blank_values_are_ignored() -> None:
    assert SecretSet(["", " ", "\n\t"]).mask_text("a b\n") == "a b\n"


def test_long_secrets_are_searched_in_pieces() -> None:
    secret = "".join(chr(33 + number % 90) for number in range(10_000))
    masker = Masker([secret])

    shown = masker.feed(b"<" + secret.encode() + b">") + masker.flush()

    assert shown == b"<***>"
    assert max(map(len, needles_of(secret))) <= MAX_NEEDLE


def test_an_endless_chain_of_hits_is_one_mask_and_takes_no_memory() -> None:
    masker = Masker(["aaa"])

    shown = b"".join(masker.feed(b"a" * 1000) for _ in range(100)) + masker.flush()

    assert shown == b"***"


def test_a_lone_surrogate_is_masked_and_kept() -> None:
    assert SecretSet(["hunter2"]).mask_text("\ud800hunter2") == "\ud800***"


def test_too_many_secrets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawl.core.steps.masking.MAX_NEEDLES", 100)

    with pytest.raises(TooManySecrets):
        SecretSet(f"secret-number-{number}" for number in range(100))


@pytest.mark.parametrize("count", [1, 10, 100])
def test_many_secrets_are_found_wherever_they_stand(count: int) -> None:
    values = [f"{number:03}-{number * 7919 % 1000:03}-some-secret-value" for number in range(count)]
    known = SecretSet(values)

    for offset in range(9):
        text = "x" * offset + values[-1] + "y"
        assert known.mask_text(text) == "x" * offset + "***y"


def test_whether_a_text_holds_a_secret_can_be_asked() -> None:
    secrets = SecretSet(["hunter2"])

    assert secrets.contains_secret("x hunter2")
    assert not secrets.contains_secret("x hunter3")
