"""A database that a server cannot use: it says so before it serves, ends with 3, and changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pawl.adapters.store_sql import open_store
from pawl.core.model.errors import InfrastructureError, Unavailable
from pawl.server.starting import check_places
from tests.integration.serving import PATIENCE
from tests.s3 import CREDENTIALS, make_bucket, running_s3

_KEPT_OUT = ["setpriv", "--bounding-set=-dac_override"]
"""Runs a command of root's for which the modes of files count."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a sound database in the data folder of a server."""
    path = tmp_path / "data" / "pawl.db"
    path.parent.mkdir(mode=0o700)
    asyncio.run(open_store(f"sqlite:///{path}").aclose())
    return path


def _refused(database: Path, words: str, *, prefix: list[str] | None = None) -> None:
    """Start a server, and check that it ends at once, in words, with the database as it was."""
    before = database.read_bytes() if database.is_file() else b""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAWL_")}
    command = [
        *(prefix or []),
        sys.executable,
        "-m",
        "pawl.cli.main",
        "serve",
        "--port",
        "0",
        "--workers",
        "0",
    ]
    done = subprocess.run(
        [*command, "--data", str(database.parent)],
        check=False, capture_output=True, text=True, timeout=PATIENCE,
        cwd=database.parent.parent, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert words in done.stderr
    assert str(database) in done.stderr
    assert "\nhint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (database.parent / "address").exists()
    assert not (database.parent / "token").exists()
    assert (database.read_bytes() if database.is_file() else b"") == before


def test_a_database_of_a_newer_version_is_refused(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _refused(database, "was made by a newer version of Pawl")


@pytest.mark.parametrize("start", [0, 4096])
def test_a_damaged_database_is_refused(database: Path, start: int) -> None:
    with database.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 40_960)
    _refused(database, "is damaged")


def test_a_database_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pawl.db"
    path.mkdir(mode=0o700, parents=True)
    _refused(path, "cannot be opened")


def test_a_database_that_can_only_be_read_is_refused(database: Path) -> None:
    database.chmod(0o400)
    if os.geteuid() != 0:
        _refused(database, "cannot be opened")
    elif _can_be_kept_out():
        _refused(database, "cannot be opened", prefix=_KEPT_OUT)


def _can_be_kept_out() -> bool:
    """Return whether root here may give up its right to everything."""
    if shutil.which(_KEPT_OUT[0]) is None:
        return False
    return subprocess.run([*_KEPT_OUT, "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("lacking", ["logs", "blobs"])
def test_a_bucket_that_cannot_be_used_keeps_the_server_from_starting(tmp_path: Path, lacking: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAWL_")}
    command = [sys.executable, "-m", "pawl.cli.main", "serve", "--port", "0", "--workers", "0"]
    with running_s3() as endpoint:
        make_bucket(endpoint, "there")
        places = {name: "there" if name != lacking else "nowhere" for name in ("logs", "blobs")}
        for name, bucket in places.items():
            command += [f"--{name}", f"s3://{bucket}/{name}?endpoint={endpoint}"]
        done = subprocess.run(
            [*command, "--data", str(tmp_path / "data")],
            check=False, capture_output=True, text=True, timeout=PATIENCE,
            cwd=tmp_path, env={**environment, **CREDENTIALS}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert f"the {lacking} cannot be kept in s3://nowhere/{lacking}" in done.stderr
    assert "There is no such bucket" in done.stderr
    assert "Traceback" not in done.stderr
    assert "serves" not in done.stdout


async def test_a_disk_without_room_keeps_no_server_from_starting() -> None:
    asked: list[str] = []

    async def full() -> None:
        asked.append("full")
        raise Unavailable("no space left on device", full=True)

    async def refused() -> None:
        raise Unavailable("it answered 403")

    await check_places([("logs", "/srv/logs", full)])
    assert asked == ["full"]
    with pytest.raises(InfrastructureError, match="the blobs cannot be kept in s3://b: it answered 403"):
        await check_places([("blobs", "s3://b", refused)])
