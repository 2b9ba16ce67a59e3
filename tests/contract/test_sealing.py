"""What sealing promises (ports/sealing.py)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from pawl.adapters.sealing import FileSealing, read_or_make_key
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.sealing import Sealing
from pawl.testing.sealing import OpenSealing

MAKERS: list[Callable[[], Sealing]] = [lambda: FileSealing(bytes(range(32))), OpenSealing]


@pytest.fixture(params=MAKERS, ids=["file", "open"])
def sealing(request: pytest.FixtureRequest) -> Sealing:
    made: Sealing = request.param()
    return made


@pytest.mark.parametrize("value", ["", "short", "ü" * 20_000, "-----BEGIN KEY-----\nAA==\n", "half \ud800"])
def test_what_was_sealed_opens_under_its_scope_alone(sealing: Sealing, value: str) -> None:
    sealed = sealing.seal(value, "project:acme/site:hook")
    assert sealing.open(sealed, "project:acme/site:hook") == value
    assert sealing.open(sealing.rotate(sealed, "project:acme/site:hook"), "project:acme/site:hook") == value
    with pytest.raises(InfrastructureError):
        sealing.open(sealed, "project:acme/site:token")
    with pytest.raises(InfrastructureError):
        sealing.rotate(sealed, "project:acme/site:token")


@pytest.mark.parametrize("sealed", ["", "plain", "v1:", "v1:0:AAAA", "v9:0123456789abcdef:AAAA"])
def test_what_was_not_sealed_does_not_open(sealing: Sealing, sealed: str) -> None:
    with pytest.raises(InfrastructureError):
        sealing.open(sealed, "s")


def test_each_time_it_is_another_and_nothing_of_the_value_shows() -> None:
    sealing = FileSealing(bytes(range(32)))
    first, second = (sealing.seal("a value to hide", "s") for _ in range(2))
    assert first != second
    hidden = base64.b64decode(first.rsplit(":", 1)[1])
    assert b"value" not in hidden


def test_a_changed_byte_and_another_key_are_found_out() -> None:
    sealing = FileSealing(bytes(range(32)))
    sealed = sealing.seal("x" * 40, "s")
    head, _, text = sealed.rpartition(":")
    raw = bytearray(base64.b64decode(text))
    for place in (0, 12, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(InfrastructureError, match="changed"):
            sealing.open(f"{head}:{base64.b64encode(changed).decode()}", "s")
    with pytest.raises(InfrastructureError, match="another key"):
        FileSealing(bytes(range(1, 33))).open(sealed, "s")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    key = read_or_make_key(path)
    assert len(key) == 32
    assert read_or_make_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["sealing.key"]
    path.chmod(0o640)
    with pytest.raises(UsageError, match="others can read"):
        read_or_make_key(path)


@pytest.mark.parametrize(
    "text", [b"", b"short", base64.b64encode(bytes(32)), base64.b64encode(bytes(range(31)))]
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "sealing.key"
    path.touch(0o600)
    path.write_bytes(text)
    with pytest.raises(UsageError, match="holds no key"):
        read_or_make_key(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "other")
    (tmp_path / "other").touch(0o600)
    with pytest.raises(InfrastructureError):
        read_or_make_key(tmp_path / "key")
