"""Buildbot from the package index in a throw-away environment: SQLite, a worker in a process of its own.

Builds are forced through its HTTP API, as Pawl's runs are triggered through Pawl's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import proportional_memory

PACKAGES = ("buildbot", "buildbot-www", "buildbot-worker")
CONFIGURATION = """
from buildbot.plugins import schedulers, steps, util, worker

c = BuildmasterConfig = {{}}
c["workers"] = [worker.Worker("bench", "word", max_builds=4)]
c["protocols"] = {{"pb": {{"port": "tcp:{pb}:interface=127.0.0.1"}}}}
step = steps.ShellCommand(command={command!r}, haltOnFailure=True)
c["collapseRequests"] = False
c["builders"] = [util.BuilderConfig(name="bench", workernames=["bench"], factory=util.BuildFactory([step]))]
c["schedulers"] = [schedulers.ForceScheduler(name="force", builderNames=["bench"])]
c["db"] = {{"db_url": "sqlite:///state.sqlite"}}
c["www"] = {{"port": "tcp:{web}:interface=127.0.0.1", "plugins": {{}}}}
c["buildbotNetUsageData"] = None
"""
WORKER = """
import os
from buildbot_worker.bot import Worker
from twisted.application import service

application = service.Application("buildbot-worker")
Worker("127.0.0.1", {pb}, "bench", "word", os.getcwd(), 600, umask=None).setServiceParent(application)
"""


@dataclass(frozen=True, kw_only=True)
class Buildbot:
    """A Buildbot that is ready; its one builder runs the command it was started with.

    Attributes:
        ready_after: seconds from its start to a worker that is connected.
        processes: server and worker.
    """

    web: int
    ready_after: float
    processes: tuple[int, int]

    def trigger(self) -> int:
        """Force a build and return the id of its request."""
        force = {"id": 1, "jsonrpc": "2.0", "method": "force", "params": {"builderid": "1"}}
        return int(_ask(self.web, "forceschedulers/force", force)["result"][0])

    def completed(self) -> list[float]:
        """Return when each completed request was completed, in seconds since 1970."""
        found = _ask(self.web, "buildrequests?field=complete&field=complete_at")["buildrequests"]
        return [request["complete_at"] for request in found if request["complete"]]

    def memory(self) -> int:
        """Return the bytes that server and worker take."""
        return sum(proportional_memory(process) for process in self.processes)


@contextmanager
def buildbot(command: list[str], ports: tuple[int, int]) -> Iterator[Buildbot]:
    """Install and start a Buildbot whose builder runs `command`, on two free `ports`; end it afterwards.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be installed or does not start.
    """
    pb, web = ports
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as name:
        programs = _install(Path(name) / "environment")
        server, worker = Path(name) / "server", Path(name) / "worker"
        subprocess.run([programs / "buildbot", "create-" + "master", server], check=True, capture_output=True)
        (server / "master.cfg").write_text(CONFIGURATION.format(pb=pb, web=web, command=command), "utf-8")
        worker.mkdir()
        (worker / "buildbot.tac").write_text(WORKER.format(pb=pb), "utf-8")
        twist = [str(programs / "twistd"), "--nodaemon", "--pidfile=", "--no_save", "--python=buildbot.tac"]
        began = time.perf_counter()
        processes = [_start(twist, folder) for folder in (server, worker)]
        try:
            _until_connected(web, processes)
            pids = (processes[0].pid, processes[1].pid)
            yield Buildbot(web=web, ready_after=time.perf_counter() - began, processes=pids)
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _install(environment: Path) -> Path:
    """Return the folder of the programs of an environment with Buildbot in it."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    python = environment / "bin/python"
    for arguments in (
        ["venv", str(environment)],
        ["pip", "install", "--compile-bytecode", "-p", str(python), *PACKAGES],
    ):
        subprocess.run([uv, "-q", *arguments], check=True, capture_output=True, timeout=300)
    return environment / "bin"


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True)


def _until_connected(web: int, processes: list[subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if any(process.poll() is not None for process in processes):
            raise OSError("Buildbot ended at its start")
        try:
            workers = _ask(web, "workers")["workers"]
        except OSError:
            workers = []
        if workers and workers[0]["connected_to"]:
            return
        time.sleep(0.02)
    raise OSError("Buildbot's worker does not connect")


def _ask(web: int, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{web}/api/v2/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
