"""What sealing promises (ports/sealing.py)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from pawl.adapters.sealing import FileSealing
from pawl.core.model.errors import InfrastructureError, UsageError
from pawl.ports.sealing import Sealing
from pawl.testing.sealing import OpenSealing

MAKERS: list[Callable[[Path], Sealing]] = [lambda path: FileSealing(path / "key"), lambda _: OpenSealing()]


@pytest.fixture(params=MAKERS, ids=["file", "open"])
def sealing(request: pytest.FixtureRequest, tmp_path: Path) -> Sealing:
    made: Sealing = request.param(tmp_path)
    return made


def file_of(path: Path, *keys: bytes) -> Path:
    """Return a file with these keys."""
    path.touch(0o600)
    path.write_bytes(b"".join(base64.b64encode(key) + b"\n" for key in keys))
    return path


@pytest.mark.parametrize("value", ["", "short", "ü" * 20_000, "-----BEGIN KEY-----\nAA==\n", "half \ud800"])
def test_what_was_sealed_opens_under_its_scope_alone(sealing: Sealing, value: str) -> None:
    sealed = sealing.seal(value, "project:acme/site:hook")
    assert sealing.open(sealed, "project:acme/site:hook") == value
    assert sealing.open(sealing.rotate(sealed, "project:acme/site:hook"), "project:acme/site:hook") == value
    with pytest.raises(InfrastructureError):
        sealing.open(sealed, "project:acme/site:token")
    with pytest.raises(InfrastructureError):
        sealing.rotate(sealed, "project:acme/site:token")


def test_a_new_key_leaves_what_was_sealed_readable_and_seals_it_anew_once(sealing: Sealing) -> None:
    before = sealing.seal("a value", "s")
    sealing.renew()
    assert sealing.open(before, "s") == "a value"
    after = sealing.rotate(before, "s")
    assert after != before
    assert sealing.rotate(after, "s") == after
    assert sealing.open(after, "s") == "a value"


@pytest.mark.parametrize("sealed", ["", "plain", "v1:", "v1:0:AAAA", "v9:0123456789abcdef:AAAA"])
def test_what_was_not_sealed_does_not_open(sealing: Sealing, sealed: str) -> None:
    with pytest.raises(InfrastructureError):
        sealing.open(sealed, "s")


def test_each_time_it_is_another_and_nothing_of_the_value_shows(tmp_path: Path) -> None:
    sealing = FileSealing(tmp_path / "key")
    first, second = (sealing.seal("a value to hide", "s") for _ in range(2))
    assert first != second
    assert first.split(":")[:2] == second.split(":")[:2]
    assert first.split(":")[2] != second.split(":")[2]
    assert b"value" not in b"".join(base64.b64decode(part) for part in first.split(":")[2:])


def test_a_changed_byte_a_part_of_another_and_another_key_are_found_out(tmp_path: Path) -> None:
    sealing = FileSealing(file_of(tmp_path / "key", bytes(range(32))))
    parts = sealing.seal("x" * 40, "s").split(":")
    for part, place in ((2, 0), (2, 12), (2, -1), (3, 0), (3, 12), (3, -1)):
        raw = bytearray(base64.b64decode(parts[part]))
        raw[place] ^= 1
        changed = [*parts[:part], base64.b64encode(raw).decode(), *parts[part + 1 :]]
        with pytest.raises(InfrastructureError, match="changed"):
            sealing.open(":".join(changed), "s")
    others = sealing.seal("y" * 40, "s").split(":")
    with pytest.raises(InfrastructureError, match="changed"):
        sealing.open(":".join([*parts[:3], others[3]]), "s")
    stranger = FileSealing(file_of(tmp_path / "other", bytes(range(1, 33))))
    with pytest.raises(InfrastructureError, match="another key"):
        stranger.open(":".join(parts), "s")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    sealed = FileSealing(path).seal("a value", "s")
    assert FileSealing(path).open(sealed, "s") == "a value"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    path.chmod(0o640)
    with pytest.raises(UsageError, match="others can read"):
        FileSealing(path)


def test_a_new_key_stands_before_the_old_ones_and_another_server_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    one, two = FileSealing(path), FileSealing(path)
    (old,) = path.read_bytes().split()
    one.renew()
    lines = path.read_bytes().split()
    assert lines[1:] == [old]
    assert path.stat().st_mode & 0o777 == 0o600
    sealed = one.seal("a value", "s")
    assert two.open(sealed, "s") == "a value"
    path.write_bytes(lines[0])
    assert FileSealing(path).open(sealed, "s") == "a value"


DRAWN = base64.b64encode(bytes(range(32)))


@pytest.mark.parametrize(
    "text",
    [b"", b"short", base64.b64encode(bytes(32)), base64.b64encode(bytes(range(31))), DRAWN + b"\nshort\n"],
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "sealing.key"
    path.touch(0o600)
    path.write_bytes(text)
    with pytest.raises(UsageError, match="holds no key"):
        FileSealing(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "other")
    (tmp_path / "other").touch(0o600)
    with pytest.raises(InfrastructureError):
        FileSealing(tmp_path / "key")
