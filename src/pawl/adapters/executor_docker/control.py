"""The worker's side of the control folder: requests out, ends of processes in.

The folder is shared with a container that may be hostile, and what is in it is judged so. It is reached by a
handle taken before the container started, no link is followed, only regular files are read, and of none more
than it should have. The worst a job can do is to lie about its own processes, or make its worker look again.

A line on the reply FIFO wakes the worker; looking every few milliseconds makes sure (and is all there is
where a job has broken the FIFO).
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pawl.adapters.executor_docker.supervisor import RUNNERS
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import Exit

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST_ANSWER = 64
_FLOOD = 4096
_CALM = 0.01
_SHORTEST_LOOK, _LONGEST_LOOK = 0.002, 0.05
_REQUEST_TIMEOUT = 5.0
_CHECK_EVERY = 2.0
_LONGEST_SILENCE = 30.0
_MOST_RUNNERS = 64

Ended = Callable[[Exit], None]


class ControlFolder:
    """One container's control folder, seen from outside."""

    def __init__(self, path: Path) -> None:
        """Make the folder and its two FIFOs.

        Raises:
            OSError: that cannot be done, or the folder exists.
        """
        self.path = path
        path.mkdir()
        path.chmod(0o777)  # the container's user may be anybody; the folder above is private
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._requests = self._make_fifo("requests")
        self._replies = self._make_fifo("replies")
        self._runners = {number: self._make_fifo(f"runner.{number}") for number in range(1, RUNNERS + 1)}
        self._idle = sorted(self._runners, reverse=True)
        self._runs_on: dict[str, int] = {}
        self._waiting: dict[str, Ended] = {}
        self._unread: set[str] = set()
        self._said = b""
        self._looking: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._last_heard = self._loop.time()
        self._loop.add_reader(self._replies, self._hear)
        self._open = True

    def _make_fifo(self, name: str) -> int:
        os.mkfifo(name, dir_fd=self._folder)
        os.chmod(name, 0o666, dir_fd=self._folder)  # noqa: S103 - as the folder: anybody in the container
        # Both ends are held open, so that neither side ever sees the other as gone.
        return os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)

    async def wait_ready(self, seconds: float) -> bool:
        """Return whether the container's shell has answered within so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), seconds)
        return self._heard.is_set()

    @property
    def has_answered(self) -> bool:
        """Return whether the container's shell has ever said anything."""
        return self._heard.is_set()

    def has(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        try:
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except OSError:
            return False
        return True

    def make_file(self, name: str, content: bytes = b"", mode: int = 0o666) -> None:
        """Make a file that was not there; what a job put in its place is removed.

        Raises:
            InfrastructureError: that cannot be done.
        """
        try:
            handle = self._make_new(name)
            try:
                os.fchmod(handle, mode)
                view = memoryview(content)
                while view:
                    view = view[os.write(handle, view) :]
            finally:
                os.close(handle)
        except OSError as error:
            raise InfrastructureError(
                f"The job's control folder cannot be written: {error.strerror}"
            ) from error

    def _make_new(self, name: str) -> int:
        try:
            return os.open(name, _MAKE, 0o600, dir_fd=self._folder)
        except FileExistsError:
            os.unlink(name, dir_fd=self._folder)
            return os.open(name, _MAKE, 0o600, dir_fd=self._folder)

    def remove_file(self, name: str) -> None:
        """Remove a file if it is there."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self._folder)

    def read_start(self, name: str, most: int) -> bytes | None:
        """Return the first so many bytes of a regular file; None when there is none of that name."""
        try:
            handle = os.open(name, _READ, dir_fd=self._folder)
        except OSError:
            return None
        try:
            return os.read(handle, most) if stat.S_ISREG(os.fstat(handle).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(handle)

    def read_answer(self, name: str) -> str | None:
        """Return a short line the container wrote, without its newline; None when it is not (yet) there."""
        line, newline, _ = (self.read_start(name, _LONGEST_ANSWER) or b"").partition(b"\n")
        return line.decode("ascii", "replace") if newline else None

    async def request(self, *words: str) -> None:
        """Ask the container's shell for something; the words are ids and names without blanks.

        Raises:
            InfrastructureError: it takes no requests.
        """
        await self._write(self._requests, (" ".join(words) + "\n").encode("ascii"))

    async def _write(self, fifo: int, line: bytes) -> None:
        give_up = self._loop.time() + _REQUEST_TIMEOUT
        while self._open:
            try:
                os.write(fifo, line)  # shorter than PIPE_BUF, so whole or not at all
            except BlockingIOError:
                if self._loop.time() > give_up:
                    break
                await asyncio.sleep(_CALM)
            except OSError as error:
                raise InfrastructureError(f"The job's shell cannot be reached: {error.strerror}") from error
            else:
                return
        raise InfrastructureError("The job's shell takes no requests")

    async def run(self, identity: str, ended: Ended) -> None:
        """Start the process whose script is there, and call `ended` once when it has ended.

        Raises:
            InfrastructureError: no more can run, or the container takes no requests.
        """
        if not self._idle:
            await self._add_runner()
        runner = self._idle.pop()
        self._runs_on[identity] = runner
        self._expect(identity, ended)
        await self._write(self._runners[runner], f"{identity}\n".encode("ascii"))

    async def _add_runner(self) -> None:
        number = len(self._runners) + 1
        if number > _MOST_RUNNERS:
            raise InfrastructureError(f"A job cannot run more than {_MOST_RUNNERS} processes at once")
        try:
            self._runners[number] = self._make_fifo(f"runner.{number}")
        except OSError as error:
            raise InfrastructureError(f"The job's control folder cannot be written: {error}") from error
        self._idle.append(number)
        await self.request("more", str(number))

    def _expect(self, identity: str, ended: Ended) -> None:
        self._waiting[identity] = ended
        self._unread.add(identity)
        if self._looking is None or self._looking.done():
            self._last_heard = self._loop.time()
            self._looking = self._loop.create_task(self._look_often(), name=f"control folder {self.path}")

    def waiting(self) -> tuple[str, ...]:
        """Return the ids of processes that have not ended."""
        return tuple(self._waiting)

    def lose(self, reason: str, *, by_executor: bool = False) -> None:
        """Tell all that still wait that their processes are lost, after a last look."""
        self._look()
        for ended in list(self._waiting.values()):
            ended(Exit(code=137, reason=reason, by_executor=by_executor))
        self._waiting.clear()

    def close(self) -> None:
        """Let go of the folder; its files stay."""
        if not self._open:
            return
        self._open = False
        if self._looking is not None:
            self._looking.cancel()
        self._loop.remove_reader(self._replies)
        for handle in (self._requests, self._replies, self._folder, *self._runners.values()):
            os.close(handle)
        self._folder = -1  # the number may soon be another file's

    def _hear(self) -> None:
        try:
            said = os.read(self._replies, 65536)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                self._loop.remove_reader(self._replies)
            return
        self._heard.set()
        self._last_heard = self._loop.time()
        self._look()
        *lines, rest = (self._said + said).split(b"\n")
        self._said = rest[-_LONGEST_ANSWER:]
        for line in lines:
            self._take_unwritten(line[:_LONGEST_ANSWER].decode("ascii", "replace"))
        if len(said) > _FLOOD:
            # No honest container says so much; it shall not keep this worker busy.
            self._loop.remove_reader(self._replies)
            self._loop.call_later(_CALM, self._listen_again)

    def _listen_again(self) -> None:
        if self._open:
            self._loop.add_reader(self._replies, self._hear)

    async def _look_often(self) -> None:
        pause = _SHORTEST_LOOK
        since_check = 0.0
        while self._waiting:
            await asyncio.sleep(pause)
            self._look()
            pause = min(pause * 1.5, _LONGEST_LOOK)
            since_check += pause
            if since_check > _CHECK_EVERY:
                since_check = 0.0
                self._check()

    def _check(self) -> None:
        """Ask whether the runners live, and notice when nobody has answered for long."""
        if self._loop.time() - self._last_heard > _LONGEST_SILENCE:
            self.lose("The job's shell does not answer any more: a step may have killed it")
            return
        with suppress(OSError):  # a full FIFO: next time
            for identity in self._waiting:
                line = f"check {identity} {self._runs_on[identity]}\n"
                os.write(self._requests, line.encode("ascii"))

    def _look(self) -> None:
        for identity in list(self._waiting):
            self._look_at(identity)

    def _look_at(self, identity: str) -> None:
        answer = self.read_answer(f"{identity}.exit")
        if identity in self._unread and (answer is not None or self.has(f"{identity}.began")):
            # It carries the environment, secrets included, and has been read.
            self._unread.discard(identity)
            self.remove_file(f"{identity}.run")
        if answer is not None:
            self._take_answer(identity, answer)

    def _take_answer(self, identity: str, answer: str) -> None:
        runner = self._runs_on.pop(identity)
        if self.read_answer(f"{identity}.why") != "lost":
            self._idle.append(runner)
        self._waiting.pop(identity)(parse_exit(answer))

    def _take_unwritten(self, line: str) -> None:
        """Take the answer of a runner whose disk is full."""
        word, _, told = line.partition(" ")
        identity, _, answer = told.partition(" ")
        if word == "unwritten" and identity in self._waiting:
            self._take_answer(identity, answer)


def parse_exit(answer: str) -> Exit:
    """Return what a line of ID.exit says. A code above 128 is taken for a signal, as shells report them."""
    code, _, killed = answer.partition(" ")
    if not (code.isascii() and code.isdigit() and int(code) < 256):
        return Exit(code=137, reason="the job's container wrote an exit code that is none")
    number = int(code)
    signal = number - 128 if 128 < number <= 128 + 31 else None
    return Exit(code=number, signal=signal, out_of_memory=killed == "1" and number != 0)
