"""The data folder belongs to one server at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, UsageError


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may look into, with those above it.

    Raises:
        InfrastructureError: the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise InfrastructureError(
            f"the data folder {folder} cannot be made: {error.strerror or error}",
            hint="choose another with --data, or mend its rights",
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; it is there whole or not at all.

    Raises:
        InfrastructureError: the system refuses.
    """
    aside = path.with_name(f"{path.name}.new")
    try:
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        aside.rename(path)
    except OSError as error:
        raise InfrastructureError(f"{path} cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have the folder for oneself; the lock goes with the process, however that ends.

    Raises:
        UsageError: another server has it.
        InfrastructureError: the system refuses.
    """
    path = folder / "server.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InfrastructureError(f"{path} cannot be opened: {error.strerror or error}") from error
    try:
        _take(descriptor, folder)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        told = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        owner = f"another server (pid {told})" if told.isdigit() else "another server"
        raise UsageError(
            f"the data folder {folder} is in use by {owner}",
            hint="stop that one, or choose another with --data",
        ) from None
