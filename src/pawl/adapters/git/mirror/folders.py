"""Where mirrors lie: one folder a repository, whole or not there; a damaged one is set aside."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pawl.core.model.errors import InfrastructureError, TransientError

_UNFIT = re.compile(r"[^a-z0-9]+")
_READABLE = 40
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class MirrorFolder:
    """The places of one mirror."""

    path: Path

    @property
    def is_there(self) -> bool:
        """Return whether there is a mirror."""
        return (self.path / "HEAD").is_file()

    @property
    def is_suspect(self) -> bool:
        """Return whether reading it has failed since it was made."""
        return self._suspicion.exists()

    @property
    def new(self) -> Path:
        """Return where a mirror is made before it is whole."""
        return self.path.with_suffix(".new")

    @property
    def damaged(self) -> Path:
        """Return where a damaged mirror is kept, for people to look at; the latest one only."""
        return self.path.with_suffix(".damaged")

    @property
    def _suspicion(self) -> Path:
        return self.path.with_suffix(".suspect")

    def suspect(self) -> None:
        """Note that reading it failed: the next fetch makes it anew."""
        with contextlib.suppress(OSError):
            self._suspicion.touch()

    def clear_new(self) -> None:
        """Make an empty folder for a new mirror."""
        shutil.rmtree(self.new, ignore_errors=True)
        self.new.mkdir(parents=True)

    def take_new(self) -> None:
        """Let the new mirror be the mirror; the old one is set aside."""
        if self.path.exists():
            shutil.rmtree(self.damaged, ignore_errors=True)
            self.path.rename(self.damaged)
        self.new.rename(self.path)
        self._suspicion.unlink(missing_ok=True)

    def size(self) -> int:
        """Return the bytes of its packs, and of one that is being made."""
        return _packs(self.path) + _packs(self.new)

    @asynccontextmanager
    async def locked(self, seconds: float) -> AsyncGenerator[None]:
        """Hold the mirror against all other processes that fetch it.

        Raises:
            TransientError: another process held it for `seconds`.
            InfrastructureError: the disk refused.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InfrastructureError(f"Cannot use {self.path.parent}: {error.strerror}") from error
        try:
            await _take(descriptor, seconds)
            yield
        finally:
            os.close(descriptor)


def folder_of(root: Path, name: str) -> MirrorFolder:
    """Return the places of a repository's mirror; nothing of `name` can lead out of `root`."""
    readable = _UNFIT.sub("-", name.lower())[-_READABLE:].strip("-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return MirrorFolder(root / f"{readable or 'repository'}-{digest}.git")


async def _take(descriptor: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TransientError(
                    f"Another process has been fetching the repository for {seconds:g} seconds"
                ) from None
        else:
            return
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)


def _packs(mirror: Path) -> int:
    size = 0
    with contextlib.suppress(OSError), os.scandir(mirror / "objects/pack") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                size += entry.stat(follow_symlinks=False).st_size
    return size
