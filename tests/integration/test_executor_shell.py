"""`attach_shell` at a real terminal: a process runs it at one end of a pty, the test types at the other."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pawl.adapters.executor_docker import DockerExecutor
from pawl.core.model.errors import InfrastructureError
from pawl.ports.executor import ImageRef, Sandbox, SandboxSpec

pytestmark = pytest.mark.engine

OWNER = f"pawl1/test-shell-{os.getpid()}/x/x/1/1"
NAME = f"shell-{os.getpid()}"
PROGRAM = """
import asyncio, sys
from pawl.adapters.executor_docker import attach_shell
print("attaching", flush=True)
sys.exit(asyncio.run(attach_shell(sys.argv[1])))
"""


class Terminal:
    """A terminal in which a shell is being attached."""

    def __init__(self) -> None:
        self.screen = ""
        self._process, self._keys = pty.fork()
        if self._process == 0:
            os.execv(sys.executable, [sys.executable, "-c", PROGRAM, NAME])  # noqa: S606 - a fixed argv
        self.before = termios.tcgetattr(self._keys)

    def type(self, text: str) -> None:
        os.write(self._keys, text.encode())

    def expect(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        """Wait until the pattern is on the screen, and take it and what is before it off."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.screen)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.screen!r}"
            if select.select([self._keys], [], [], left)[0]:
                try:
                    self.screen += os.read(self._keys, 65536).decode("utf-8", "replace")
                except OSError:  # the other end is closed
                    pytest.fail(f"it ended without {pattern!r}: {self.screen!r}")
        self.screen = self.screen[found.end() :]
        return found

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._keys, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def settings(self) -> list[object]:
        return termios.tcgetattr(self._keys)

    def kill(self, number: int) -> None:
        os.kill(self._process, number)

    def wait(self) -> int:
        """Return the exit code, minus the signal's number where one ended it."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([self._keys], [], [], 0.05)[0]:
                with suppress(OSError):
                    self.screen += os.read(self._keys, 65536).decode("utf-8", "replace")
            pid, status = os.waitpid(self._process, os.WNOHANG)
            if pid:
                self._process = 0
                return os.waitstatus_to_exitcode(status)
        pytest.fail(f"it does not end: {self.screen!r}")

    def close(self) -> None:
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        os.close(self._keys)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[asyncio.Runner]:
    """One sandbox for all: what is tested is this side of it."""
    with asyncio.Runner() as runner:
        executor = DockerExecutor()
        sandbox = runner.run(_open(executor, tmp_path_factory.mktemp("shell")))
        yield runner
        runner.run(_close(executor, sandbox))


async def _open(executor: DockerExecutor, folder: Path) -> Sandbox:
    try:
        await executor.probe()
    except InfrastructureError as error:
        await executor.aclose()
        if os.environ.get("CI"):
            pytest.fail(f"CI is set and no container engine answers: {error}")
        pytest.skip(f"no container engine: {error}; tools/engine/start brings one up")
    for sub in ("temp", "files", "actions", "workspace"):
        (folder / sub).mkdir()
    spec = SandboxSpec(name=NAME, owner=OWNER, folder=folder, image=ImageRef(name="pawl/busybox:test"))
    return await executor.open(spec, lambda _: None)


async def _close(executor: DockerExecutor, sandbox: Sandbox) -> None:
    await sandbox.close()
    await executor.aclose()


@pytest.fixture
def terminal(engine: asyncio.Runner) -> Iterator[Terminal]:
    made = Terminal()
    made.expect("attaching")
    made.expect("# ")
    yield made
    made.close()


def test_a_prompt_appears_and_the_exit_code_is_the_shells(terminal: Terminal) -> None:
    terminal.type("echo in:$PWD:$((6*7)); tty\n")
    terminal.expect(r"\nin:/pawl/workspace:42")
    terminal.expect("/dev/pts/")
    terminal.type("exit 7\n")
    assert terminal.wait() == 7


def test_the_terminals_size_is_followed(terminal: Terminal) -> None:
    terminal.resize(33, 111)
    terminal.type("until [ \"$(stty size)\" = '33 111' ]; do :; done; echo it is $((33+111))\n")
    terminal.expect("it is 144")
    terminal.resize(20, 70)
    terminal.type("until [ \"$(stty size)\" = '20 70' ]; do :; done; echo it is $((20+70))\n")
    terminal.expect("it is 90")


def test_ctrl_c_reaches_the_program_and_not_us(terminal: Terminal) -> None:
    terminal.type("echo go$((1)); sleep 60\n")
    terminal.expect("go1")
    terminal.type("\x03")
    terminal.type("echo still $((40+2))\n")
    terminal.expect("still 42", seconds=10)
    # An end of input is only one for a shell that waits for a command.
    terminal.expect("# ")
    terminal.type("\x04")
    terminal.wait()


def test_keys_arrive_raw_and_the_terminal_is_as_before_afterwards(terminal: Terminal) -> None:
    assert terminal.settings() != terminal.before
    terminal.type("exit\n")
    assert terminal.wait() == 0
    assert terminal.settings() == terminal.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_is_restored_when_pawl_is_ended(terminal: Terminal, number: int) -> None:
    assert terminal.settings() != terminal.before
    terminal.kill(number)
    assert terminal.wait() == 128 + number
    assert terminal.settings() == terminal.before


def test_a_terminal_is_restored_when_the_container_is_lost(
    terminal: Terminal, engine: asyncio.Runner
) -> None:
    terminal.type("kill -9 $$\n")
    assert terminal.wait() == 137
    assert terminal.settings() == terminal.before
