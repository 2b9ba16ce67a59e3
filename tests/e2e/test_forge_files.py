"""A private repository: from a push to the files in a job, on the server's own worker and on one far away."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import SECONDS, Machine
from tests.e2e.test_project_cli import post
from tests.faults.processes import until
from tests.git_server import GitServer, Mode, Repository, git_server
from tests.integration.intaking import NAME

SECRET = "s3cret-t0ken-of-the-host"
FILE = ".github/workflows/ci.yml"
ACTION = "runs: {using: composite, steps: [{run: echo from the action, shell: sh}]}\nname: local\n"
CI = """
on: push
env: {HOST: "%s"}
jobs:
  here:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - run: |
          test "$(git log -1 --format=%%H)" = "$GITHUB_SHA"
          test "$(git rev-list --count HEAD)" -gt 1
          test "$GITHUB_REF $GITHUB_REPOSITORY" = "refs/heads/main octo/repo"
          test "$GITHUB_SERVER_URL" = "$HOST"
          test -n '${{ hashFiles('input.txt') }}'
      - name: Nobody sees the token
        run: |
          S="$(printf '%%s-%%s-%%s' s3cret t0ken of-the-host)"
          case "$(cat /proc/[0-9]*/cmdline .git/config 2>/dev/null | tr '\\0' ' ')" in *"$S"*) exit 1;; esac
      - uses: ./act
  far:
    needs: here
    runs-on: [self-hosted, far]
    strategy: {matrix: {number: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}}
    steps:
      - uses: actions/checkout@v4
      - run: test "$(git log -1 --format=%%H)" = "$GITHUB_SHA" && cat input.txt
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitServer, Repository]]:
    with git_server(tmp_path_factory.mktemp("host")) as server:
        repository = server.repository(NAME)
        repository.commit({"act/action.yml": ACTION})
        repository.commit({FILE: CI % server.address, "input.txt": "hello\n"})
        server.user, server.secret = "bot", SECRET
        yield server, repository


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("server"))
    made.environment["PAWL_SERVER_PLAIN_GIT"] = "true"
    made.prepare()
    made.commit()
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def far(here: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run a worker that shares nothing with the server, and yield its folder."""
    folder = tmp_path_factory.mktemp("far")
    token = folder / "token"
    assert here.pawl("token", "create", "far", "--scope", "worker", "-o", str(token))[0] == 0
    command = [
        *(sys.executable, "-m", "pawl.cli.main", "worker", "--server", here.url, "--token-file", str(token)),
        *("--data", str(folder / "data"), "--name", "far", "--label", "far", "--slots", "2"),
        *("--executor", "host", "--plain-git"),
    ]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=here.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        until(lambda: "far" in here.pawl("workers")[1], "the worker came", seconds=SECONDS)
        yield folder
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.fixture(scope="module")
def project(here: Machine, host: tuple[GitServer, Repository]) -> tuple[str, str]:
    """Make the project and return the address and secret of its webhook."""
    token = here.folder / "git.token"
    token.write_text(SECRET + "\n")
    code, out, err = here.pawl(
        "project", "add", NAME, "--forge", "github", "--url", host[1].url, "--user", "bot",
        "--git-token", str(token), "--poll", "0",
    )  # fmt: skip
    token.unlink()
    assert code == 0, err
    address, secret = (line.strip() for line in out.splitlines() if line.startswith("    "))
    return address, secret


def ended(here: Machine, run: int) -> str:
    """Return how a run ended, once it has."""
    told: dict[str, str] = {}

    def look() -> bool:
        found = json.loads(here.pawl("runs", "--server", "--json")[1])
        told.update(next((each for each in found if each["id"] == run), {}))
        return told.get("status") == "completed"

    until(look, f"run {run} ended", seconds=SECONDS)
    return told["conclusion"]


def test_a_private_commit_comes_to_near_and_far_jobs_with_one_fetch_each(
    here: Machine, far: Path, host: tuple[GitServer, Repository], project: tuple[str, str]
) -> None:
    server, repository = host
    assert post(*project, repository.git("rev-parse", "HEAD"), "d-1") == 202
    assert ended(here, 1) == "success", here.pawl("logs", "1", "--server")
    told = here.pawl("logs", "1", "--server")[1]
    assert "from the action" in told
    assert told.count("hello") == 10
    # One of the server's mirror, which its own worker has too, and one of the other worker's.
    assert server.fetches.total() == 2
    needles = (SECRET.encode(), base64.b64encode(f"bot:{SECRET}".encode()))
    files = [path for folder in (here.folder, far) for path in folder.rglob("*") if path.is_file()]
    assert {"packed-refs", "pawl.db"} <= {path.name for path in files}
    assert [path for path in files if any(needle in path.read_bytes() for needle in needles)] == []


def test_a_host_that_goes_away_while_a_job_waits_is_told_after_more_tries(
    here: Machine, far: Path, host: tuple[GitServer, Repository], project: tuple[str, str]
) -> None:
    server, repository = host
    gate = far / "gate"
    text = (CI % server.address).replace("{number: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}", "{number: [0]}")
    text = text.replace("- uses: ./act", f"- run: while [ ! -e {gate} ]; do sleep 0.05; done")
    before, after = text.split("  far:")
    whole = after.replace(
        "- uses: actions/checkout@v4", "- {uses: actions/checkout@v4, with: {fetch-depth: 0}}"
    )
    sha = repository.commit({FILE: f"{before}  far:{whole}"})
    assert post(*project, sha, "d-2") == 202
    until(lambda: "while [" in here.pawl("logs", "2", "--server")[1], "the first job waits", seconds=SECONDS)
    server.mode = Mode.ERROR
    gate.touch()
    try:
        assert ended(here, 2) == "failure"
    finally:
        server.mode = Mode.WELL
    told = here.pawl("logs", "2", "--server")[1]
    assert "job far (0), attempt 3" in told
    assert f"`{NAME}` cannot be fetched" in told
    assert "500" in told
