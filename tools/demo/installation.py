"""A Pawl server of the demo's own, in a folder that goes when the demo ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pawl.testing.git_http import APART

PAWL = Path(sys.executable).with_name("pawl")
_READY_SECONDS = 60
_CANCEL_SECONDS = 20
_END_SECONDS = 30


class DemoError(Exception):
    """The demo cannot go on."""


class Installation:
    """The server's process and its API.

    Attributes:
        folder: of everything.
        data: of what the server keeps.
    """

    def __init__(self, folder: Path, executor: str) -> None:
        """Take the folder, and what is to run the jobs."""
        self.folder = folder
        self.data = folder / "data"
        self.executor = executor
        self.environment = _environment(folder, self.data)
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def serve(self) -> list[str]:
        """Return the command that starts the server."""
        options = ["--data", str(self.data), "--port", str(self._port), "--url", self.address]
        return ["pawl", "serve", *options, "--executor", self.executor]

    @property
    def address(self) -> str:
        """Return where the server answers."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the server and return when it answers, and its worker takes jobs.

        Raises:
            DemoError: it ended or is not ready within a minute, or its worker can run nothing.
        """
        with (self.folder / "server.log").open("wb") as out:
            # A session of its own: Ctrl-C is the demo's, which ends the server after the run.
            self._process = subprocess.Popen(
                [PAWL, *self.serve[1:]],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        end = time.monotonic() + _READY_SECONDS
        while not self._is_ready() or not self._has_worker():
            if self._process.poll() is not None or time.monotonic() > end:
                told = (self.folder / "server.log").read_text("utf-8", "replace")
                raise DemoError(f"the server does not start: {told[-2000:]}")
            time.sleep(0.02)

    def pawl(self, *words: str) -> str:
        """Run a command of Pawl's and return what it prints.

        Raises:
            DemoError: it failed.
        """
        done = subprocess.run(
            [PAWL, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DemoError(f"pawl {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def get(self, path: str) -> Any:
        """Return what the API has there."""
        return json.loads(self._ask("GET", path))

    def follow(self, run: int) -> Iterator[dict[str, Any]]:
        """Yield what a run tells, its log's lines among it, until it ends."""
        connection = self._connect(timeout=600)
        try:
            connection.request("GET", f"/api/runs/{run}/logs?follow=1", headers=self._headers())
            answer = connection.getresponse()
            while line := answer.readline():
                if line.strip():
                    yield json.loads(line)
        finally:
            connection.close()

    def end(self) -> None:
        """Cancel what runs, and end the server and everything that it started."""
        process = self._process
        if process is None:
            return
        try:
            with suppress(DemoError):  # it may not answer yet, or any more
                self._cancel()
            process.send_signal(signal.SIGTERM)
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            _kill_all(self.folder)

    def _cancel(self) -> None:
        """Cancel the runs that go on, so that no container stays, and wait until they have ended."""
        end = time.monotonic() + _CANCEL_SECONDS
        asked: set[int] = set()
        while active := [run["id"] for run in self._runs() if run["status"] != "completed"]:
            for run in set(active) - asked:
                self._ask("POST", f"/api/runs/{run}/cancel", {"reason": "the demo was ended"})
                asked.add(run)
            if time.monotonic() > end:
                return
            time.sleep(0.05)

    def _runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/runs?limit=20")["runs"]
        return found

    def _is_ready(self) -> bool:
        with suppress(DemoError):
            return bool(self._ask("GET", "/ready"))
        return False

    def _has_worker(self) -> bool:
        workers = self.get("/api/workers")["workers"]
        for worker in workers:
            if worker["health"]:
                raise DemoError(f"the worker takes no jobs: {worker['health']}")
        return bool(workers)

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        try:
            return self._asked(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"the server does not answer: {error}") from error

    def _asked(self, method: str, path: str, body: object) -> bytes:
        connection = self._connect(timeout=30)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, self._headers())
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise DemoError(f"{method} {path}: {answer.status} {told[:300].decode('utf-8', 'replace')}")
        return told

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=timeout)

    def _headers(self) -> dict[str, str]:
        token = (self.data / "token").read_text("utf-8").strip()
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _environment(folder: Path, data: Path) -> dict[str, str]:
    """Return an environment without settings of whoever tries the demo, but for the engine's address."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PAWL_", "GITHUB_", "XDG_", "GIT_"))
    }
    own = {
        "HOME": str(folder),
        "PAWL_DATA": str(data),
        # The forge is on this machine and speaks plain HTTP: two things that a server is told it may trust.
        "PAWL_SERVER_REACH": "127.0.0.1",
        "PAWL_SERVER_PLAIN_GIT": "true",
    }
    return {**kept, **APART, **own}


def _free_port() -> int:
    """Return a port that nobody listens at: the server has to know its address to link to itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _kill_all(folder: Path) -> None:
    """Kill processes that work in the folder, where the system can say which do (Linux)."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            at = f"{(entry / 'cwd').readlink()}/"
            if at.startswith(f"{folder}/") and int(entry.name) != os.getpid():
                os.kill(int(entry.name), signal.SIGKILL)


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
