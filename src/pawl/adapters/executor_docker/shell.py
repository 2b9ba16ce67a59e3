"""An interactive shell in a container that `keep` left: this terminal, joined to it by an exec call."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from aiodocker import Docker
from aiodocker.exceptions import DockerError
from aiodocker.execs import Exec
from aiodocker.stream import Stream

from pawl.adapters.executor_docker.engine import connect, find_address
from pawl.adapters.executor_docker.errors import engine_errors
from pawl.adapters.executor_docker.layout import HOME, WORKSPACE
from pawl.adapters.executor_docker.naming import container_name
from pawl.core.model.errors import UsageError

_BEST_SHELL = "command -v bash >/dev/null 2>&1 && exec bash; exec sh"
_BLOCK = 65536
_ENDS = (signal.SIGTERM, signal.SIGHUP)


async def attach_shell(
    sandbox: str,
    *,
    argv: Sequence[str] = ("/bin/sh", "-c", _BEST_SHELL),
    env: Mapping[str, str] | None = None,
    cwd: str = WORKSPACE,
    stdin: int = 0,
    stdout: int = 1,
    address: str | None = None,
) -> int:
    """Run a program in a sandbox's container, joined to this terminal, and return its exit code.

    Args:
        sandbox: the name its spec had.
        argv: what to run; bash, or sh where there is none.
        env: its variables, over the image's.
        cwd: inside path to start in.
        stdin: descriptor to read from; where it is a terminal, it is raw meanwhile and its size is followed.
        stdout: descriptor to write to.
        address: the engine's; None looks for it.

    At a terminal SIGTERM and SIGHUP end this with 128 and their number, the terminal being as it was.

    Raises:
        UsageError: there is no such container, or it does not run.
        InfrastructureError: the engine failed.
    """
    docker, connector = connect(address or find_address())
    try:
        with engine_errors("The shell cannot be opened"):
            call = await _prepare(docker, sandbox, argv, env or {}, cwd, terminal=os.isatty(stdin))
            async with call.start(detach=False) as stream:
                ended_by = await _join(call, stream, stdin, stdout)
            return 128 + ended_by if ended_by else int((await call.inspect()).get("ExitCode") or 0)
    finally:
        await docker.close()
        if connector is not None:
            await connector.close()


async def _prepare(
    docker: Docker, sandbox: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, *, terminal: bool
) -> Exec:
    name = container_name(sandbox)
    try:
        container = await docker.containers.get(name)
    except DockerError as error:
        if error.status == 404:
            raise UsageError(
                f"There is no container {name}", hint="run with --keep-on-failure to keep one"
            ) from error
        raise
    if not container["State"]["Running"]:
        raise UsageError(f"The container {name} does not run any more")
    given = {"HOME": HOME, "TERM": os.environ.get("TERM", "xterm"), **env}
    return await container.exec(list(argv), stdin=True, tty=terminal, environment=given, workdir=cwd)


async def _join(call: Exec, stream: Stream, stdin: int, stdout: int) -> int:
    """Copy both ways until the program ends; return the number of the signal that ended us first, else 0."""
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        block = os.read(stdin, _BLOCK)
        typed.put_nowait(block)
        if not block:
            loop.remove_reader(stdin)

    async def read_file() -> None:
        while block := await asyncio.to_thread(os.read, stdin, _BLOCK):
            await stream.write_in(block)
        _end_input(stream)

    async def send() -> None:
        while block := await typed.get():
            await stream.write_in(block)
        _end_input(stream)

    with _raw(stdin), _resizing(call, stdin):
        can_wait = _can_wait_for(loop, stdin, read)
        sending = asyncio.create_task(send() if can_wait else read_file(), name="keys to the shell")
        showing = asyncio.create_task(_show(stream, stdout), name="output of the shell")
        try:
            with _signals(showing, stdin) as received:
                await asyncio.wait((showing,))
            if not received:
                showing.result()
            return received[0] if received else 0
        finally:
            loop.remove_reader(stdin)
            for task in (sending, showing):
                task.cancel()
            await asyncio.gather(sending, showing, return_exceptions=True)


def _can_wait_for(loop: asyncio.AbstractEventLoop, stdin: int, read: Callable[[], None]) -> bool:
    """Have `read` called when there is input; return False for what is always ready: files, /dev/null."""
    try:
        loop.add_reader(stdin, read)
    except PermissionError:
        return False
    return True


async def _show(stream: Stream, stdout: int) -> None:
    while (message := await stream.read_out()) is not None:
        view = memoryview(message.data)
        while view:
            view = view[os.write(stdout, view) :]


@contextmanager
def _signals(task: asyncio.Task[None], stdin: int) -> Iterator[list[int]]:
    """Cancel the task when we are asked to end, and note by what: a raw terminal must not be left behind."""
    received: list[int] = []
    if not os.isatty(stdin):
        yield received
        return
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        received.append(number)
        task.cancel()

    for number in _ENDS:
        loop.add_signal_handler(number, end, number)
    try:
        yield received
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)


def _end_input(stream: Stream) -> None:
    """Tell the program that no more input comes. The client has no call for this half of a close."""
    response = stream._resp  # noqa: SLF001 - see above
    transport = response.connection.transport if response is not None and response.connection else None
    if transport is not None and transport.can_write_eof():
        transport.write_eof()


@contextmanager
def _raw(stdin: int) -> Iterator[None]:
    """Hand every key on as it is, and put the terminal back afterwards."""
    if not os.isatty(stdin):
        yield
        return
    before = termios.tcgetattr(stdin)
    try:
        tty.setraw(stdin)
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


@contextmanager
def _resizing(call: Exec, stdin: int) -> Iterator[None]:
    """Give the program the terminal's size, now and whenever it changes."""
    if not os.isatty(stdin):
        yield
        return
    loop = asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    async def resize() -> None:
        size = os.get_terminal_size(stdin)
        with suppress(DockerError, OSError):
            await call.resize(h=size.lines, w=size.columns)

    def follow() -> None:
        task = asyncio.create_task(resize(), name="resize the shell")
        running.add(task)
        task.add_done_callback(running.discard)

    follow()
    loop.add_signal_handler(signal.SIGWINCH, follow)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        for task in running:
            task.cancel()
