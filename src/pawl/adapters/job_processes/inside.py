"""The job's own side: saying which process it is, waking the worker, hearing that it is to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pawl.adapters.job_processes.places import PROCESS, STOP, WAKE, read_json, write_json

STOP_SIGNAL = signal.SIGURG
"""Tells a job to look at its stop file. A process that does not listen yet is not harmed by this one."""

_POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_DESCRIPTORS = 4
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
        # A handler and not SIG_IGN, which the processes of steps would inherit. The loop need not hear of
        # these, and its own way takes a share of a short job.
        before = {each: signal.signal(each, _nothing) for each in _POLITE}
        look()
        try:
            yield
        finally:
            loop.remove_signal_handler(STOP_SIGNAL)
            for each, handler in before.items():
                signal.signal(each, handler)


def _nothing(_number: int, _frame: object) -> None:
    """Take a signal."""


def wait_for_work(descriptor: int) -> Path | None:
    """Wait for folders that a worker hands over, with a process for each that was forked ahead of it.

    Nothing is left to do then but the job: neither an import nor a fork. Returns the folder, in the process
    that is the job's; None in this one, once the worker is gone. No thread may run.
    """
    # Nobody waits for the children: the system is to forget them when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # what is there by now is shared by all of them
    with socket.socket(fileno=descriptor) as channel:
        while (given := _await_in_a_child(channel)) is None:
            if _is_over(channel):
                return None
    # The first is the folder's lock, which this process keeps as long as it lives.
    for standard, file in zip((0, 1, 2), given.descriptors[1:], strict=True):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(given.folder)
    return given.folder


@dataclass(frozen=True, slots=True)
class _Given:
    """A job that was handed over."""

    folder: Path
    descriptors: Sequence[int]


def _await_in_a_child(channel: socket.socket) -> _Given | None:
    """Fork; return the next job in the child, and None in this process once the child has one, or is dead."""
    has_one, tell = os.pipe()
    if os.fork() == 0:
        os.close(has_one)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        given = _receive(channel)
        if given is None:
            os._exit(0)
        os.close(tell)
        return given
    os.close(tell)
    os.read(has_one, 1)  # its end: the child has closed it
    os.close(has_one)
    return None


def _receive(channel: socket.socket) -> _Given | None:
    """Return what the worker hands over; None when it is gone."""
    while True:
        told, descriptors, _, _ = socket.recv_fds(channel, _LONGEST_PATH, _DESCRIPTORS)
        if not told:
            return None
        if len(descriptors) == _DESCRIPTORS:
            return _Given(Path(os.fsdecode(told)), descriptors)
        for each in descriptors:
            os.close(each)


def _is_over(channel: socket.socket) -> bool:
    """Return whether the worker has closed its end."""
    looking = select.poll()
    looking.register(channel, 0)
    return bool(looking.poll(0))
