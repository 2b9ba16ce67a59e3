"""From `git push` to the first line of the log, with a forge on this machine: on the host and in containers.

The whole way is in it: git's push over HTTP, the signed webhook, its journal, the fetch, the workflow read at
the commit, the lease, and the job's start. The floor is the push alone, to the same host, to a branch that
nobody listens to.
"""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Missing, Row, milliseconds
from benchmarks.project import IMAGE, has_engine
from benchmarks.server import missing, served, wait_until
from pawl.testing.git_http import git_environment
from tests.faults.installation import Installation
from tools.demo.forge import NAME, Delivered, Forge, Status, serving
from tools.demo.reading import Reading

TURNS = 7
PLAIN = {"PAWL_SERVER_PLAIN_GIT": "true", "PAWL_SERVER_REACH": "127.0.0.1"}
SECRET = "a secret of the benchmark"
WORKFLOW = """\
on: {push: {branches: [main]}}
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
      - run: echo hello
"""
TARGET = "1 s to the first line, with a local image"


def measure() -> list[Row | Missing]:
    """Return the rows of this module."""
    rows = [*_rows("host")]
    if not has_engine():
        return [*rows, *missing({"push": "push to first log line, container job"}, f"no engine with {IMAGE}")]
    return [*rows, *_rows("docker")]


def _rows(executor: str) -> list[Row]:
    with served(slots=2, executor=executor, settings=PLAIN) as pawl:
        (pawl.folder / "pawl.toml").write_text(f'[labels]\nubuntu-latest = "{IMAGE}"\n', "utf-8")
        pawl.start_server()
        wait_until(lambda: pawl.api.get("/api/workers")["workers"])
        heard = _Heard()
        with serving(Forge(pawl.folder / "forge", heard.hear)) as forge:
            rows = _measured(_Pushing(pawl, forge, heard), executor)
        pawl.stop_server()  # in peace, so that its worker leaves no container that it kept
        return rows


def _measured(pushing: _Pushing, executor: str) -> list[Row]:
    pushing.prepare()
    first, of_step, floor, status = [], [], [], []
    for turn in range(TURNS + 1):
        floor_sample, sample = pushing.push_aside(), pushing.push()
        if turn:
            floor.append(floor_sample)
            first.append(sample.first)
            of_step.append(sample.of_step)
            status.append(sample.status)
    where = "container job" if executor == "docker" else "on the host"
    beside = ("git push alone", milliseconds(floor))
    whole = milliseconds(first)
    return [
        Row(
            id="push",
            what=f"push to first log line, {where}",
            pawl=whole,
            floor=beside,
            target=TARGET,
            meets=whole.median < 1000,
        ),
        Row(
            id="push",
            what=f"push to the first line of a step, {where}",
            pawl=milliseconds(of_step),
            floor=beside,
            target="",
            meets=None,
        ),
        Row(
            id="push",
            what=f"push to the final commit status, {where}",
            pawl=milliseconds(status),
            floor=beside,
            target="",
            meets=None,
        ),
    ]


@dataclass
class _Heard:
    """When the forge got the last word on a commit."""

    ends: dict[str, float] = field(default_factory=dict)

    def hear(self, told: Status | Delivered) -> None:
        if isinstance(told, Status) and told.state != "pending":
            self.ends.setdefault(told.sha, time.monotonic())


@dataclass(frozen=True)
class _Sample:
    """Seconds since a push began."""

    first: float
    of_step: float
    status: float


@dataclass
class _Pushing:
    """Somebody who pushes, and reads the log of what it starts."""

    pawl: Installation
    forge: Forge
    heard: _Heard

    @property
    def _work(self) -> Path:
        return self.pawl.folder / "work"

    def prepare(self) -> None:
        """Make the repository at the forge, with a workflow, and the project at the server."""
        self.forge.bare.mkdir(parents=True)
        self._git(self.forge.bare, "init", "-q", "--bare", "-b", "main")
        self._git(self.forge.bare, "config", "http.receivepack", "true")
        file = self._work / ".github/workflows/ci.yml"
        file.parent.mkdir(parents=True)
        file.write_text(WORKFLOW, "utf-8")
        self._git(self._work, "init", "-q", "-b", "main")
        self._git(self._work, "remote", "add", "origin", self.forge.clone_url)
        self._git(self._work, "add", "-A")
        self._commit()
        self._git(self._work, "push", "-q", "origin", "main")
        project: dict[str, Any] = {"name": NAME, "forge": "gitea", "clone_url": self.forge.clone_url}
        project |= {"api_url": self.forge.api_url, "poll_seconds": 0}
        self.pawl.api.post(
            "/api/projects", {**project, "secrets": {"hook": SECRET, "token": self.forge.token}}
        )
        self.forge.hook = (f"http://127.0.0.1:{self.pawl.api.port}/webhooks/gitea/{NAME}", SECRET)

    def push_aside(self) -> float:
        """Return the seconds of a push of which the forge tells nobody."""
        self._commit()
        began = time.monotonic()
        self._git(self._work, "push", "-q", "origin", "HEAD:refs/heads/aside")
        return time.monotonic() - began

    def push(self) -> _Sample:
        """Push a commit, follow its run to the end, and return what it took."""
        sha = self._commit()
        known = self._newest()
        began = time.monotonic()
        pushing = threading.Thread(target=self._git, args=(self._work, "push", "-q", "origin", "main"))
        pushing.start()
        wait_until(lambda: self._newest() > known)
        reading = Reading()
        for _ in reading.lines(self.pawl.api.follow(self._newest())):
            pass
        pushing.join()
        wait_until(lambda: sha in self.heard.ends)
        return _Sample(reading.first - began, reading.first_of_step - began, self.heard.ends[sha] - began)

    def _newest(self) -> int:
        return max((int(run["id"]) for run in self.pawl.api.get("/api/runs?limit=1")["runs"]), default=0)

    def _commit(self) -> str:
        self._git(self._work, "commit", "-q", "--allow-empty", "-m", "change")
        return self._git(self._work, "rev-parse", "HEAD")

    def _git(self, folder: Path, *words: str) -> str:
        options = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        header = f"http.extraHeader=Authorization: token {self.forge.token}"
        command = ["git", *options, "-c", header, *words]
        done = subprocess.run(
            command, cwd=folder, env=git_environment(), check=True, capture_output=True, text=True
        )
        return done.stdout.strip()
