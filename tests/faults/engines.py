"""A container engine of one's own as processes, which tests stop and start again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.processes import send, until

_TOOLS = Path(__file__).resolve().parents[2] / "tools"
_APART = ("--iptables=false", "--ip6tables=false")
"""A daemon that starts makes the packet filter's rules anew, and those of others here go with them."""


class Engine:
    """A Docker Engine with its own data, socket and settings, on this machine.

    Attributes:
        address: as DOCKER_HOST takes it.
    """

    def __init__(self, home: Path, *options: str) -> None:
        """Take a short path for its folder, and what dockerd is started with besides."""
        self.address = f"unix://{home / 'docker.sock'}"
        self._home = home
        self._environment = os.environ | {
            "DOCKER_HOST": self.address,
            "PAWL_ENGINE_HOME": str(home),
            "PAWL_ENGINE_OPTIONS": " ".join((*_APART, *options)),
        }

    def start(self) -> subprocess.CompletedProcess[str]:
        """Start it, or find it running, and return once it answers; else the result says why not."""
        return self._tool("engine/start", "--own")

    def make_image(self) -> None:
        """Make the small test image in it."""
        self._must("images/build", "busybox")

    def stop(self) -> None:
        """Stop it as an upgrade of the package does: politely, and return when it has ended."""
        self._must("engine/stop")

    def kill(self) -> None:
        """Kill the daemon with a signal that it cannot see; its containers run on."""
        pid = int((self._home / "docker.pid").read_text("ascii"))
        send(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the end of dockerd")

    def end(self) -> None:
        """Stop it where it runs, and remove what it has."""
        self._must("engine/stop", "--clean")

    def _must(self, *words: str) -> None:
        done = self._tool(*words)
        assert done.returncode == 0, done.stderr

    def _tool(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_TOOLS / name, *words], env=self._environment, capture_output=True, text=True, check=False
        )


@contextmanager
def engine(*options: str) -> Iterator[Engine]:
    """Yield a running engine that has the small test image; skip where none can be had, unless CI is set."""
    # A socket's path has room for about a hundred characters.
    home = Path(tempfile.mkdtemp(prefix="pawl-e", dir="/tmp"))
    made = Engine(home, *options)
    try:
        started = made.start()
        if started.returncode != 0:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(started.stderr)
        made.make_image()
        yield made
    finally:
        made.end()
        shutil.rmtree(home, ignore_errors=True)
