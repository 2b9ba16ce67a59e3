"""The job's own side: saying which process it is, waking the worker, hearing that it is to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pawl.adapters.job_processes.places import PROCESS, STOP, WAKE, read_json, write_json

STOP_SIGNAL = signal.SIGURG
"""Tells a job to look at its stop file. A process that does not listen yet is not harmed by this one."""

_POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_DESCRIPTORS = 3
_LONGEST_PATH = 65_536


@dataclass(frozen=True, slots=True)
class StopRequest:
    """What the worker asked: why, and whether at once."""

    reason: str
    at_once: bool


class InsideJob:
    """This process, as the job of a folder."""

    def __init__(self, folder: Path) -> None:
        """Say in the folder which process this is.

        Raises:
            OSError: the disk refused.
        """
        self._folder = folder
        self._pipe = -1
        write_json(folder / PROCESS, {"pid": os.getpid()})

    def wake(self) -> None:
        """Tell the worker, if there is one, that there is something new (ports.job_host.Wake)."""
        if self._pipe < 0:
            with contextlib.suppress(OSError):  # nobody reads: the worker is down
                self._pipe = os.open(self._folder / WAKE, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if self._pipe < 0:
            return
        try:
            os.write(self._pipe, b"w")
        except BlockingIOError:
            pass  # it has been told often enough
        except OSError:
            os.close(self._pipe)
            self._pipe = -1

    @contextlib.contextmanager
    def listening(self, stop: Callable[[StopRequest], None]) -> Iterator[None]:
        """Hand requests to stop to `stop` while the block runs, in the running loop.

        Signals that end a whole machine or session do nothing: the worker decides what becomes of its jobs.
        """
        loop = asyncio.get_running_loop()

        def look() -> None:
            told = read_json(self._folder / STOP)
            if told:
                stop(StopRequest(str(told.get("reason", "")), told.get("at_once") is True))

        loop.add_signal_handler(STOP_SIGNAL, look)
        for each in _POLITE:
            # A handler and not SIG_IGN, which the processes of steps would inherit.
            loop.add_signal_handler(each, _nothing)
        look()
        try:
            yield
        finally:
            for each in (STOP_SIGNAL, *_POLITE):
                loop.remove_signal_handler(each)


def _nothing() -> None:
    """Take a signal."""


def wait_for_work(descriptor: int) -> Path | None:
    """Wait for folders that a worker hands over, and fork for each: a fork takes no time to import anything.

    Returns the folder, in the new process; None in this one, once the worker is gone. No thread may run.
    """
    # Nobody waits for the children: the system is to forget them when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # what is there by now is shared by all of them
    with socket.socket(fileno=descriptor) as channel:
        while True:
            told, descriptors, _, _ = socket.recv_fds(channel, _LONGEST_PATH, _DESCRIPTORS)
            if not told:
                return None
            if len(descriptors) == _DESCRIPTORS and os.fork() == 0:
                break
            for each in descriptors:
                os.close(each)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    # The first is the folder's lock, which this process keeps as long as it lives.
    for standard, given in zip((1, 2), descriptors[1:], strict=True):
        os.dup2(given, standard)
        os.close(given)
    folder = Path(os.fsdecode(told))
    os.chdir(folder)
    return folder
