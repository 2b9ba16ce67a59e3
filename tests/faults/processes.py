"""The processes that belong to an installation, found by the folder it lives in."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def until(condition: Callable[[], object], what: str, *, seconds: float = 120) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come in time; says what was waited for.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)


def processes_of(folder: Path, *words: str) -> list[int]:
    """Return the processes started for `folder` that have `words` as arguments, by id.

    Started for it: the folder stands in their command line, environment or is above their working folder.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            arguments = _arguments_in(entry, f"{folder}/")
            if arguments is not None and set(words) <= set(arguments):
                found.append(int(entry.name))
    return sorted(found)


def _arguments_in(process: Path, folder: str) -> list[str] | None:
    """Return the arguments of a process of `folder`; None when it is none, or is dead already."""
    try:
        command = (process / "cmdline").read_bytes()
        told = [
            command.decode("utf-8", "replace"),
            (process / "environ").read_bytes().decode("utf-8", "replace"),
        ]
        told.append(f"{(process / 'cwd').readlink()}/")
    except OSError:
        return None
    if not command or not any(folder in text for text in told):
        return None
    return told[0].split("\0")


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; to a process that is gone, nothing."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_all(folder: Path) -> list[int]:
    """Kill whatever was started for `folder` and return what it was; stopped ones too, until none is left."""
    killed: list[int] = []
    end = time.monotonic() + 60
    while found := processes_of(folder):
        for pid in found:
            send(pid, signal.SIGKILL)
        killed += [pid for pid in found if pid not in killed]
        assert time.monotonic() < end, f"processes that cannot be killed: {found}"
        time.sleep(0.02)
    return killed
