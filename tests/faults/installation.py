"""A real server and real workers as processes, which tests kill, stop and start again."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.faults.api import Api, RefusedError
from tests.faults.processes import kill_all, processes_of, send, until

_PAWL = [sys.executable, "-m", "pawl.cli.main"]
_WITH_OTHER_LEASES = """
import functools, sys
import pawl.server.settings as settings
rules = dict(lease_seconds={seconds}, begin_seconds={seconds}, renew_every=2.0)
settings.Rules = functools.partial(settings.Rules, **rules)
from pawl.cli.main import main
sys.exit(main())
"""
"""The same command, with leases that a test can wait for, or that outlast it: they are no setting."""
_WITH_A_HANG = """
import signal, sys, time
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3600))
from pawl.cli.main import main
sys.exit(main())
"""
"""The same command, whose event loop hangs once it gets the signal."""


class Installation:
    """One server's data, and the processes that belong to it.

    Attributes:
        folder: everything is below it, homes and logs of the processes too.
        data: the server's data folder.
        api: the server's API, whether the server runs or not.
    """

    def __init__(
        self,
        folder: Path,
        *,
        slots: int = 2,
        executor: str = "host",
        store: str = "",
        bucket: str = "",
        lease_seconds: float | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Take what the server is started with; `slots` are those of its embedded worker.

        `store` is the URL of its database, when it is not the file in its data folder. `bucket` is where its
        logs and blobs are, when they are not there either; it is formatted with `logs` and `blobs`.
        `lease_seconds` are those of every lease, when they are not the usual ones. `settings` are variables
        of the environment.
        """
        self.folder = folder
        self.data = folder / "data"
        self.api = Api(free_port(), self.data / "token")
        self._slots = slots
        self._executor = executor
        self._store = ["--store", store] if store else []
        for kind in ("logs", "blobs") if bucket else ():
            self._store += [f"--{kind}", bucket.format(kind)]
        self._environment = {**_clean_environment(folder), **(settings or {})}
        self._serving = _PAWL
        if lease_seconds is not None:
            self._serving = [sys.executable, "-c", _WITH_OTHER_LEASES.format(seconds=lease_seconds)]
        self._server: subprocess.Popen[bytes] | None = None
        self._workers: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self) -> None:
        """Make the folders that the processes expect."""
        (self.folder / "home").mkdir(parents=True)

    def start_server(self) -> None:
        """Start the server and wait until it is ready."""
        assert self._server is None
        port = str(self.api.port)
        options = ["--data", str(self.data), "--port", port, "--executor", self._executor]
        options += ["--workers", str(self._slots), *self._store]
        self._server = self._start("server", [*self._serving, "serve", *options])
        until(self._is_ready, "the server to be ready")

    def _is_ready(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            raise AssertionError(f"the server ended:\n{self.told('server')}")
        try:
            self.api.ask("GET", "/ready", timeout=5)
        except (OSError, RefusedError):
            return False
        return True

    def kill_server(self) -> None:
        """Kill the server, and nothing but it, with a signal that it cannot see."""
        assert self._server is not None
        _kill(self._server)
        self._server = None

    def stop_server(self) -> int:
        """Ask the server to end and return its exit code."""
        assert self._server is not None
        self._server.send_signal(signal.SIGTERM)
        code = self._server.wait(timeout=120)
        self._server = None
        return code

    @property
    def server_pid(self) -> int:
        """Return the server's process."""
        assert self._server is not None
        return self._server.pid

    def embedded_worker(self) -> int | None:
        """Return the process of the embedded worker, None while there is none."""
        remote = {worker.pid for worker in self._workers.values()}
        found = [pid for pid in processes_of(self.data, "worker") if pid not in remote]
        return found[0] if found else None

    def kill_embedded_worker(self) -> int:
        """Kill the embedded worker, and nothing but it; return which process it was."""
        until(self.embedded_worker, "an embedded worker")
        pid = self.embedded_worker()
        assert pid is not None
        send(pid, signal.SIGKILL)
        return pid

    def start_worker(
        self,
        name: str,
        *,
        port: int | None = None,
        slots: int = 2,
        ca_file: Path | None = None,
        can_hang: bool = False,
    ) -> None:
        """Start a worker of its own that speaks to the server over TCP, at `port` or the server's.

        Args:
            name: of the worker and of its data folder.
            port: where it connects.
            slots: jobs at once.
            ca_file: speaks TLS and trusts these certificates.
            can_hang: its event loop hangs for ever when it gets SIGUSR1.
        """
        token = self._token_of(name)
        home = self.worker_data(name)
        home.mkdir(parents=True, exist_ok=True)
        scheme = "http" if ca_file is None else "https"
        options = ["--server", f"{scheme}://127.0.0.1:{port or self.api.port}", "--token-file", str(token)]
        options += ["--name", name, "--slots", str(slots), "--data", str(home), "--executor", self._executor]
        options += ["--label", "self-hosted", "--label", "ubuntu-latest"]
        options += ["--ca-file", str(ca_file)] if ca_file is not None else []
        command = [sys.executable, "-c", _WITH_A_HANG] if can_hang else _PAWL
        self._workers[name] = self._start(name, [*command, "worker", *options])

    def worker_data(self, name: str) -> Path:
        """Return the data folder of a worker of its own."""
        return self.folder / "workers" / name

    def _token_of(self, name: str) -> Path:
        file = self.folder / f"{name}.token"
        if not file.exists():
            made = self.api.post("/api/tokens", {"name": name, "scope": "worker"})
            file.touch(mode=0o600)
            file.write_text(made["token"], "utf-8")
        return file

    def worker_pid(self, name: str) -> int:
        """Return the process of a worker of its own."""
        return self._workers[name].pid

    def kill_worker(self, name: str) -> None:
        """Kill a worker of its own, and nothing but it."""
        _kill(self._workers.pop(name))

    def stop_worker(self, name: str) -> int:
        """Ask a worker of its own to end once its jobs have, and return its exit code."""
        self._workers[name].send_signal(signal.SIGTERM)
        return self.wait_for_worker(name)

    def wait_for_worker(self, name: str) -> int:
        """Wait until a worker of its own has ended by itself and return its exit code."""
        return self._workers.pop(name).wait(timeout=120)

    def wait_for_end(self, run: int) -> dict[str, Any]:
        """Wait until a run has ended and return its record."""
        until(lambda: self.api.run(run)["status"] == "completed", f"the end of run {run}")
        return self.api.run(run)

    def told(self, process: str) -> str:
        """Return the end of what a process has written."""
        return (self.folder / f"{process}.out").read_text("utf-8", "replace")[-8000:]

    def end(self) -> None:
        """Kill every process that was started for this, and those that these have started."""
        for process in [self._server, *self._workers.values()]:
            if process is not None:
                _kill(process)
        kill_all(self.folder)

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.out").open("ab") as out:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(timeout=60)


def free_port() -> int:
    """Return a port of this machine that nobody listens at just now.

    It is below those that the system gives to outgoing connections: one of these, made while a server is
    away, could have the server's port otherwise.
    """
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _clean_environment(folder: Path) -> dict[str, str]:
    """Return an environment without settings of whoever runs the tests; bytecode is kept, as installed."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PAWL_", "GITHUB_", "XDG_", "PYTEST_", "PYTHONDONTWRITEBYTECODE"))
    }
    return kept | {"HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}


@contextmanager
def installation(folder: Path, **options: Any) -> Iterator[Installation]:
    """Yield an installation whose server runs; afterwards no process of it is left.

    When the body fails, what server and workers have written is shown.
    """
    made = Installation(folder, **options)
    made.prepare()
    try:
        made.start_server()
        yield made
    except BaseException:
        for file in sorted(folder.glob("*.out")):
            print(f"==== {file.name}\n{made.told(file.stem)}")
        raise
    finally:
        made.end()
