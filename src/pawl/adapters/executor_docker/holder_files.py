"""Which holders there are and who has each: a file each, locked by the process whose job is in it.

Jobs are processes of their own, so they share holders by a folder. A lock goes with its process whatever ends
it; a holder whose file is free, yet says that it is in use, is one whose process was killed: its name space
may have been left in any state, and is used no more.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

_MOST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFacts:
    """What is known of a holder.

    Attributes:
        name: of its sandbox: what its container and its network are labelled with.
        id: of its container.
        process: the id of its process.
        files: content by path of what the engine gave it in `/etc`, so that names resolve.
        clean: whether a job may join it.
    """

    name: str
    id: str
    process: int
    files: Mapping[str, str]
    clean: bool = False


class HolderFile:
    """A holder's file, locked."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take a file that is locked already."""
        self.path = path
        self._descriptor = descriptor

    @property
    def name(self) -> str:
        """Return the holder's name."""
        return self.path.stem

    @property
    def is_held(self) -> bool:
        """Return whether it is still locked by this object."""
        return self._descriptor >= 0

    @property
    def idle_since(self) -> float:
        """Return the second since 1970 when it was written last."""
        return os.fstat(self._descriptor).st_mtime

    def read(self) -> HolderFacts | None:
        """Return what is known; None when it was not finished."""
        try:
            return HolderFacts(**json.loads(os.pread(self._descriptor, _MOST, 0)))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def is_usable(self) -> bool:
        """Return whether it was finished, and a job may join."""
        facts = self.read()
        return facts is not None and facts.clean

    def write(self, facts: HolderFacts, *, clean: bool) -> None:
        """Write what is known, and whether a job may join.

        Raises:
            OSError: the disk refused.
        """
        # Nobody reads it without the lock, and what is half written is no JSON: the holder is then not used.
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(replace(facts, clean=clean))).encode(), 0)

    def release(self) -> None:
        """Let others have it. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def drop(self) -> None:
        """Remove the file: there is no such holder any more."""
        self.path.unlink(missing_ok=True)
        self.release()


class HolderFiles:
    """The folder of all."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which is made when it is first needed."""
        self._folder = folder

    def make(self, name: str) -> HolderFile:
        """Return the locked file of a new holder.

        Raises:
            OSError: the disk refused.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{name}.json"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return HolderFile(path, descriptor)

    def lock(self, name: str) -> HolderFile | None:
        """Return the locked file of a holder; None when there is none, or somebody has it."""
        path = self._folder / f"{name}.json"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return HolderFile(path, descriptor)
        except OSError:
            pass  # somebody has it, or has just removed it
        os.close(descriptor)
        return None

    def has(self, name: str) -> bool:
        """Return whether there is a file for a holder."""
        return (self._folder / f"{name}.json").exists()

    def free(self) -> Iterator[HolderFile]:
        """Yield those that nobody has, each locked: whoever gets one lets it go, or keeps it."""
        names: list[str] = []
        with suppress(OSError):
            names = sorted(path.stem for path in self._folder.glob("*.json"))
        for name in names:
            file = self.lock(name)
            if file is not None:
                yield file
