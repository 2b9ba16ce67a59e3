"""What `pawl doctor` looks at where a server's data is: each check returns one line, with the mend."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from pawl.cli.checkup import Check, Mark
from pawl.cli.remote.answers import rows
from pawl.cli.remote.place import TOKEN_FILE, PlaceWish, find_server, local_address
from pawl.cli.terminal.durations import show_size
from pawl.core.model.errors import PawlError
from pawl.core.model.plan import Json

_LOW_DISK = 1_000_000_000
_SECRET_FILES = (TOKEN_FILE, "worker.token", "sealing.key", "pawl.db")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_installation(folder: Path) -> list[Check]:
    """Return the checks of a server's data folder and of the server itself; none where there is no folder."""
    if not folder.exists():
        return []
    lock = check_lock(folder)
    checks = [check_rights(folder), *check_secrets(folder), check_room(folder), *_check_database(folder)]
    return [*checks, lock, *_check_server(folder, runs=lock.mark is Mark.OK)]


def check_rights(folder: Path) -> Check:
    """Return whether the data folder is its owner's alone, and ours."""
    name = "data"
    try:
        found = folder.stat()
    except OSError as error:
        mend = "make it readable for you"
        return Check(name=name, mark=Mark.FAIL, found=f"{folder}: {error.strerror}", mend=mend)
    if found.st_uid != os.geteuid():
        mend = "call this as the user that runs the server"
        return Check(name=name, mark=Mark.WARN, found=f"{folder} is another user's", mend=mend)
    if found.st_mode & _OTHERS:
        mend = f"chmod 700 {folder}: tokens and logs are in it"
        return Check(name=name, mark=Mark.FAIL, found=f"others may look into {folder}", mend=mend)
    return Check(name=name, mark=Mark.OK, found=str(folder))


def check_secrets(folder: Path) -> Iterator[Check]:
    """Yield a failure for each file with a secret that others may read."""
    for name in _SECRET_FILES:
        path = folder / name
        if path.exists() and path.stat().st_mode & _OTHERS:
            yield Check(
                name="secrets", mark=Mark.FAIL, found=f"others may read {path}", mend=f"chmod 600 {path}"
            )


def check_room(folder: Path) -> Check:
    """Return how much room there is for logs and artifacts."""
    free = shutil.disk_usage(folder).free
    found = f"{show_size(free)} free at {folder}"
    if free < _LOW_DISK:
        mend = "free some, or keep less: server.keep_logs_days and server.keep_artifacts_days in pawl.toml"
        return Check(name="room", mark=Mark.WARN, found=found, mend=mend)
    return Check(name="room", mark=Mark.OK, found=found)


def check_lock(folder: Path) -> Check:
    """Return whether a server has the data folder."""
    try:
        descriptor = os.open(folder / "server.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return _not_running()
    try:
        pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return Check(name="server", mark=Mark.OK, found=f"runs as process {pid}")
    else:
        return _not_running()
    finally:
        os.close(descriptor)


def _not_running() -> Check:
    return Check(name="server", mark=Mark.WARN, found="does not run", mend="`pawl serve` starts it")


def _check_database(folder: Path) -> Iterator[Check]:
    path = folder / "pawl.db"
    if not path.exists():
        return  # a new folder, or the store is in PostgreSQL
    from pawl.adapters.store_sql import SCHEMA_VERSION, schema_version  # noqa: PLC0415 - takes 200 ms to import
    from pawl.adapters.store_sql.checking import find_damage  # noqa: PLC0415 - as above

    try:
        damage = find_damage(path)
        version = schema_version(f"sqlite:///{path}")
    except PawlError as error:
        mend = error.hint or "bring back a backup: `pawl restore`"
        yield Check(name="database", mark=Mark.FAIL, found=error.message, mend=mend)
        return
    if damage:
        mend = "stop the server, move the folder away, and bring back a backup: `pawl restore`"
        yield Check(name="database", mark=Mark.FAIL, found=f"damaged: {'; '.join(damage)}", mend=mend)
    else:
        size = show_size(path.stat().st_size)
        more = "" if version == SCHEMA_VERSION else f" (the next start brings it to {SCHEMA_VERSION})"
        yield Check(name="database", mark=Mark.OK, found=f"whole, {size}, of schema {version}{more}")


def _check_server(folder: Path, *, runs: bool) -> Iterator[Check]:
    url = local_address(folder)
    if not runs or url is None:
        return
    from pawl.cli.remote.client import Client  # noqa: PLC0415 - aiohttp takes 150 ms to import

    async def ask() -> tuple[Json, Json]:
        async with Client(find_server(PlaceWish(), None, {**os.environ, "PAWL_DATA": str(folder)})) as client:
            return await client.get("/ready"), await client.get("/api/workers")

    try:
        _, workers = asyncio.run(ask())
    except PawlError as error:
        mend = error.hint or "its own log says more"
        yield Check(name="answers", mark=Mark.FAIL, found=error.message, mend=mend)
        return
    yield Check(name="answers", mark=Mark.OK, found=f"ready at {url}")
    if rows(workers, "workers"):
        yield Check(name="workers", mark=Mark.OK, found=f"{len(rows(workers, 'workers'))} known")
    else:
        mend = "`pawl worker` starts one, `pawl serve --workers N` its own"
        yield Check(name="workers", mark=Mark.WARN, found="none has come yet: jobs wait", mend=mend)
