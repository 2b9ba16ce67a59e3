"""The lock by which a process is known to live: inherited by it, gone with it, whatever ends it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pawl.adapters.job_processes.places import LOCK


def take_lock(folder: Path) -> int:
    """Return a descriptor that holds the folder's lock, to be handed to a process.

    Raises:
        OSError: the lock is held, or the disk refused.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(folder: Path) -> bool:
    """Return whether a process holds the folder's lock."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        # By name and not by closing: a process forked at this moment may have the descriptor too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False
    finally:
        os.close(descriptor)
