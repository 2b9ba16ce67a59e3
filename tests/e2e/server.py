"""A real server with a project of its own, as the tests of the command line use it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from pawl.cli.main import main
from tests.faults.processes import kill_all, until

SECONDS = 120
_PAWL = [sys.executable, "-m", "pawl.cli.main"]
_AT_A_TERMINAL = """\
import signal, sys
from pawl.cli.main import main

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""
"""A command for which Ctrl-C counts: where tests run in the background, children inherit that it does not."""
CI = """\
name: CI
on: [push, workflow_dispatch]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Build
        run: cat input.txt
  test:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - name: Test
        run: echo tested
"""
FAILS = """\
name: Fails
on: workflow_dispatch
jobs:
  bad:
    runs-on: ubuntu-latest
    steps:
      - name: Good
        run: echo fine
      - name: Bad
        run: echo oops; exit 3
"""
WAITS = """\
name: Waits
on:
  workflow_dispatch:
    inputs: { gate: { type: string, required: true } }
jobs:
  wait:
    runs-on: ubuntu-latest
    steps:
      - name: Wait
        env:
          GATE: ${{ inputs.gate }}
        run: |
          for i in 1 2 3; do echo "before $i"; done
          while [ ! -e "$GATE" ]; do sleep 0.05; done
          for i in 1 2 3; do echo "after $i"; done
"""
NOBODY = """\
name: Nobody
on: workflow_dispatch
jobs:
  gpu:
    runs-on: [self-hosted, gpu]
    steps: [{ run: echo never }]
"""
KEEPS = """\
name: Keeps
on: workflow_dispatch
jobs:
  pack:
    runs-on: ubuntu-latest
    artifacts: [dist/**]
    steps:
      - run: mkdir -p dist/deep; echo one > dist/one.txt; echo two > dist/deep/two.txt
"""


class Machine:
    """One machine: a home, a project, and a server that is started, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.project = folder / "project"
        kept = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("PAWL_", "XDG_", "GITHUB_", "PYTEST_"))
        }
        home = {"HOME": str(folder / "home"), "PAWL_DATA": str(self.data)}
        self.environment = {**kept, **home, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}
        self._server: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the project, and a home."""
        (self.folder / "home").mkdir()
        workflows = self.project / ".github/workflows"
        workflows.mkdir(parents=True)
        for name, text in (
            ("ci", CI),
            ("fails", FAILS),
            ("waits", WAITS),
            ("nobody", NOBODY),
            ("keeps", KEEPS),
        ):
            (workflows / f"{name}.yml").write_text(text)
        (self.project / "input.txt").write_text("hello from the commit\n")
        self.git("init", "-q", "-b", "main")

    def commit(self) -> None:
        """Commit the project's files."""
        self.git("add", "-A")
        self.git("-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "First")

    def git(self, *arguments: str) -> None:
        """Run git in the project."""
        subprocess.run(["git", *arguments], cwd=self.project, env=self.environment, check=True)

    @property
    def url(self) -> str:
        """Return the server's address, as it wrote it down."""
        return (self.data / "address").read_text().strip()

    def start(self, port: int = 0) -> None:
        """Start the server and wait until it answers."""
        options = ["--port", str(port), "--executor", "host", "--workers", "2"]
        with (self.folder / "server.out").open("ab") as out:
            self._server = subprocess.Popen(
                [*_PAWL, "serve", *options],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        until(self._answers, "the server to answer", seconds=SECONDS)

    def _answers(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, (self.folder / "server.out").read_text("utf-8", "replace")
        return (self.data / "address").exists() and _is_ready(self.url)

    def kill(self) -> None:
        """Kill the server, with a signal that it cannot see."""
        assert self._server is not None
        self._server.kill()
        self._server.wait(SECONDS)
        self._server = None

    def end(self) -> None:
        """End everything that was started here."""
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            try:
                self._server.wait(30)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(SECONDS)
        kill_all(self.folder)

    def pawl(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run a command in the project and return its exit code, output, and what it said beside that.

        In this process: a new one would take most of its time for importing.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, {**self.environment, **environment}, clear=True),
            contextlib.chdir(self.project),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(arguments)
        return int(code), out.getvalue(), err.getvalue()

    def follow(self, name: str, *arguments: str) -> Following:
        """Start a command that goes on; `name` is of the file it writes to."""
        return Following(self, self.folder / f"{name}.out", arguments)

    def trigger(self, *arguments: str) -> int:
        """Start a run and return its number."""
        code, out, err = self.pawl("trigger", *arguments)
        assert code == 0, err
        found = re.match(r"Run (\d+): ", out)
        assert found, out
        return int(found[1])


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=30) as answer:  # noqa: S310 - our own server's
            return bool(answer.status == 200)
    except OSError:
        return False


class Following:
    """A command that goes on while a test does other things."""

    def __init__(self, machine: Machine, file: Path, arguments: tuple[str, ...]) -> None:
        self._file = file
        with file.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _AT_A_TERMINAL, *arguments],
                cwd=machine.project, env=machine.environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def text(self) -> str:
        """Return what it has written so far."""
        return self._file.read_text("utf-8", "replace")

    def wait_for(self, words: str) -> None:
        """Wait until it has written some words."""
        until(lambda: words in self.text or self._process.poll() is not None, f"`{words}`", seconds=SECONDS)
        assert words in self.text

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        try:
            return self._process.wait(SECONDS)
        finally:
            self._process.kill()


@contextlib.contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Yield a machine whose server runs; afterwards nothing of it is left."""
    made = Machine(folder)
    made.prepare()
    made.commit()
    try:
        made.start()
        yield made
    finally:
        made.end()


@contextlib.contextmanager
def serving(folder: Path, project: Path) -> Iterator[dict[str, str]]:
    """Commit a project that is a repository already; yield the environment in which its server is found."""
    made = Machine(folder)
    made.project = project
    (folder / "home").mkdir()
    made.commit()
    try:
        made.start()
        yield {"HOME": made.environment["HOME"], "PAWL_DATA": made.environment["PAWL_DATA"]}
    finally:
        made.end()
